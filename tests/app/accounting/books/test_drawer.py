"""The cash of drawers in a venue's books: what is laid in and taken out, the float, and what a count finds to differ.

The cash account moves as the drawers do, whatever is counted, and nothing of it is booked twice.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounting.books import closing, drawer
from app.accounting.books.fec import file_name
from app.rules.drawer import Closed, Period
from app.rules.takings import Paid, Sold
from app.sales.closings.drawer import float_cents
from app.sales.tables import drawer_move
from app.wire.takings import close as closed_row
from tests.app.accounting.books.test_worked_month import entry, totals
from tests.support.books import books_of, close, file_of, line, next_month, sale
from tests.support.fec_rule import faults, rows
from tests.support.network import Network, both
from tests.support.pages import look, words
from tests.support.tills import CASHIER, RATES, Till


async def the_evening(network: Network) -> Till:
    """50.00 are laid in; a beer and a pie bring 7.50 in cash, Metro is paid 12.30, 20.00 go to the safe; 24.90 are
    counted of 25.20. The next evening begins with 30.00, and 30.02 are counted."""
    till = Till(await network.terminal("raffinerie"))
    await till.open({1000: 5})
    sold = sale(line("Demi", 350, 2000), line("Tarte", 400, 550), cash=750)
    await till.deliver(till.terminal.sale_row(sold))
    await till.move("out", "supplier", 1230, note="Metro,\tglace")
    await till.move("out", "to_safe", 2000)
    await till.count({1000: 2, 200: 2, 50: 1, 20: 2})
    await till.close("30 centimes manquent")
    await till.open({1000: 3})
    await till.count({1000: 3, 2: 1})
    await till.close("une pièce en trop")
    return till


@both
async def test_an_evening_on_paper(network: Network) -> None:
    await the_evening(network)
    # The ledger knows nothing of an evening paid in cash, and the books begin with the ledger.
    await network.shift("awa", 60)
    books = await books_of(network, "raffinerie")
    made = await close(network, books)
    file = await file_of(network, books, made)
    assert [*faults(file_name(books, date(2026, 12, 31)), file)] == []
    assert [entry(file, "CA", number) for number in range(1, 7)] == [
        ["531000 D 50,00", "531800 C 50,00"],
        ["401100 D 12,30", "531000 C 12,30"],
        ["531800 D 20,00", "531000 C 20,00"],
        ["658000 D 0,30", "531000 C 0,30"],
        ["531000 D 5,10", "531800 C 5,10"],
        ["531000 D 0,02", "758300 C 0,02"],
    ]
    assert [it["EcritureLib"] for it in rows(file) if it["JournalCode"] == "CA"][::2] == [
        "Fond de caisse, clôture no 1",
        "Sortie de caisse, fournisseur : Metro, glace",
        "Sortie de caisse, coffre",
        "Écart de caisse, clôture no 1 : 30 centimes manquent",
        "Fond de caisse, clôture no 2",
        "Écart de caisse, clôture no 2 : une pièce en trop",
    ]
    assert totals(made)["531000"] == (50_00 + 7_50 + 5_10 + 2, 12_30 + 20_00 + 30)
    # What is in the drawer is what the account says.
    debit, credit = totals(made)["531000"]
    assert debit - credit == 3002


@both
async def test_a_closing_taken_in_again_or_late_is_booked_once(network: Network) -> None:
    till = await the_evening(network)
    await network.shift("awa", 60)
    books = await books_of(network, "raffinerie")
    first = await close(network, books)
    async with network.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE journal_mark SET applied = 0, head = :none"), {"none": "0" * 64})
        kept = (await connection.execute(sa.select(sa.func.count()).select_from(drawer_move))).scalar_one()
    await till.terminal.sync(till.terminal.journal.batch())
    await till.open({1000: 1})
    await till.count({500: 1})
    await till.close("un billet manque")
    async with network.engine.begin() as connection:
        now = (await connection.execute(sa.select(sa.func.count()).select_from(drawer_move))).scalar_one()
    assert (kept, now) == (6, 8)
    month = next_month(network)
    second = await close(network, books, date.fromordinal(closing.end_of(month).toordinal() + 1))
    assert "531000" in totals(first)
    # 30.02 were in it, 10.00 are laid in, 5.00 were counted.
    assert totals(second) == {"531000": (0, 2502), "531800": (2002, 0), "658000": (500, 0)}


@both
async def test_the_story_of_a_difference_leads_to_its_closing_and_to_the_books(network: Network) -> None:
    till = await the_evening(network)
    await network.shift("awa", 60)
    nadia = await network.person("nadia")
    page = await look(nadia, "/admin/exceptions")
    (case, _) = sorted({it for it in page.text.split('"') if it.startswith("/admin/exceptions/sale:")})
    page = await look(nadia, case)
    said = words(page)
    closings = [row.id for row in till.booked.values() if row.kind == "closing"]
    assert any(f'"/admin/closings/{it}"' in page.text for it in closings)
    assert "658000 Écarts de caisse, manquants, 0,30 €" in said or "758300 Écarts de caisse, excédents, 0,02 €" in said
    assert "pas encore clos" in said
    await close(network, await books_of(network, "raffinerie"))
    page = await look(nadia, case)
    assert "pas encore clos" not in words(page)
    assert "/admin/books/raffinerie/" in page.text


Step = tuple[Literal["open", "sell", "in", "out", "count"], int]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.tuples(st.sampled_from(["open", "sell", "in", "out", "count"]), st.integers(1, 5000)))))
def test_the_cash_account_moves_as_the_drawer_does(evenings: list[list[Step]]) -> None:
    held, last, before = 0, Closed(), 0
    for steps in evenings:
        period = Period()
        for number, (what, cents) in enumerate(steps):
            if what == "open":
                period.open(str(CASHIER), number, None, cents)
            elif what == "sell":
                period.figures.sell(Sold(str(number), number, (), (Paid("cash", "RAF", cents),)))
                held += cents
            elif what == "count":
                period.count({1: cents}, blind=True)
            else:
                period.figures.move(what, "other", cents)
                held += drawer.booked({"kind": "cash", "cents": cents if what == "in" else -cents, "reason": "other"})[
                    1
                ]
        row: Any = closed_row(period, last, RATES, id_=CASHIER, cashier=CASHIER, at_us=1, reason="why")
        held += float_cents(row.float_cents, before)
        held += row.difference_cents or 0
        assert held == row.drawer_cents
        last, before = row.after, row.drawer_cents
