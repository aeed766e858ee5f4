"""Many requests at once, as on a full evening: nothing is booked twice and nothing below zero."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from app.ledger.rules.operations import Entry, Outcome
from app.ledger.service import Ledger
from app.rules.ids import uuid7
from app.topups import service as topups
from app.topups.sandbox import Sandbox
from app.venues.service import the_network
from tests.support.network import CARDS, RAF, Network

pytestmark = pytest.mark.anyio


async def test_of_forty_sales_on_half_the_money_exactly_half_are_booked(network: Network) -> None:
    await network.top_up("awa", 2000)
    bars = [await network.terminal("raffinerie", f"Bar {number}") for number in range(4)]
    answers = await asyncio.gather(*(bars[number % 4].sell("awa", {"Eau": 1}) for number in range(40)))
    assert Counter(it.status_code for it in answers) == {201: 20, 402: 20}
    left = sorted(it.json()["balances"]["RAF"] for it in answers if it.status_code == 201)
    assert left == [100 * n for n in range(20)], "each was told another balance"
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
    assert await network.claims("raffinerie") == {"RAF": 2000}


async def test_thirty_times_the_same_sale_is_booked_once_and_answered_alike(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Eau": 1})
    answers = await asyncio.gather(*(bar.sell(sale) for _ in range(30)))
    assert Counter(it.status_code for it in answers) == {201: 1, 200: 29}
    assert len({it.content for it in answers}) == 1
    assert await network.holds("awa") == {"RAF": 1900, "TEMPS": 0}


async def test_a_sale_online_and_its_row_by_sync_at_once_are_one_sale(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sales = [bar.sale("awa", {"Eau": 1}) for _ in range(10)]
    batch = bar.journal.batch(bar.journal.add(*(bar.sale_row(sale) for sale in sales)))
    answers = await asyncio.gather(
        *(bar.sell(sale) for sale in sales), *(bar.sync(batch) for _ in range(3)), *(bar.sell(sale) for sale in sales)
    )
    assert {it.status_code for it in answers} <= {200, 201}
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}


async def test_the_same_top_up_in_cash_many_times_at_once_is_one(network: Network) -> None:
    key, body = uuid7(), {"card": CARDS["awa"], "currency": "RAF", "amount": 1500}
    path = f"/venues/{network.venues['raffinerie'].id}/topups"
    await network.person("lucas")
    answers = await asyncio.gather(*(network.post("lucas", path, body, key) for _ in range(20)))
    assert {it.status_code for it in answers} == {201}
    assert len({it.content for it in answers}) == 1
    assert await network.holds("awa") == {"RAF": 1500, "TEMPS": 0}


async def test_a_payment_that_many_learn_of_at_once_is_credited_once(network: Network) -> None:
    provider = Sandbox(network.engine, "http://server.test")
    async with network.context.reader.connect() as connection:
        known = await the_network(connection)
    id_ = uuid7()
    begun, url = await topups.begin(
        network.engine, provider, known, network.cards["awa"], RAF, 2000, "http://server.test/back/{id}", id_
    )
    await provider.finish(url.rsplit("/", 1)[-1], "paid")
    states = await asyncio.gather(
        *(
            topups.settle(network.engine, network.ledger, provider, {"RAF": RAF}, "Europe/Paris", begun.id)
            for _ in range(20)
        )
    )
    assert {it.status for it in states} == {"credited"}
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


async def test_reads_and_writes_of_everything_at_once_all_succeed(network: Network) -> None:
    """On SQLite everybody waits for one lock; nobody may be told that the database is locked."""
    await network.top_up("awa", 10_000)
    bar = await network.terminal("raffinerie")
    batch = bar.journal.batch(bar.journal.add(bar.sale_row("awa", {"Eau": 1})))
    await network.person("nadia")
    answers = await asyncio.gather(
        *(bar.sell("awa", {"Eau": 1}) for _ in range(10)),
        *(bar.sync(batch) for _ in range(5)),
        *(bar.snapshot() for _ in range(5)),
        *(network.get("nadia", path) for path in ("/positions", "/reserve", "/exceptions", "/terminals")),
        *(network.post("nadia", f"/cards/{CARDS['basile']}/{state}") for state in ("blocked", "active") * 6),
    )
    assert [it.text for it in answers if not it.is_success] == []


async def test_a_sale_that_a_row_of_changes_overtakes_is_booked_all_the_same(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    await network.top_up("awa", 10_000)
    bar = await network.terminal("raffinerie")
    await network.person("nadia")
    changes, post = iter(("blocked", "active") * 3), Ledger.post

    async def overtaken(self: Ledger, entries: Sequence[Entry]) -> list[Outcome]:
        if (state := next(changes, None)) is not None:
            await network.post("nadia", f"/cards/{CARDS['basile']}/{state}")
        return await post(self, entries)

    monkeypatch.setattr(Ledger, "post", overtaken)
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 201
    assert next(changes, None) is None
