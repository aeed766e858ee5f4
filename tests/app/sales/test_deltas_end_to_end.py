"""Whatever changes in a network, and whatever the line does to it, a terminal holds what a whole snapshot would say.

Real server, real worker and snapshot file: Hypothesis sells, tops up, blocks, prices, hires, pairs and revokes,
restarts either side and breaks lines in the middle of an answer. After each round that went through, what the terminal
made of deltas is compared with a whole snapshot asked for at the same moment.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.cards.service import add_card
from app.platform.settings import Settings
from app.sales.deltas import Snapshots
from app.terminals.service import revoke
from app.venues.service import set_accepted
from app.wire.snapshot import SIGNATURE_HEADER
from readers.sync import Received, SnapshotFile
from readers.sync.snapshots import is_delta, read_snapshot
from tests.support.bars import Bar, Storm
from tests.support.network import ACCEPTED, BASE, Network, network_of, running

SETTINGS = settings(
    max_examples=4,
    stateful_step_count=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
Fault = Literal["none", "breaks off", "altered", "an older one"]


class Line(Storm):
    """`fault` befalls the next answer that is a snapshot; `kinds` counts what went over."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.fault: Fault = "none"
        self.kinds: Counter[str] = Counter()
        self._older: tuple[httpx.Headers, bytes] | None = None

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        answer = await super()._answered(request)
        if not request.url.path.endswith("/snapshot") or answer.status_code not in {200, 206}:
            return answer
        raw, fault = b"".join([chunk async for chunk in answer.aiter_raw()]), self.fault
        delta = answer.status_code == 200 and is_delta(gzip.decompress(raw))
        self.kinds["delta" if delta else "rest" if answer.status_code == 206 else "whole"] += 1
        headers = answer.headers
        if fault == "breaks off" and len(raw) > 1:
            self.fault = "none"
            return httpx.Response(answer.status_code, headers=headers, content=_broken(raw[: len(raw) // 2]))
        if delta and fault == "altered":
            self.fault = "none"
            body = gzip.decompress(raw)
            raw = gzip.compress(body.replace(b'"version":1', b'"version":1 ', 1))
        elif delta and fault == "an older one" and self._older:
            self.fault = "none"
            headers, raw = self._older
        elif delta:
            self._older = headers, raw
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(raw))


async def _broken(part: bytes) -> AsyncIterator[bytes]:
    yield part
    raise httpx.ReadError("the line broke")


async def opened(network: Network, folder: Path) -> tuple[Bar, Line]:
    bar, line = await Bar.opened(network, folder, "Bar"), Line(network)
    bar.storm = line
    await bar.die()
    return bar, line


async def holds_the_whole(network: Network, bar: Bar) -> None:
    """A whole snapshot, asked for now, says what the terminal holds."""
    held = bar.worker._held
    assert held is not None
    answer = await network.client.get("/api/v1/terminals/snapshot?plans=true", headers=bar.server._bearer())
    pairing, signature = bar.journal.pairing, answer.headers[SIGNATURE_HEADER]
    whole = read_snapshot(answer.content, signature, pairing.server_key, pairing.device)
    assert _content(held) == _content(whole)


def _content(it: Received) -> tuple[object, ...]:
    return it.head.model_copy(update={"at_us": 0}), dict(it.cards), it.total, it.base


class Changes(RuleBasedStateMachine):
    template: Path
    folder: Path
    kinds: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.held = AsyncExitStack()
        self.others: list[UUID] = []
        self.cards = 0

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def open(self) -> None:
        self.do(self._open())

    async def _open(self) -> None:
        self.here = self.folder / uuid4().hex
        self.here.mkdir()
        shutil.copy(self.template, self.here / "comptoir.sqlite3")
        wanted = Settings(
            data=self.here / "data", database_url=f"sqlite+aiosqlite:///{self.here / 'comptoir.sqlite3'}", base_url=BASE
        )
        app = await self.held.enter_async_context(running(wanted))
        self.network: Network = await self.held.enter_async_context(network_of(app, wanted))
        self.bar, self.line = await opened(self.network, self.here / "bar")
        await self.bar.round()

    @rule(
        what=st.sampled_from(("top up", "sell", "sell offline", "block", "price", "card", "hire", "pair", "revoke")),
        card=st.sampled_from(("awa", "basile", "camille")),
        amount=st.integers(1, 3000),
        looks=st.booleans(),
    )
    def change(self, what: str, card: str, amount: int, looks: bool) -> None:
        network = self.network
        self.line.weather = "cut" if what == "sell offline" else "clear"
        if what == "top up":
            card = card if network.cards[card].status == "active" else "camille"
            self.do(network.top_up(card, amount))
        elif what.startswith("sell"):
            self.do(self.bar.sell(card, 1 + amount % 3))
        elif what == "block" and card != "camille":
            self.do(network.block(card, "blocked" if network.cards[card].status == "active" else "active"))
        elif what == "price":
            self.do(network.price("raffinerie", "Demi", "RAF", amount))
        elif what == "hire":
            self.do(network.hired("marie"))
        elif what == "pair":
            self.others.append(self.do(network.terminal("raffinerie", f"Bar {amount}")).id)
        else:
            self.do(self._in_the_database(what))
        self.line.weather = "clear"
        if looks:
            self.update("none")

    async def _in_the_database(self, what: str) -> None:
        async with self.network.engine.begin() as connection:
            if what == "card":
                self.cards += 1
                await add_card(connection, f"04B{self.cards:011X}", f"Carte {self.cards}")
            elif what == "revoke" and self.others:
                await revoke(connection, self.others.pop())

    @rule(what=st.sampled_from(("server", "terminal", "accepted", "lost answer")), codes=st.booleans())
    def disturb(self, what: str, codes: bool) -> None:
        """What a terminal holds is no base any more, or may not be the one that the server thinks of."""
        self.do(self._disturb(what, codes))

    async def _disturb(self, what: str, codes: bool) -> None:
        if what == "server":
            context = self.network.context
            self.network.app.state.snapshots = Snapshots(context.reader, context.keys.signing)
        elif what == "terminal":
            await self.bar.worker._keep()
            await self.bar.die()
        elif what == "accepted":
            async with self.network.engine.begin() as connection:
                accepted = ACCEPTED["raffinerie"] if codes else ("RAF",)
                await set_accepted(connection, self.network.venues["raffinerie"].id, accepted)
        else:
            self.line.weather = "answer lost"
            await self.bar.round()
            self.line.weather = "clear"

    @rule(fault=st.sampled_from(("none", "none", "breaks off", "altered", "an older one")))
    def update(self, fault: Fault) -> None:
        before, self.line.fault = Counter(self.line.kinds), fault
        while not self.do(self.bar.round()):
            assert self.line.fault == "none", "only what befell the line keeps a round from going through"
        self.line.fault = "none"
        if fault == "none":
            assert (self.line.kinds - before).total() <= 1, "no delta of the server's own is refused"
        self.do(holds_the_whole(self.network, self.bar))

    def teardown(self) -> None:
        try:
            self.update("none")
            self.kinds.update(self.line.kinds)
        finally:
            self.do(self.bar.close())
            self.do(self.held.aclose())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


def test_a_terminal_holds_what_a_whole_snapshot_says(quick: None, sqlite_network: Path, tmp_path: Path) -> None:
    class Season(Changes):
        template, folder, kinds = sqlite_network, tmp_path, Counter[str]()

    run_state_machine_as_test(Season, settings=SETTINGS)
    assert Season.kinds["delta"] > 0 < Season.kinds["whole"], "neither of them alone is what this is about"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["altered", "an older one"])
async def test_for_a_delta_that_is_refused_the_whole_is_asked_for(
    network: Network, tmp_path: Path, fault: Fault
) -> None:
    bar, line = await opened(network, tmp_path / "bar")
    try:
        assert await bar.round()
        for amount in (5, 7):
            await network.top_up("awa", amount)
            before, line.fault = Counter(line.kinds), fault if amount == 7 else "none"
            assert await bar.round()
        assert line.kinds - before == Counter(delta=1, whole=1)
        assert bar.believes("awa") == 12
        await holds_the_whole(network, bar)
        await network.top_up("awa", 1)
        before = Counter(line.kinds)
        assert await bar.round()
        assert line.kinds - before == Counter(delta=1), "and from there deltas go on"
        kept = SnapshotFile(bar.folder / "snapshot").load(bar.journal.pairing.server_key, bar.journal.pairing.device)
        assert kept is not None
        assert bar.worker._held is not None
        assert _content(kept) == _content(bar.worker._held)
    finally:
        await bar.close()
