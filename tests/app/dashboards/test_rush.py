"""How busy tills are, and what they still hold."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.dashboards.day_reading import sold_since
from app.dashboards.rules.rush import HOUR_US, SALES_LEAST, STEP_US, STEPS, paces, slowest
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.terminals.tables import terminal
from app.wire import Rest, Sale, SaleRow, VoidRow
from tests.support.network import Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000_000
ONE, TWO = UUID(int=1), UUID(int=2)


@given(st.lists(st.tuples(st.sampled_from([ONE, TWO]), st.integers(NOW - 2 * HOUR_US, NOW + STEP_US))))
def test_each_sale_of_the_last_hour_counts_once(sold: list[tuple[UUID, int]]) -> None:
    found = paces(sold, NOW)
    recent = Counter(it for it, at_us in sold if at_us > NOW - HOUR_US)
    assert {it: pace.sales for it, pace in found.items()} == recent
    assert all(len(pace.steps) == STEPS and min(pace.steps) >= 0 for pace in found.values())
    assert all((pace.apart_s is None) == (pace.sales < SALES_LEAST) for pace in found.values())


def test_the_slowest_is_the_one_whose_sales_lie_furthest_apart() -> None:
    quick = [(ONE, NOW - number * 20_000_000) for number in range(10)]
    slow = [(TWO, NOW - number * 95_000_000) for number in range(6)]
    found = paces(quick + slow, NOW)
    assert (found[ONE].apart_s, found[TWO].apart_s) == (20, 95)
    assert (found[ONE].steps[-1], found[TWO].steps[-2:]) == (10, (2, 4))
    assert slowest(found) == TWO
    assert slowest(paces(quick, NOW)) is None, "one alone is neither quick nor slow"
    assert slowest(paces([*quick, *slow[:4]], NOW)) is None


async def sales(network: Network) -> None:
    """Raffinerie's bar sells twice by card and once in cash, takes one back, and sold once two hours ago."""
    await network.top_up("awa", 5000)
    bar, canal = await network.terminal("raffinerie", "Grand bar"), await network.terminal("canal", "Comptoir")
    lines = bar.sale("awa", {"Demi": 1}).lines
    cash = (Rest(means="cash", covers="RAF", amount=350),)
    in_cash = Sale(id=uuid7(), card="", lines=lines, tenders=(), rest=cash, occurred_at_us=now_us())
    rows = [bar.sale_row("awa", {"Demi": 1}) for _ in range(2)]
    old = bar.sale_row("awa", {"Demi": 1}, at_us=now_us() - 2 * HOUR_US)
    await bar.deliver(old, *rows, SaleRow(mode="offline", sale=in_cash))
    await bar.deliver(VoidRow(id=uuid7(), sale=rows[0].sale.id, reason="Erreur", at_us=now_us(), cashier=None))
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(terminal).where(terminal.c.id == canal.id).values(waiting=7))


@both
async def test_sales_by_card_and_without_count_where_they_were_made(network: Network) -> None:
    await sales(network)
    now, at = now_us(), {it.id: it for it in network.venues.values()}
    found = paces(await sold_since(network.ledger, at, now - HOUR_US, now), now)
    assert [it.sales for it in found.values()] == [3], "it was sold, whether it was taken back or not"


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_the_page_says_who_sells_and_who_holds_something(network: Network) -> None:
    await sales(network)
    nadia, sana = await network.person("nadia"), await network.person("sana")
    said = words(await look(nadia, "/admin/rush"))
    assert "Ventes de la dernière heure 3 Lignes à envoyer 7" in said
    assert "Grand bar Raffinerie 3 0,1 3 –" in said
    assert "Comptoir Canal 7 –" in said
    theirs = words(await look(sana, "/admin/rush"))
    assert "Grand bar" in theirs
    assert "Comptoir Canal" not in theirs
    assert "Chaque caisse a envoyé tout" in theirs
    assert 'data-live="waiting"' in (await look(sana, "/admin/rush/now")).text
    assert (await look(sana, f"/admin/rush?venue={network.venues['canal'].id}")).status_code == 403
    assert "Grand bar;Raffinerie;3;" in (await look(nadia, "/admin/rush/file/tills.csv")).text
