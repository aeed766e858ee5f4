"""Deltas: whatever changes, and whatever is lost on the way, a terminal ends up with the server's whole snapshot."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sales.card_views import View
from app.sales.deltas import Snapshots
from app.venues.service import set_price
from app.wire import SUMS, SnapshotDelta, TerminalSnapshot, card_hash
from app.wire.snapshot import SIGNATURE_HEADER
from tests.support.network import Network, Terminal, both

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def bar(network: Network) -> Terminal:
    await network.top_up("awa", 1000)
    return await network.terminal("raffinerie")


class Holder:
    """A terminal's side with nothing but JSON: what it holds is a whole snapshot and the deltas since."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.held: dict[str, object] = {}

    async def ask(self, **headers: str) -> httpx.Response:
        url = f"/api/v1/terminals/snapshot?base={self.held.get('content', '')}"
        return await self.terminal.network.client.get(url, headers={**self.terminal.headers, **headers})

    async def update(self) -> str:
        answer = await self.ask()
        if answer.status_code == 304:
            return "same"
        document = answer.json()
        if "base" not in document:
            self.held = document
            return "whole"
        delta = SnapshotDelta.model_validate(document)
        assert delta.base == self.held["content"]
        cards = {it["uid"]: it for it in self.held["cards"]}  # type: ignore[attr-defined]
        cards = {uid: it for uid, it in cards.items() if uid not in delta.gone}
        cards |= {it["uid"]: it for it in document["cards"]}
        self.held |= {**document["head"], "cards": list(cards.values()), "content": delta.content}
        return "delta"

    def content(self) -> TerminalSnapshot:
        whole = TerminalSnapshot.model_validate_json(json.dumps(self.held))
        cards = tuple(sorted(whole.cards, key=lambda card: card.uid))
        return whole.model_copy(update={"at_us": 0, "cards": cards})


@both
async def test_after_each_change_a_delta_makes_the_whole(network: Network, bar: Terminal) -> None:
    holder, beside = Holder(bar), await network.terminal("raffinerie", "Terrasse")
    assert await holder.update() == "whole"
    assert await holder.update() == "same"
    product = next(it for it in holder.content().products if it.names["fr"] == "Eau")

    async def cheaper() -> None:
        async with network.engine.begin() as connection:
            await set_price(connection, product.id, "RAF", 80)

    sale = bar.sale("awa", {"Eau": 1})
    changes: list[Callable[[], object]] = [
        lambda: network.top_up("basile", 5),
        lambda: bar.sell(sale),
        lambda: bar.deliver(bar.sale_row(sale, mode="online")),
        lambda: network.block("basile"),
        lambda: beside.sell("awa", {"Eau": 1}),
        lambda: beside.deliver(beside.sale_row("awa", {"Eau": 20})),
        lambda: network.hired("marie"),
        cheaper,
        lambda: network.post("marie", f"/terminals/{beside.id}/revoke"),
    ]
    for number, change in enumerate(changes):
        await change()  # type: ignore[misc]
        assert await holder.update() == "delta", number
        fresh = Holder(bar)
        await fresh.update()
        assert holder.content() == fresh.content(), number


async def test_a_delta_is_small_and_has_only_what_changed(network: Network, bar: Terminal) -> None:
    holder = Holder(bar)
    await holder.update()
    await network.top_up("basile", 5)
    document = (await holder.ask()).json()
    assert (len(document["cards"]), document["gone"], document["head"]) == (1, [], {})


async def test_an_answer_that_was_lost_is_asked_for_again(network: Network, bar: Terminal) -> None:
    holder = Holder(bar)
    await holder.update()
    for amount in (1, 2):
        await network.top_up("awa", amount)
        await holder.ask()
    assert await holder.update() == "delta"
    fresh = Holder(bar)
    await fresh.update()
    assert holder.content() == fresh.content()


async def test_a_process_that_knows_nothing_of_the_base_sends_the_whole(network: Network, bar: Terminal) -> None:
    holder = Holder(bar)
    await holder.update()
    await network.top_up("awa", 1)
    network.app.state.snapshots = Snapshots(network.context.reader, network.context.keys.signing)
    assert await holder.update() == "whole"


async def test_a_download_goes_on_where_it_broke_off(network: Network, bar: Terminal) -> None:
    holder = Holder(bar)
    whole = await holder.ask()
    tag = whole.headers["etag"]
    # What has changed meanwhile does not matter: these are the bytes that were begun.
    await network.top_up("awa", 1)
    url, range_ = "/api/v1/terminals/snapshot", {"Range": "bytes=100-", "If-Range": tag}
    async with network.client.stream("GET", url, headers={**bar.headers, **range_}) as rest:
        packed = b"".join([chunk async for chunk in rest.aiter_raw()])
    assert (rest.status_code, rest.headers[SIGNATURE_HEADER]) == (206, whole.headers[SIGNATURE_HEADER])
    size = 100 + len(packed)
    assert rest.headers["content-range"] == f"bytes 100-{size - 1}/{size}"
    assert gzip.decompress(gzip.compress(whole.content, 6)[:100] + packed) == whole.content
    other = await holder.ask(**{"Range": "bytes=100-", "If-Range": '"another"'})
    assert other.status_code == 200


CARD = st.one_of(st.none(), st.binary(min_size=1, max_size=3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abcde"), CARD), max_size=40), st.integers(0, 40))
def test_a_view_tells_what_changed_since_any_version(changes: list[tuple[str, bytes | None]], at: int) -> None:
    view = View(frozenset())
    for uid, card in changes[:at]:
        view.put(uid, card)
    before, version = dict(view.cards), view.version
    for uid, card in changes[at:]:
        view.put(uid, card)
    named = view.since(version)
    assert {uid for uid in before.keys() | view.cards.keys() if before.get(uid) != view.cards.get(uid)} <= set(named)
    for uid in named:
        before.pop(uid, None)
        if (card := view.cards.get(uid)) is not None:
            before[uid] = card
    assert before == view.cards
    assert view.total == sum(map(card_hash, view.cards.values())) % SUMS
