"""Passes, subscriptions and single orders for the same three dates, at once and by servers that die: never one place
more than there are, a pass whole or not at all, and every cent of it where its places are."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import ClassVar
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import add_card
from app.currencies.service import currencies, rates
from app.events import orders, service
from app.events import paying as places
from app.events import proof as events_proof
from app.events.rules import Event, Price
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.ledger.verify import verify
from app.passes import paying, plans, sales, tending
from app.passes.proof import wrong
from app.passes.rules import Date, Plan
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.venues.service import venues
from tests.support.network import TEMPS, found

HOUR_US = 3_600_000_000
KEY = Ed25519PrivateKey.generate()
SETTINGS = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
picks = st.integers(0, 20)
cards = st.integers(0, 1)


class Season(RuleBasedStateMachine):
    """Three dates of 2, 3 and 4 places. A pass for all at 100, a subscription to two of them at 75; the second card can
    pay one of them, and not two."""

    url: ClassVar[str]

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.sold: list[UUID] = []
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.engine = create_engine(self.url)
        self.ledger = Ledger.open(self.engine, self.url, KEY)
        await self.ledger.start()
        self.at, self.prices = [], []
        async with self.engine.begin() as connection:
            venue = next(iter((await venues(connection)).values()))
            self.cards = [await add_card(connection, uuid.uuid4().hex[:14].upper(), "Carte") for _ in range(2)]
            starts = now_us() + 24 * HOUR_US
            for capacity in (2, 3, 4):
                new = Event(uuid7(), venue.id, "Bal", "", "", "", starts, starts, starts + HOUR_US, capacity)
                made = await service.create(connection, "test", new)
                price = Price(uuid7(), "Tarif", "", TEMPS.code, 40)
                await service.set_price(connection, "test", made.id, price)
                await service.publish(connection, "test", made.id)
                self.at.append(made.id)
                self.prices.append(price.id)
            dates = tuple(Date(*it) for it in zip(self.at, self.prices, (1, 2, 4), strict=True))
            self.plans = [
                Plan(uuid7(), venue.id, "pass", "Les trois", "", TEMPS.code, 100, 3, 5, dates=dates),
                Plan(uuid7(), venue.id, "subscription", "Deux sur trois", "", TEMPS.code, 75, 2, dates=dates),
            ]
            for plan in self.plans:
                await plans.make(connection, "test", plan)
            known = await currencies(connection)
        book = currency_book(TEMPS.issuer, TEMPS.code)
        for card, amount in zip(self.cards, (2000, 110), strict=True):
            keys = [AccountKey(book, "issuance"), AccountKey(book, "wallet", card.owner)]
            issuance, wallet = await self.ledger.accounts(keys, rates(known))
            given = (Posting(issuance, wallet, amount),)
            await self.ledger.post_one(Operation(uuid7(), "gift", b"x" * 32, given, "test", 1, venue.day_of(now_us())))

    async def _sales(self, connection: AsyncConnection) -> list[sales.Sale]:
        return [await sales.sale_named(connection, id_) for id_ in self.sold]

    async def _sale(self, pick: int) -> sales.Sale:
        async with self.engine.connect() as connection:
            return await sales.sale_named(connection, self.sold[pick % len(self.sold)])

    async def _buy(self, card: int, kind: int, *, pays: bool) -> None:
        id_ = uuid7()
        with suppress(DomainError):
            made = await sales.hold(self.engine, self.plans[kind].id, self.cards[card], id_)
            self.sold.append(id_)
            if pays:
                await paying.pay(self.ledger, made)

    async def _order(self, card: int, date: int) -> None:
        with suppress(DomainError):
            ask = orders.Ask(uuid7(), self.at[date], self.cards[card], {self.prices[date]: 1}, paying=True)
            await places.pay(self.ledger, await orders.hold(self.engine, ask))

    @rule(card=cards, kind=st.integers(0, 1), pays=st.booleans(), many=st.integers(1, 3), others=st.integers(0, 2))
    def crowd(self, card: int, kind: int, pays: bool, many: int, others: int) -> None:
        async def all_at_once() -> None:
            buying = [self._buy(card, kind, pays=pays) for _ in range(many)]
            await asyncio.gather(*buying, *(self._order(1 - card, date) for date in range(others)))

        self.runner.run(all_at_once())

    @rule(pick=picks, twice=st.booleans())
    def pay_for(self, pick: int, twice: bool) -> None:
        async def go() -> None:
            it = await self._sale(pick)
            done = await asyncio.gather(
                *(paying.pay(self.ledger, it) for _ in range(1 + twice)), return_exceptions=True
            )
            assert all(isinstance(one, sales.Sale | DomainError) for one in done), done

        if self.sold:
            self.runner.run(go())

    @rule(pick=picks, dies=st.integers(0, 2))
    def pay_and_die(self, pick: int, dies: int) -> None:
        """Before the ledger heard of it, after, or when some of its places are paid."""

        async def go() -> None:
            it = await self._sale(pick)
            if not await sales.start_paying(self.engine, it) or not dies:
                return
            with suppress(DomainError):
                await self.ledger.post_one(await paying._operation(self.ledger, it))
                if dies == 2:
                    await sales.mark_paid(self.engine, it)
                    async with self.engine.connect() as connection:
                        mine = await orders.orders_paid_by(connection, [it.id])
                    await self.ledger.post(await places.operations_of(self.ledger, mine[:1]))

        if self.sold:
            self.runner.run(go())

    @rule(pick=picks)
    def give_up(self, pick: int) -> None:
        async def go() -> None:
            it = await self._sale(pick)
            await asyncio.gather(*(sales.release(self.engine, it) for _ in range(2)))

        if self.sold:
            self.runner.run(go())

    @rule(pick=picks, date=st.integers(0, 2), also=st.integers(0, 2), dies=st.booleans())
    def choose(self, pick: int, date: int, also: int, dies: bool) -> None:
        async def go() -> None:
            it = await self._sale(pick)
            card = next(card for card in self.cards if card.wallet == it.wallet)
            if dies:
                with suppress(DomainError):
                    await sales.choose(self.engine, it.id, card, self.at[date])
                return
            done = await asyncio.gather(
                *(paying.choose(self.ledger, it.id, card, self.at[one]) for one in (date, also)),
                return_exceptions=True,
            )
            assert all(isinstance(one, orders.Order | DomainError) for one in done), done

        if self.sold:
            self.runner.run(go())

    @rule(date=st.integers(0, 2), sure=st.integers(0, 6))
    def cancel(self, date: int, sure: int) -> None:
        async def go() -> None:
            async with self.engine.begin() as connection:
                await service.cancel(connection, "test", self.at[date])

        if not sure:
            self.runner.run(go())

    @rule()
    def time_passes(self) -> None:
        async def go() -> None:
            later = now_us() + HOUR_US
            await asyncio.gather(*(tending.tend(self.ledger, later) for _ in range(2)))
            await places.tend(self.ledger, later)

        self.runner.run(go())

    @invariant()
    def whole_or_not_at_all(self) -> None:
        if hasattr(self, "plans"):
            self.runner.run(self._whole())

    async def _whole(self) -> None:
        async with self.engine.connect() as connection:
            for it in await self._sales(connection):
                mine = await orders.orders_paid_by(connection, [it.id])
                if it.plan == self.plans[0].id:
                    assert len(mine) == 3
                    assert sorted(one.amount for one in mine) == [14, 29, 57]
                    assert all((one.state == "released") == (it.state == "released") for one in mine)
                else:
                    assert len(mine) <= 2
                    assert sum(one.amount for one in mine) <= 75
            for event in await service.events(connection, ids=self.at):
                at = await service.event_named(connection, event)
                assert at.sold + at.held <= at.capacity
        assert await events_proof.wrong(self.engine) == []

    def teardown(self) -> None:
        async def go() -> None:
            for _ in range(2):
                await tending.tend(self.ledger, now_us() + HOUR_US)
            await places.tend(self.ledger, now_us() + HOUR_US)
            await self._whole()
            assert await wrong(self.engine) == []
            async with self.engine.connect() as connection:
                assert {it.state for it in await self._sales(connection)} <= {"paid", "released"}
            # When its dates are over, nothing is set aside for anybody.
            await tending.tend(self.ledger, now_us() + 99 * HOUR_US)
            assert await wrong(self.engine) == []
            assert sum(it.balance for it in await self.ledger.balances(kinds=["fund"])) == 0
            report = await verify(self.engine)
            assert report.ok, report.findings
            await self.ledger.stop()
            await self.engine.dispose()

        if hasattr(self, "plans"):
            self.runner.run(go())
            self.runner.close()


@pytest.mark.faults
@pytest.mark.anyio
async def test_a_pass_is_whole_or_not_at_all(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await found(connection)
    await engine.dispose()
    machine = type("SeasonHere", (Season,), {"url": database_url})
    # It has a loop of its own.
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=SETTINGS)
