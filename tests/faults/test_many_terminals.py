"""Several terminals, lines that do their worst, and processes that die: Hypothesis looks for an evening that is lost.

Real journals, taps and synchronisation against the real server. After every step: each green light has its row in the
journal, no sale is booked twice, and nothing stands that was cancelled. After each round that went through, what the
terminal believes is what the server holds. At the end everything was delivered, every green sale that nobody undid is
booked at its amount and nothing else is, and `verify` has nothing to say. HYPOTHESIS_PROFILE=long looks for hours.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.ledger.verify import verify
from app.platform.settings import Settings
from tests.app.conftest import quick
from tests.support.bars import Bar, Died, Point, Weather
from tests.support.network import BASE, CARDS, Network, network_of, running

__all__ = ["quick"]

pytestmark = pytest.mark.faults

TERMINALS = 3
FUNDS = {"awa": 1500, "basile": 400, "camille": 0}
PROFILES = {
    "default": settings(max_examples=6, stateful_step_count=25, phases=(Phase.explicit, Phase.reuse, Phase.generate)),
    "long": settings(max_examples=1000, stateful_step_count=80),
}
SETTINGS = settings(
    PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")], deadline=None, suppress_health_check=list(HealthCheck)
)

bars = st.integers(0, TERMINALS - 1)
weathers = st.sampled_from(("clear", "clear", "cut", "answer lost", "delivered twice", "held back"))
points = st.sampled_from(("before sending", "after sending", "before commit", "after commit"))

# Every sale that stands, with what it took; of one that was reversed, nothing.
STANDING = sa.text(
    "SELECT o.id, sum(t.amount) AS amount FROM operation o JOIN transfer t ON t.operation_seq = o.seq"
    " WHERE o.kind = 'sale' AND NOT EXISTS (SELECT 1 FROM operation r WHERE r.reverses = o.id) GROUP BY o.id"
)


class Evening(RuleBasedStateMachine):
    template: Path
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.held = AsyncExitStack()
        self.bars: list[Bar] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def at(self, number: int, work: Coroutine[Any, Any, Any]) -> Any:
        """Something that this terminal does, and may die of; it is back at once."""
        bar = self.bars[number]
        try:
            return self.do(work)
        except Died:
            return None
        finally:
            if bar.storm.death is not None:
                self.do(bar.die())

    @initialize()
    def open(self) -> None:
        self.do(self._open())

    async def _open(self) -> None:
        here = self.folder / uuid4().hex
        here.mkdir()
        shutil.copy(self.template, here / "comptoir.sqlite3")
        wanted = Settings(
            data=here / "data", database_url=f"sqlite+aiosqlite:///{here / 'comptoir.sqlite3'}", base_url=BASE
        )
        app = await self.held.enter_async_context(running(wanted))
        self.network: Network = await self.held.enter_async_context(network_of(app, wanted))
        for card, amount in FUNDS.items():
            if amount:
                await self.network.top_up(card, amount)
        for number in range(TERMINALS):
            self.bars.append(await Bar.opened(self.network, here / f"bar-{number}", f"Bar {number}"))
            await self.bars[-1].round()

    @rule(number=bars, card=st.sampled_from(sorted(FUNDS)), quantity=st.integers(1, 4))
    def sell(self, number: int, card: str, quantity: int) -> None:
        self.at(number, self.bars[number].sell(card, quantity))

    @rule(number=bars, card=st.sampled_from(sorted(FUNDS)), quantity=st.integers(1, 4), weather=weathers)
    def sell_as_it_turns(self, number: int, card: str, quantity: int, weather: Weather) -> None:
        """The line was good until the server was asked: whether it booked the sale is not known at the bar."""
        storm = self.bars[number].storm
        storm.weather = "clear"
        self.at(number, self.bars[number].round())
        storm.weather = weather
        self.at(number, self.bars[number].sell(card, quantity))

    @rule(number=bars, card=st.sampled_from(sorted(FUNDS)), point=points)
    def die_selling(self, number: int, card: str, point: Point) -> None:
        """Online where the weather lets it: dying with a sale at the server is what costs money."""
        self.at(number, self.bars[number].round())
        self.bars[number].storm.death = point
        self.at(number, self.bars[number].sell(card, 1))

    @rule(number=bars)
    def deliver(self, number: int) -> None:
        if self.at(number, self.bars[number].round()):
            self.do(self._agrees(self.bars[number]))

    @rule(number=bars, point=st.sampled_from(("before sending", "after sending")))
    def die_delivering(self, number: int, point: Point) -> None:
        self.bars[number].storm.death = point
        self.at(number, self.bars[number].round())

    @rule(number=bars, weather=weathers)
    def turn(self, number: int, weather: Weather) -> None:
        self.bars[number].storm.weather = weather

    @rule(number=bars, which=st.integers(0, 20))
    def arrive_late(self, number: int, which: int) -> None:
        storm = self.bars[number].storm
        if storm.late:
            self.do(storm.deliver(which))

    @rule(number=bars, which=st.integers(0, 20))
    def undo(self, number: int, which: int) -> None:
        bar = self.bars[number]
        if left := sorted(set(bar.green) - bar.undone):
            self.at(number, bar.void(left[which % len(left)]))

    @invariant()
    def what_was_green_is_kept_and_booked_once_at_most(self) -> None:
        if self.bars:
            self.do(self._kept())

    async def _kept(self) -> None:
        standing = await self._standing()
        for bar in self.bars:
            rows = await bar.sold()
            assert set(bar.green) - bar.undone <= set(rows), "a green light has its row"
            for sale, (_, amount) in bar.green.items():
                assert standing.get(sale, amount) == amount, "and is booked once, if it is booked"

    async def _agrees(self, bar: Bar) -> None:
        """Everything was delivered and the snapshot is the newest: the terminal's book is the server's."""
        assert bar.journal.waiting == 0
        for card in FUNDS:
            assert bar.believes(card) == (await self.network.holds(card))["RAF"], card

    async def _standing(self) -> dict[UUID, int]:
        async with self.network.engine.connect() as connection:
            rows = (await connection.execute(STANDING)).all()
        return {UUID(str(row.id)): int(row.amount) for row in rows}

    def teardown(self) -> None:
        try:
            if self.bars:
                self.do(self._ends())
        finally:
            for bar in self.bars:
                self.do(bar.close())
            self.do(self.held.aclose())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    async def _ends(self) -> None:
        """The night is over: the network is back, what was held back arrives, and the last rows are delivered."""
        for bar in self.bars:
            bar.storm.weather = "clear"
            while bar.storm.late:
                await bar.storm.deliver(0)
        for bar in self.bars:
            assert await bar.round()
        for bar in self.bars:
            assert await bar.round()
            await self._agrees(bar)
        standing, rows = await self._standing(), [await bar.sold() for bar in self.bars]
        wanted = {
            sale: amount for bar in self.bars for sale, (_, amount) in bar.green.items() if sale not in bar.undone
        }
        assert {sale: standing.get(sale) for sale in wanted} == wanted, "no green sale is lost"
        assert set(standing) == {sale for each in rows for sale in each}, "what is booked is what the journals say"
        taken: Counter[str] = Counter()
        for each in rows:
            for sale, row in each.items():
                taken[row.sale.card] += standing[sale]
        for card, funds in FUNDS.items():
            assert (await self.network.holds(card))["RAF"] == funds - taken[CARDS[card]], "and each was taken once"
        assert not {kind for kind, _ in await self.network.exceptions()} - {"offline-overdraft"}
        report = await verify(self.network.engine, self.network.context.keys.signing.public_key())
        assert report.ok, report.findings


def test_no_green_sale_is_lost_and_none_is_booked_twice(quick: None, sqlite_network: Path, tmp_path: Path) -> None:
    class Night(Evening):
        pass

    Night.template, Night.folder = sqlite_network, tmp_path
    run_state_machine_as_test(Night, settings=SETTINGS)
