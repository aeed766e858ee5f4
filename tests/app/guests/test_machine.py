"""Whatever buyers, those who wait, the rounds and the venue do: never one place too many, nobody overtaken, nobody
offered places twice at once."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar, cast
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.cards.service import add_card
from app.events import orders, service
from app.events.paying import pay, tend
from app.events.proof import wrong
from app.events.rules import Event, Price
from app.guests import proof, waiting
from app.guests.offering import offer
from app.guests.rules import WAIT_MAX, Waiting, next_served
from app.guests.waiting import Wish
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.database import create_engine
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.venues.service import venues
from tests.support.network import TEMPS, found

HOUR_US = 3_600_000_000
KEY = Ed25519PrivateKey.generate()
SETTINGS = settings(
    max_examples=7,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
who = st.integers(0, 3)
places = st.integers(1, 3)


class Line(RuleBasedStateMachine):
    """A free event of 4 places, 2 at most at one of its two prices. Four wallets."""

    url: ClassVar[str]

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.ids: list[UUID] = []
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.engine = create_engine(self.url)
        self.ledger = Ledger.open(self.engine, self.url, KEY)
        await self.ledger.start()
        self.prices = [uuid7(), uuid7()]
        async with self.engine.begin() as connection:
            venue = next(iter((await venues(connection)).values()))
            self.cards = [await add_card(connection, uuid.uuid4().hex[:14].upper(), "Carte") for _ in range(4)]
            starts = now_us() + 48 * HOUR_US
            new = Event(uuid7(), venue.id, "Bal", "", "", "", starts, starts, starts + HOUR_US, 4)
            made = await service.create(connection, "test", new)
            for id_, quota in zip(self.prices, (None, 2), strict=True):
                await service.set_price(connection, "test", made.id, Price(id_, "Tarif", "", TEMPS.code, 0, quota))
            await service.publish(connection, "test", made.id)
            self.event = made.id
        there = SimpleNamespace(engine=self.engine, reader=self.engine, settings=SimpleNamespace(mail="none"))
        self.context = cast("Context", there)

    async def _read(self) -> tuple[Event, list[Waiting]]:
        async with self.engine.connect() as connection:
            return await service.event_named(connection, self.event), await waiting.line_of(connection, self.event)

    async def _hold(self, card: int, price: int, many: int) -> None:
        """Whoever buys has no place that somebody waits for."""
        at, _ = await self._read()
        id_ = uuid7()
        ask = orders.Ask(id_, self.event, self.cards[card], {self.prices[price]: many})
        with suppress(DomainError):
            await orders.hold(self.engine, ask)
            self.ids.append(id_)
            seen = at.price(self.prices[price])
            assert seen is not None
            assert not seen.waiting
            assert many <= at.free

    @rule(card=who, price=st.integers(0, 1), many=places)
    def hold(self, card: int, price: int, many: int) -> None:
        self.runner.run(self._hold(card, price, many))

    @rule(card=who, price=st.integers(0, 1), many=places, twice=st.booleans())
    def join(self, card: int, price: int, many: int, twice: bool) -> None:
        async def go() -> None:
            wish = Wish(self.prices[price], min(many, WAIT_MAX))
            several = (waiting.join(self.engine, self.event, self.cards[card], wish) for _ in range(1 + twice))
            outcomes = await asyncio.gather(*several, return_exceptions=True)
            assert all(isinstance(it, Waiting | DomainError) for it in outcomes), outcomes

        self.runner.run(go())

    @rule(card=who)
    def leave(self, card: int) -> None:
        async def go() -> None:
            _, line = await self._read()
            for it in line:
                if it.wallet == self.cards[card].wallet:
                    await asyncio.gather(*(waiting.leave(self.engine, it) for _ in range(2)))

        self.runner.run(go())

    @rule(rounds=st.integers(1, 3))
    def offers(self, rounds: int) -> None:
        """Of those who wait, exactly those are asked whose turn it is; several rounds at once are one."""

        async def go() -> None:
            at, line = await self._read()
            ended = await self._ended(line)
            due = {it.id for it in next_served(at, [it for it in line if it.state == "waiting"])}
            made = await asyncio.gather(*(offer(self.context, self.event) for _ in range(rounds)))
            _, after = await self._read()
            now = {it.id: it for it in after}
            asked = {it.id for it in line if it.state == "waiting" and now[it.id].state == "offered"}
            assert asked == due
            assert sum(made) == len(due)
            assert not ended & set(now)

        self.runner.run(go())

    async def _ended(self, line: list[Waiting]) -> set[UUID]:
        """Offers that were taken, or that nobody took."""
        async with self.engine.connect() as connection:
            kept = {it.id: await orders.order_named(connection, it.order_id) for it in line if it.order_id}
        return {id_ for id_, order in kept.items() if order.state in {"paid", "released"}}

    @rule(card=who)
    def take(self, card: int) -> None:
        async def go() -> None:
            _, line = await self._read()
            for it in line:
                if it.wallet == self.cards[card].wallet and it.order_id is not None:
                    async with self.engine.connect() as connection:
                        order = await orders.order_named(connection, it.order_id)
                    with suppress(DomainError):
                        await pay(self.ledger, order)

        self.runner.run(go())

    @rule(pick=st.integers(0, 20), paid=st.booleans())
    def pay_or_give_up(self, pick: int, paid: bool) -> None:
        async def go() -> None:
            async with self.engine.connect() as connection:
                it = await orders.order_named(connection, self.ids[pick % len(self.ids)])
            if not paid:
                await orders.release(self.engine, it)
                return
            with suppress(DomainError):
                await pay(self.ledger, it)

        if self.ids:
            self.runner.run(go())

    @rule(hours=st.sampled_from([1, 24]))
    def time_passes(self, hours: int) -> None:
        self.runner.run(tend(self.ledger, now_us() + hours * HOUR_US))

    @rule(more=st.integers(1, 3))
    def enlarge(self, more: int) -> None:
        async def go() -> None:
            async with self.engine.begin() as connection:
                at = await service.event_named(connection, self.event)
                if at.capacity < 12:
                    await service.edit(connection, "test", replace(at, capacity=at.capacity + more))

        self.runner.run(go())

    @invariant()
    def counted(self) -> None:
        async def go() -> None:
            at, line = await self._read()
            assert at.held + at.sold <= at.capacity
            assert len({it.wallet for it in line}) == len(line), "once in line, and one offer at a time"
            for price in at.prices:
                wanted = [it.places for it in line if it.state == "waiting" and it.price == price.id]
                assert price.waiting == sum(wanted)
            assert await proof.wrong(self.engine) == []

        if hasattr(self, "event"):
            self.runner.run(go())

    def teardown(self) -> None:
        async def go() -> None:
            assert await wrong(self.engine) == []
            await self.ledger.stop()
            await self.engine.dispose()

        if hasattr(self, "event"):
            self.runner.run(go())
            self.runner.close()


@pytest.mark.faults
@pytest.mark.anyio
async def test_nobody_is_overtaken_and_nothing_is_offered_twice(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await found(connection)
    await engine.dispose()
    machine: Any = type("LineHere", (Line,), {"url": database_url})
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=SETTINGS)
