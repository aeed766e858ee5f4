"""One month at a bar, on paper: what was sold and loaded, and what both sets of books say of it.

Awa loads 50.00 online and 20.00 in cash at the Raffinerie. She pays two beers (3.50 each, 20 % VAT) and a pie (4.00,
5.5 %) and a cup (1.00 set aside) with her card. Somebody pays a beer in cash, and a cup. A beer is taken back.
"""

from __future__ import annotations

from datetime import date

import pytest

from app.accounting.books import closing
from app.accounting.books.fec import file_name
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.sales.closings import archive
from app.sales.closings import store as closings
from app.sales.closings.store import Sealed
from app.wire import VoidRow
from tests.support.books import SIREN, books_of, close, file_of, line, next_month, online, sale
from tests.support.fec_rule import cents, faults, rows
from tests.support.network import Network, Terminal


def totals(sealed: Sealed) -> dict[str, tuple[int, int]]:
    assert sealed.document.books is not None
    return {number: (it.debit, it.credit) for number, it in sealed.document.books.accounts.items()}


def entry(file: bytes, journal: str, number: int) -> list[str]:
    """An entry as on paper: account, party, what stands on which side."""
    return [
        f"{it['CompteNum']}{' ' + it['CompAuxNum'] if it['CompAuxNum'] else ''} D {it['Debit']}"
        if it["Debit"] != "0,00"
        else f"{it['CompteNum']}{' ' + it['CompAuxNum'] if it['CompAuxNum'] else ''} C {it['Credit']}"
        for it in rows(file)
        if (it["JournalCode"], it["EcritureNum"]) == (journal, str(number))
    ]


async def the_month(network: Network) -> Terminal:
    await online(network, "awa", 5000)
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    cup = line("Gobelet", 100, kind="deposit")
    bought = [line("Demi", 350, 2000, 2), line("Tarte", 400, 550), cup]
    by_hand = sale(line("Demi", 350, 2000), cup, cash=450)
    wrong = sale(line("Demi", 350, 2000), cash=350)
    await bar.deliver(
        bar.sale_row(sale(*bought, card="awa")),
        bar.sale_row(by_hand),
        bar.sale_row(wrong),
        VoidRow(id=uuid7(), sale=wrong.id, reason="Erreur", cashier=None, at_us=now_us()),
    )
    return bar


async def test_both_sets_of_books_say_what_happened(network: Network) -> None:
    await the_month(network)
    own, bars = await books_of(network, "network"), await books_of(network, "raffinerie")
    theirs, its = await close(network, own), await close(network, bars)

    file = await file_of(network, own, theirs)
    assert [*faults(file_name(own, date(2026, 12, 31)), file)] == []
    assert entry(file, "RE", 1) == ["511500 D 50,00", "165100 C 50,00"]
    assert entry(file, "RE", 2) == ["467100 RAFFINERIE D 20,00", "165100 C 20,00"]
    assert entry(file, "VE", 1) == ["165100 D 12,00", "419600 C 1,00", "467200 RAFFINERIE C 11,00"]
    assert totals(theirs) == {
        "165100": (1200, 7000),
        "419600": (0, 100),
        "467100": (2000, 0),
        "467200": (0, 1100),
        "511500": (5000, 0),
    }

    file = await file_of(network, bars, its)
    assert [*faults(file_name(bars, date(2026, 12, 31)), file)] == []
    assert entry(file, "CA", 1) == ["531000 D 20,00", "467820 C 20,00"]
    # 7.00 at 20 % hold 1.17 of tax, 4.00 at 5.5 % hold 0.21.
    assert entry(file, "VE", 1) == [
        *("467810 RAF D 11,00", "44571055 C 0,21", "44571200 C 1,17", "707055 C 3,79", "707200 C 5,83"),
    ]
    # 3.50 at 20 % hold 0.58.
    assert entry(file, "VE", 2) == ["531000 D 4,50", "419600 C 1,00", "44571200 C 0,58", "707200 C 2,92"]
    assert entry(file, "VE", 3) == ["531000 D 3,50", "44571200 C 0,58", "707200 C 2,92"]
    assert entry(file, "VE", 4) == ["44571200 D 0,58", "707200 D 2,92", "531000 C 3,50"]
    assert next(it["EcritureLib"] for it in rows(file) if it["EcritureNum"] == "4") == "Annulation d'une vente"


async def test_what_comes_in_late_is_in_the_next_month_with_its_own_day(network: Network) -> None:
    bar = await the_month(network)
    books = await books_of(network, "raffinerie")
    first = await close(network, books)
    before = await file_of(network, books, first)
    late = sale(line("Demi", 350, 2000), card="awa")
    await bar.deliver(bar.sale_row(late), bar.sale_row(sale(line("Eau", 100), cash=100)))

    month = next_month(network)
    second = await close(network, books, date.fromordinal(closing.end_of(month).toordinal() + 1))
    assert await file_of(network, books, first) == before
    if books.exercise(month) == books.exercise(first.document.day):
        both = await file_of(network, books, first, second)
        assert [*faults(f"{SIREN}FEC{closing.end_of(month):%Y%m%d}.txt", both)] == []
        added = rows(both)[len(rows(before)) :]
        assert [it["EcritureNum"] for it in added if it["CompteNum"] == "531000"] == ["6"]
        (there,) = {(it["EcritureDate"], it["PieceDate"]) for it in added if it["PieceRef"] == str(late.id)}
        assert there == (f"{month:%Y%m%d}", f"{network.venues['raffinerie'].day_of(late.occurred_at_us):%Y%m%d}")


async def test_the_archive_is_checked_without_the_server(network: Network) -> None:
    await the_month(network)
    books = await books_of(network, "raffinerie")
    await close(network, books)
    key = network.context.keys.signing
    async with network.engine.connect() as connection:
        chains = await closings.chains_at(connection, books.id)
    text = archive.write(chains, books.id, key, now_us())
    assert archive.check(text, key.public_key()).findings == ()
    for before, after in (('\\"perpetual_cents\\":', '\\"perpetual_cents\\":1'), ('\\"first\\":1,', '\\"first\\":2,')):
        assert before in text
        assert archive.check(text.replace(before, after), key.public_key()).findings


async def test_what_the_books_say_is_what_the_ledger_holds(network: Network) -> None:
    await the_month(network)
    held: dict[str, int] = {}
    for row in await network.ledger.balances():
        held[row.key.kind] = held.get(row.key.kind, 0) + row.balance
    own, bars = await books_of(network, "network"), await books_of(network, "raffinerie")
    theirs, its = await close(network, own), await close(network, bars)
    found = {number: debit - credit for number, (debit, credit) in totals(theirs).items()}
    assert (-found["165100"], -found["467200"], -found["419600"]) == (held["wallet"], held["claim"], held["deposit"])
    assert (found["511500"], found["467100"]) == (held["clearing"], held["due_from"])
    here = {number: debit - credit for number, (debit, credit) in totals(its).items()}
    assert (here["467810"], -here["467820"]) == (held["claim"], held["due_from"])
    for books, month in ((own, theirs), (bars, its)):
        written = rows(await file_of(network, books, month))
        for side, column in ((0, "Debit"), (1, "Credit")):
            told = sum(cents(it[column]) for it in written)
            assert told == sum(sums[side] for sums in totals(month).values())


async def test_a_year_ends_and_the_next_begins_with_what_it_left(network: Network) -> None:
    """Sales of 5.83 and so on are the year's result; what is owed and held goes on."""
    await the_month(network)
    month = next_month(network)
    bars = await books_of(network, "raffinerie", year_starts=month.month)
    last = await close(network, bars)
    following = await close(network, bars, date.fromordinal(closing.end_of(month).toordinal() + 1))
    async with network.engine.connect() as connection:
        year = await closings.newest(connection, bars.id, "books_year")
        chains = await closings.chains_at(connection, bars.id)
    assert year is not None
    assert year.document.books is not None
    assert last.document.books is not None
    assert following.document.books is not None
    assert year.document.parts[0].digest == last.digest.hex()
    assert (year.document.books.cents, year.document.books.last_day) == (
        last.document.books.cents,
        closing.end_of(last.document.day),
    )
    assert following.document.books.exercise == last.document.books.exercise + 1
    file = await file_of(network, bars, following)
    assert [*faults(f"{SIREN}FEC{closing.end_of(month):%Y%m%d}.txt", file)] == []
    # 5.83 + 3.79 + 2.92 + 2.92 - 2.92 were sold without tax.
    assert entry(file, "AN", 1) == [
        *("467810 RAF D 11,00", "531000 D 24,50", "120000 C 12,54", "419600 C 1,00"),
        *("44571055 C 0,21", "44571200 C 1,75", "467820 C 20,00"),
    ]
    key = network.context.keys.signing
    assert archive.check(archive.write(chains, bars.id, key, now_us()), key.public_key()).findings == ()


@pytest.mark.parametrize("slug", ["network", "raffinerie"])
async def test_nothing_happened_is_a_month_too(network: Network, slug: str) -> None:
    await network.shift("awa", 90)
    made = await close(network, await books_of(network, slug))
    assert made.document.books is not None
    assert (made.document.books.entries, totals(made)) == (0, {})
