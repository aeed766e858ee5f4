"""What was loaded when and is still there, and what is said of what will stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.dashboards.unspent_view import AHEAD
from app.ledger.figures.dailies import loads
from app.ledger.figures.follow import catch_up
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import currency_book, reserve_book
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.wire import VoidRow
from tests.support.network import Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio


async def loaded_daily(network: Network, days: int, cents: int) -> None:
    """Awa loads so much online on each of the last days."""
    keys = [
        AccountKey(reserve_book("network"), "clearing", "sandbox"),
        AccountKey(reserve_book("network"), "liability", "RAF"),
        AccountKey(currency_book("network", "RAF"), "issuance"),
        AccountKey(currency_book("network", "RAF"), "wallet", network.cards["awa"].owner),
    ]
    clearing, liability, issuance, wallet = await network.ledger.accounts(keys, {"RAF": 1})
    today = network.venues["raffinerie"].day_of(now_us())
    await network.ledger.post(
        [
            Operation(
                id=uuid7(),
                kind="topup.online",
                fingerprint=bytes(32),
                postings=(Posting(clearing, liability, cents), Posting(issuance, wallet, cents)),
                actor="test",
                occurred_at_us=now_us(),
                business_day=today - timedelta(back),
            )
            for back in range(days, 0, -1)
        ]
    )


@both
async def test_what_a_void_gives_back_was_loaded_once(network: Network) -> None:
    await loaded_daily(network, 3, 1000)
    bar = await network.terminal("raffinerie")
    mistake = bar.sale("awa", {"Demi": 2})
    assert (await bar.sell(mistake)).status_code == 201
    assert (await bar.sell("awa", {"Demi": 4})).status_code == 201
    void = VoidRow(id=uuid7(), sale=mistake.id, at_us=now_us(), reason="Erreur", cashier=None)
    # Without network, Basile pays what he loads afterwards.
    await bar.deliver(void, bar.sale_row("basile", {"Eau": 3}))
    await network.top_up("basile", 500)
    await catch_up(network.engine)
    today = network.venues["raffinerie"].day_of(now_us())
    found = await loads(network.context.reader, today - timedelta(10))
    # Of 7 + 14 €, 7 came back: of the oldest day 6 € are left, for what it had given last came back first.
    assert sum(it.left for it in found) == 3000 - 1400 + 500 - 300
    assert [it.amount for it in found] == [1000, 1000, 1000, 200]
    assert all(it.left <= it.amount for it in found)
    assert await loads(network.context.reader, today) == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_the_page_says_what_it_knows_and_nothing_more(network: Network) -> None:
    nadia = await network.person("nadia")
    assert "0,00 €" in words(await look(nadia, "/admin/circulation/unspent"))
    await loaded_daily(network, 70, 1000)
    said = words(await look(nadia, "/admin/circulation/unspent"))
    assert "Maintenant 700,00 € sur les cartes Dans 7 jours 700,00 €" in said, "nobody spends"
    assert f"Dans {AHEAD[2]} jours trop peu d’historique" in said
    assert "Ce n’est pas une promesse" in said
    assert "Jours depuis la recharge" in said
    table = (await look(nadia, "/admin/circulation/unspent/file/forecast.csv")).text
    assert "Dans 30 jours;700,00;100,0" in table
    assert (await look(await network.person("marie"), "/admin/circulation/unspent")).status_code == 403
    assert "/admin/circulation/unspent" in (await look(nadia, "/admin/circulation")).text
    assert "/admin/circulation/unspent" not in (await look(await network.person("marie"), "/admin/circulation")).text
