"""Loads against spends, and what is in circulation: to the cent what the positions and the ledger say."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.currencies.service import currencies
from app.dashboards.rules.flows import LEAST_SHOWN, Flows, Step, Stretch, by_stretch, first_moved, stretches
from app.ledger.figures.dailies import Daily, Stocks, dailies, stocks
from app.ledger.figures.follow import catch_up
from app.moneys.service import in_circulation
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.settlement.periods import periods
from app.wire import VoidRow
from tests.support.network import TEMPS, Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


async def evening(network: Network) -> None:
    """Awa loads 20 €, pays two Demi and takes them back, pays one; Basile pays one with 5 € that he loaded at Canal,
    and a second one, without network, that he has not the money for. Camille was given an hour."""
    await network.top_up("awa", 2000)
    await network.top_up("basile", 500, "canal")
    await network.issue("camille", TEMPS, 60)
    bar = await network.terminal("raffinerie")
    mistake = bar.sale("awa", {"Demi": 2})
    for answer in (await bar.sell(mistake), await bar.sell("awa", {"Demi": 1}), await bar.sell("basile", {"Demi": 1})):
        assert answer.status_code == 201, answer.text
    await bar.deliver(
        VoidRow(id=uuid7(), sale=mistake.id, at_us=now_us(), reason="Erreur", cashier=None),
        bar.sale_row("basile", {"Demi": 1}),
    )


@both
async def test_they_are_what_the_positions_and_the_ledger_say(network: Network) -> None:
    await evening(network)
    await catch_up(network.engine)
    today = max(it.day_of(now_us()) for it in network.venues.values())
    first = today - timedelta(2)
    async with network.context.reader.connect() as connection:
        known = await currencies(connection)
    held = await periods(network.ledger, network.venues.values(), known, first, today)
    shown = [Stretch(first, today)]
    for at in held.venues:
        moved = await dailies(network.context.reader, first, today, [at.venue.id])
        for code in known:
            (flows,) = by_stretch((it for it in moved if it.currency == code), shown).values()
            taken = at.taken[code]
            assert flows.spent == taken.flows["sold"].amount + taken.flows["taken_back"].amount
            assert flows.loaded == taken.aside["loaded"].amount
            assert flows.left == taken.aside["refunded"].amount
    found = await stocks(network.context.reader, first)
    now = await in_circulation(network.ledger, known)
    purses: dict[str, int] = {}
    for row in await network.ledger.balances(kinds=["wallet", "overdraft"]):
        purses[row.key.book.currency] = purses.get(row.key.book.currency, 0) + row.balance
    for code in known:
        before, after = found.at_end_of(code, [first, today])
        assert before == (0, 0)
        assert after == (now[code], purses[code])
    assert now == {"RAF": 2500, "TEMPS": 60}
    assert purses["RAF"] == 2500 - 3 * 350


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_the_page_says_them_and_each_reader_sees_their_venues(network: Network) -> None:
    await evening(network)
    nadia, yann = await network.person("nadia"), await network.person("yann")
    said = words(await look(nadia, "/admin/circulation"))
    assert "Chargé sur des cartes 25,00 € Dépensé avec des cartes 10,50 € En circulation 25,00 €" in said
    assert "25,00 € 14,50 €" in said, "of it on cards, less the two euros that Basile owes"
    theirs = await look(yann, "/admin/circulation?days=365")
    assert "Chargé sur des cartes 5,00 € Dépensé avec des cartes 0,00 € En circulation 25,00 €" in words(theirs)
    assert "Heures" in words(theirs)
    raffinerie = network.venues["raffinerie"].id
    assert (await look(yann, f"/admin/circulation?venue={raffinerie}")).status_code == 403
    hours = words(await look(nadia, "/admin/circulation?money=TEMPS&days=91"))
    assert "En circulation 1 h" in hours
    table = (await look(nadia, "/admin/circulation/file/circulation.csv?money=RAF")).text.removeprefix("\ufeff")
    newest = list(csv.reader(io.StringIO(table), delimiter=";"))[1]
    assert newest[1:] == ["25,00", "14,50"]
    assert "<svg" in (await look(nadia, "/admin/circulation/file/loads.svg")).text


@given(DAYS, st.integers(0, 400), st.sampled_from(["day", "week", "month"]))
def test_stretches_are_all_the_days_once_and_in_order(first: date, days: int, step: Step) -> None:
    last = first + timedelta(days)
    found = stretches(first, last, step)
    assert found[0].first == first
    assert found[-1].last == last
    assert all(it.first <= it.last for it in found)
    assert all(after.first == before.last + timedelta(1) for before, after in pairwise(found))
    for it in found[1:]:
        assert step == "day" or (it.first.weekday() == 0 if step == "week" else it.first.day == 1)


_MOVED = st.builds(
    Daily,
    st.dates(date(2026, 1, 1), date(2026, 1, 20)),
    st.just("RAF"),
    st.sampled_from(["sale", "sale.reversal", "topup.cash", "topup.cash.reversal", "refund"]),
    st.sampled_from(["issuance", "wallet", "overdraft", "claim"]),
    st.sampled_from(["issuance", "wallet", "overdraft", "claim"]),
    st.integers(1, 1000),
)


@given(st.lists(_MOVED), st.sampled_from(["day", "week", "month"]))
def test_the_sums_are_the_same_however_days_are_put_together(moved: list[Daily], step: Step) -> None:
    whole = Flows()
    for it in moved:
        whole.add(it)
    parts = by_stretch(moved, stretches(date(2026, 1, 1), date(2026, 1, 20), step)).values()
    assert sum(it.loaded for it in parts) == whole.loaded
    assert sum(it.spent for it in parts) == whole.spent
    assert sum(it.left for it in parts) == whole.left


def test_a_money_that_is_new_is_shown_from_its_first_day() -> None:
    some, none = Flows(loaded=1), Flows()
    assert first_moved([none] * 20 + [some] * 10, [(0, 0)] * 20 + [(1, 1)] * 10) == 20
    assert first_moved([none] * 29 + [some], [(0, 0)] * 29 + [(1, 1)]) == 30 - LEAST_SHOWN
    assert first_moved([none] * 30, [(5, 0)] * 30) == 0, "nothing moved, and something was there"
    assert first_moved([none] * 3, [(0, 0)] * 3) == 0


def test_what_there_was_is_what_there_is_less_what_came_since() -> None:
    one, two = date(2026, 1, 1), date(2026, 1, 2)
    found = Stocks({"RAF": 50}, {"RAF": 30}, {("RAF", two): (20, 5), ("TEMPS", two): (7, 7)})
    assert found.at_end_of("RAF", [one, two]) == [(30, 25), (50, 30)]
