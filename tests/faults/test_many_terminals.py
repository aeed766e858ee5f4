"""Several terminals, lines that do their worst, and processes that die: Hypothesis looks for an evening that is lost.

Real journals, taps and synchronisation against the real server. After every step: each green light has its row in the
journal, no sale is booked twice, and nothing stands that was cancelled. After each round that went through, what the
terminal believes is what the server holds, and which cards are blocked. At the end everything was delivered, every
green sale that nobody undid is booked at its amount and nothing else is, and `verify` has nothing to say.
HYPOTHESIS_PROFILE=long looks for hours.

It has teeth: what it is there to find is put into the program, one fault at a time, and each is found.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace as renewed

from app.ledger.verify import verify
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.sales import card_views, intake
from app.sales.plain import PlainSaleRow
from app.venues.rules import NetworkSettings
from app.venues.service import set_network
from app.wire import JournalRow, SaleRow, TerminalSnapshot
from readers.terminal.book import Mark
from readers.till.tap import Tap, Try
from tests.app.conftest import quick
from tests.conftest import copied
from tests.support.bars import Bar, Died, Point, Weather
from tests.support.network import BASE, CARDS, Network, network_of, running

__all__ = ["quick"]

pytestmark = pytest.mark.faults

TERMINALS = 3
FUNDS = {"awa": 3000, "basile": 400, "camille": 0}
# Less than four waters cost: of such a sale, which the server was asked about in vain, the terminal says no by itself.
ALONE_MAX = 250
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


class Databases(Protocol):
    """Where each evening gets a copy of the small network's database: its URL, for as long as it lasts."""

    def __call__(self, folder: Path) -> AbstractAsyncContextManager[str]: ...


class Evening(RuleBasedStateMachine):
    databases: Databases
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.blocked: set[str] = set()
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
        url = await self.held.enter_async_context(type(self).databases(here))
        wanted = Settings(data=here / "data", database_url=url, base_url=BASE)
        app = await self.held.enter_async_context(running(wanted))
        self.network: Network = await self.held.enter_async_context(network_of(app, wanted))
        async with self.network.engine.begin() as connection:
            limits = NetworkSettings(card_limits={"RAF": {"C": (ALONE_MAX, 4000, 10)}})
            await set_network(connection, "Les Comptoirs liés", limits)
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

    @rule(number=bars, weather=st.sampled_from(("answer lost", "held back")))
    def ask_in_vain(self, number: int, weather: Weather) -> None:
        """More than the terminal may decide alone: it says no, and the server may have said yes."""
        self.sell_as_it_turns(number, "awa", 4, weather)

    @rule(card=st.sampled_from(("basile", "camille")))
    def block_or_release(self, card: str) -> None:
        self.blocked ^= {card}
        self.do(self.network.block(card, "blocked" if card in self.blocked else "active"))

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
        """Everything was delivered and the snapshot is the newest."""
        assert bar.journal.waiting == 0
        bar.denied = set(self.blocked)
        for card in FUNDS:
            held = (await self.network.holds(card))["RAF"]
            assert bar.believes(card) == held, "the terminal's book is the server's"

    async def _standing(self) -> dict[UUID, int]:
        async with self.network.engine.connect() as connection:
            rows = (await connection.execute(STANDING)).all()
        return {UUID(str(row.id)): int(row.amount) for row in rows}

    def teardown(self) -> None:
        try:
            if self.bars:
                self.do(self._ends())
        finally:
            self.close()

    def close(self) -> None:
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
        # What a blocked card was to pay waits in suspense for a person.
        waits = -(await self.network.suspense()).get("RAF", 0)
        for card, funds in FUNDS.items():
            missing = taken[CARDS[card]] - (funds - (await self.network.holds(card))["RAF"])
            assert 0 <= missing <= (waits if card != "awa" else 0), "each was taken once"
            waits -= missing
        assert waits == 0, "and nobody else pays for it"
        assert not {kind for kind, _ in await self.network.exceptions()} - {"offline-overdraft", "blocked-card"}
        report = await verify(self.network.engine, self.network.context.keys.signing.public_key())
        assert report.ok, report.findings


@pytest.fixture
def night(request: pytest.FixtureRequest, quick: None, tmp_path: Path, database_kind: str) -> type[Evening]:
    if database_kind == "sqlite":
        template: Path = request.getfixturevalue("sqlite_network")

        @asynccontextmanager
        async def databases(folder: Path) -> AsyncIterator[str]:
            shutil.copy(template, folder / "comptoir.sqlite3")
            yield f"sqlite+aiosqlite:///{folder / 'comptoir.sqlite3'}"

    else:
        server, source = request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_network")

        @asynccontextmanager
        async def databases(folder: Path) -> AsyncIterator[str]:
            async with copied(server, source) as url:
                yield url

    class Night(Evening):
        pass

    Night.databases, Night.folder = staticmethod(databases), tmp_path
    return Night


def test_no_green_sale_is_lost_and_none_is_booked_twice(night: type[Evening], database_kind: str) -> None:
    few = settings(SETTINGS, max_examples=max(2, SETTINGS.max_examples // 3))
    run_state_machine_as_test(night, settings=SETTINGS if database_kind == "sqlite" else few)


# What it must find


def a_cancel_left_out(patch: pytest.MonkeyPatch) -> None:
    remember = Tap._remember_refusal

    async def forgetful(self: Tap, it: Try, reason: Refusal, *, cancel: bool) -> None:
        await remember(self, it, reason, cancel=False)

    patch.setattr(Tap, "_remember_refusal", forgetful)


def a_resent_batch_booked_twice(patch: pytest.MonkeyPatch) -> None:
    keep, read, seen = intake._keep, intake.read_row, set[str]()

    async def keep_as_new(*given: Any) -> Any:
        batch = given[2]
        _, new, _, forked = await keep(*given)
        return list(batch.rows), new, batch.rows[0].sequence - 1, forked

    def under_a_new_id(row: JournalRow) -> intake.Read | None:
        payload = read(row)
        if row.hash in seen and isinstance(payload, SaleRow):
            return payload.model_copy(update={"sale": payload.sale.model_copy(update={"id": uuid7()})})
        if row.hash in seen and isinstance(payload, PlainSaleRow):
            return renewed(payload, sale=renewed(payload.sale, id=uuid7()))
        seen.add(row.hash)
        return payload

    patch.setattr(intake, "_keep", keep_as_new)
    patch.setattr(intake, "read_row", under_a_new_id)


def a_deny_list_that_is_lost(patch: pytest.MonkeyPatch) -> None:
    views = card_views.SnapshotCard

    def active(**given: Any) -> Any:
        return views(**{**given, "status": "active"})

    patch.setattr(card_views, "SnapshotCard", active)


def a_mark_one_too_low(patch: pytest.MonkeyPatch) -> None:
    _move_mark(patch, -1)


def a_mark_one_too_high(patch: pytest.MonkeyPatch) -> None:
    _move_mark(patch, 1)


def _move_mark(patch: pytest.MonkeyPatch, by: int) -> None:
    of = Mark.of

    def moved(snapshot: TerminalSnapshot) -> Mark:
        return replace(of(snapshot), through=of(snapshot).through + by)

    patch.setattr(Mark, "of", moved)


def asked_in_vain(it: Evening) -> None:
    it.ask_in_vain(0, "answer lost")


def sent_twice(it: Evening) -> None:
    it.turn(0, "cut")
    it.sell(0, "awa", 1)
    it.turn(0, "delivered twice")
    it.deliver(0)
    it.turn(0, "clear")


def blocked(it: Evening) -> None:
    it.block_or_release("camille")
    it.deliver(0)
    it.turn(0, "cut")
    it.sell(0, "camille", 1)
    it.turn(0, "clear")


def sold_and_undone(it: Evening) -> None:
    it.sell(0, "awa", 2)
    it.deliver(0)
    it.undo(0, 0)
    it.deliver(0)


# With the steps that lead to each, and what is said when it is found.
FAULTS = {
    a_cancel_left_out: (asked_in_vain, "what is booked is what the journals say"),
    a_resent_batch_booked_twice: (sent_twice, "what is booked is what the journals say"),
    a_deny_list_that_is_lost: (blocked, "what is on the deny list pays nothing here"),
    a_mark_one_too_low: (sold_and_undone, "the terminal's book is the server's"),
    a_mark_one_too_high: (sold_and_undone, "what was taken back is there again"),
}


def play(night: type[Evening], *steps: Callable[[Evening], None]) -> None:
    """An evening by the book, with its invariants after each step."""
    it = night()
    try:
        it.open()
        for step in steps:
            step(it)
            it.what_was_green_is_kept_and_booked_once_at_most()
    except BaseException:
        it.close()
        raise
    it.teardown()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_same_evening_without_a_fault_is_a_good_one(night: type[Evening]) -> None:
    play(night, *dict.fromkeys(steps for steps, _ in FAULTS.values()))


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_it_finds(fault: Callable[[pytest.MonkeyPatch], None], night: type[Evening]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        steps, said = FAULTS[fault]
        with pytest.raises(AssertionError, match=said):
            play(night, steps)
