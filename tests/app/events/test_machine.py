"""Whatever holders, a venue and a server that dies do, in whatever order: never one place more than there are, no
ticket paid without being issued, none issued without being paid, nothing given back twice or not at all."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.cards.service import add_card, balances
from app.currencies.service import currencies, rates
from app.events import orders, service
from app.events.paying import KIND, operations_of, pay, tend
from app.events.proof import wrong as wrong_orders
from app.events.refunding import refund_of, refund_of_ticket
from app.events.rules import Event, Price
from app.events.tables import event as event_table
from app.events.tables import ticket
from app.exchanges import service as exchanges
from app.exchanges.proof import wrong as wrong_exchanges
from app.forwarding import service as forwarding
from app.forwarding.proof import wrong as wrong_forwards
from app.forwarding.tables import ticket_forward
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.platform.errors import Conflict, DomainError, Forbidden
from app.returns.proof import wrong
from app.returns.service import book_back, confirm, give_back, run_of, tend_returns
from app.returns.tables import ticket_return
from app.returns.tickets import Returned, book_tickets, give_ticket_back, pending, write_down
from app.rules.ids import uuid7
from app.venues.service import venues
from tests.support.network import TEMPS, found

HOUR_US = 3_600_000_000
KEY = Ed25519PrivateKey.generate()
SETTINGS = settings(
    max_examples=12,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
picks = st.integers(0, 20)


class Sale(RuleBasedStateMachine):
    """An event of 6 places: 3 at most at a reduced price, some free. Two wallets, one of which is nearly empty."""

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
        self.full, self.reduced, self.free = uuid7(), uuid7(), uuid7()
        async with self.engine.begin() as connection:
            venue = next(iter((await venues(connection)).values()))
            self.cards = [await add_card(connection, uuid.uuid4().hex[:14].upper(), "Carte") for _ in range(2)]
            starts = now_us() + 24 * HOUR_US
            new = Event(uuid7(), venue.id, "Bal", "", "", "", starts, starts, starts + HOUR_US, 6)
            new = replace(new, refund_until_us=starts, refund_fee=1250)
            made = await service.create(connection, "test", new)
            for id_, amount, quota in ((self.full, 90, None), (self.reduced, 60, 3), (self.free, 0, 2)):
                price = Price(id_, "Tarif", "", TEMPS.code, amount, quota)
                await service.set_price(connection, "test", made.id, price)
            await service.publish(connection, "test", made.id)
            self.event = made.id
            known = await currencies(connection)
        book = currency_book(TEMPS.issuer, TEMPS.code)
        self.given = (2000, 100)
        for card, amount in zip(self.cards, self.given, strict=True):
            keys = [AccountKey(book, "issuance"), AccountKey(book, "wallet", card.owner)]
            issuance, wallet = await self.ledger.accounts(keys, rates(known))
            given = (Posting(issuance, wallet, amount),)
            await self.ledger.post_one(Operation(uuid7(), "gift", b"x" * 32, given, "test", 1, venue.day_of(now_us())))

    async def _read(self) -> Event:
        async with self.engine.connect() as connection:
            return await service.event_named(connection, self.event)

    async def _order(self, pick: int) -> orders.Order:
        async with self.engine.connect() as connection:
            return await orders.order_named(connection, self.ids[pick % len(self.ids)])

    async def _hold(self, card: int, full: int, reduced: int, free: int, *, paying: bool) -> None:
        id_, wanted = uuid7(), {self.full: full, self.reduced: reduced, self.free: free}
        with suppress(DomainError):
            made = await orders.hold(self.engine, orders.Ask(id_, self.event, self.cards[card], wanted, paying=paying))
            self.ids.append(id_)
            if paying:
                await pay(self.ledger, made)

    @rule(card=st.integers(0, 1), full=st.integers(0, 3), reduced=st.integers(0, 2), free=st.integers(0, 1))
    def hold(self, card: int, full: int, reduced: int, free: int) -> None:
        self.runner.run(self._hold(card, full, reduced, free, paying=False))

    @rule(card=st.integers(0, 1), many=st.integers(2, 4), each=st.integers(1, 2), paying=st.booleans())
    def crowd(self, card: int, many: int, each: int, paying: bool) -> None:
        async def all_at_once() -> None:
            await asyncio.gather(*(self._hold(card, each, each - 1, 0, paying=paying) for _ in range(many)))

        self.runner.run(all_at_once())

    @rule(pick=picks, twice=st.booleans())
    def pay_for(self, pick: int, twice: bool) -> None:
        async def go() -> None:
            it = await self._order(pick)
            outcomes = await asyncio.gather(*(pay(self.ledger, it) for _ in range(1 + twice)), return_exceptions=True)
            assert all(isinstance(one, orders.Order | DomainError) for one in outcomes), outcomes

        if self.ids:
            self.runner.run(go())

    @rule(pick=picks, booked=st.booleans())
    def pay_and_die(self, pick: int, booked: bool) -> None:
        """Before the ledger heard of it, or after."""

        async def go() -> None:
            it = await self._order(pick)
            if await orders.start_paying(self.engine, it) and booked and it.amount:
                await self.ledger.post(await operations_of(self.ledger, [it]))

        if self.ids:
            self.runner.run(go())

    @rule(pick=picks)
    def pay_late(self, pick: int) -> None:
        """Whoever was about to pay when it was given up comes to the ledger after all."""

        async def go() -> None:
            it = await self._order(pick)
            if it.state == "released":
                with suppress(DomainError):
                    await pay(self.ledger, it)

        if self.ids:
            self.runner.run(go())

    @rule(pick=picks)
    def give_up(self, pick: int) -> None:
        async def go() -> None:
            it = await self._order(pick)
            await asyncio.gather(*(orders.release(self.engine, it) for _ in range(2)))

        if self.ids:
            self.runner.run(go())

    @rule()
    def time_passes(self) -> None:
        async def go() -> None:
            await asyncio.gather(*(tend(self.ledger, now_us() + HOUR_US) for _ in range(2)))

        self.runner.run(go())

    @rule(sure=st.integers(0, 5))
    def cancel(self, sure: int) -> None:
        async def go() -> None:
            async with self.engine.begin() as connection:
                await service.cancel(connection, "test", self.event)

        if not sure:
            self.runner.run(go())

    @rule(twice=st.booleans(), sure=st.integers(0, 2))
    def give_back(self, twice: bool, sure: int) -> None:
        """Once it is cancelled: confirmed by one, or by two at once."""

        async def go() -> None:
            if (await self._read()).status != "cancelled":
                with pytest.raises(Conflict):
                    await confirm(self.engine, "test", self.event)
                return
            runs = await asyncio.gather(*(confirm(self.engine, "test", self.event) for _ in range(1 + twice)))
            await asyncio.gather(*(give_back(self.ledger, run) for run in runs))

        if not sure:
            self.runner.run(go())

    @rule(many=st.integers(1, 3))
    def give_back_and_die(self, many: int) -> None:
        """Before any row changes; the ledger has booked so many."""

        async def go() -> None:
            if (await self._read()).status == "cancelled":
                run = await confirm(self.engine, "test", self.event)
                async with self.engine.connect() as connection:
                    single = await pending(connection, self.event)
                await book_tickets(self.ledger, single)
                async with self.engine.connect() as connection:
                    several = await orders.orders_for(connection, self.event, ["paid"])
                await book_back(self.ledger, run, several[:many])

        self.runner.run(go())

    @rule(pick=picks, twice=st.booleans(), dies=st.booleans())
    def give_ticket_back(self, pick: int, twice: bool, dies: bool) -> None:
        """By one press, or two at once; or the server dies before the ledger hears of it."""

        async def go() -> None:
            async with self.engine.connect() as connection:
                query = sa.select(ticket.c.id, ticket.c.wallet).where(ticket.c.event == self.event)
                issued = (await connection.execute(query.order_by(ticket.c.serial))).all()
            if not issued:
                return
            of, wallet = issued[pick % len(issued)]
            asked = write_down(self.engine, of, wallet) if dies else give_ticket_back(self.ledger, of, wallet)
            more = [give_ticket_back(self.ledger, of, wallet)] if twice else []
            outcomes = await asyncio.gather(asked, *more, return_exceptions=True)
            # A cancelled event's tickets are given back all together.
            assert all(isinstance(one, Returned | Conflict) for one in outcomes), outcomes

        self.runner.run(go())

    @rule(pick=picks, to=st.integers(0, 2), twice=st.booleans(), dies=st.booleans())
    def exchange_a_ticket(self, pick: int, to: int, twice: bool, dies: bool) -> None:
        """For another price; pressed once or twice, or the server dies before the ledger hears of it."""

        async def go() -> None:
            cards, id_ = {it.wallet: it for it in self.cards}, uuid7()
            query = sa.select(ticket.c.id, ticket.c.wallet).where(ticket.c.event == self.event)
            query = query.where(ticket.c.wallet.in_(cards)).order_by(ticket.c.state != "valid", ticket.c.serial)
            async with self.engine.connect() as connection:
                # Mostly one that counts.
                issued = (await connection.execute(query.limit(4))).all()
            if not issued:
                await self._hold(0, 1, 0, 0, paying=True)
                return
            of, wallet = issued[pick % len(issued)]
            price = (self.full, self.reduced, self.free)[to]
            with pytest.MonkeyPatch.context() as patched:
                if dies:
                    patched.setattr(exchanges, "finish", self._dies)
                asked = [exchanges.exchange(self.ledger, id_, of, price, cards[wallet]) for _ in range(1 + twice)]
                outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(one, orders.Order | DomainError | ConnectionError) for one in outcomes), outcomes
            if any(isinstance(one, orders.Order | ConnectionError) for one in outcomes):
                self.ids.append(id_)

        self.runner.run(go())

    @staticmethod
    async def _dies(*_: object) -> orders.Order:
        raise ConnectionError

    @rule(pick=picks, friend=st.integers(0, 2), twice=st.booleans(), gives_back=st.sampled_from([False, False, True]))
    def hand_on(self, pick: int, friend: int, twice: bool, gives_back: bool) -> None:
        """To the other card, to nobody's, or in vain to one's own; twice at once, or while it is given back."""

        async def go() -> None:
            async with self.engine.connect() as connection:
                query = sa.select(ticket.c.id, ticket.c.wallet).where(ticket.c.event == self.event)
                query = query.where(ticket.c.state == "valid")
                issued = (await connection.execute(query.order_by(ticket.c.serial))).all()
            if not issued:
                return
            of, wallet = issued[pick % len(issued)]
            with suppress(Conflict):
                offered = await forwarding.offer(self.engine, of, wallet)
                card = None if friend == len(self.cards) else self.cards[friend]
                acts: list[Any] = [forwarding.take(self.ledger, offered.id, card) for _ in range(1 + twice)]
                if gives_back:
                    acts.append(give_ticket_back(self.ledger, of, wallet))
                outcomes = await asyncio.gather(*acts, return_exceptions=True)
                fine = (forwarding.Forward, Returned, Conflict, Forbidden)
                assert all(isinstance(one, fine) for one in outcomes), outcomes

        self.runner.run(go())

    @rule()
    def rounds(self) -> None:
        async def go() -> None:
            both = (tend_returns, exchanges.tend_exchanges)
            await asyncio.gather(*(tend_them(self.ledger) for tend_them in both * 2))

        self.runner.run(go())

    @invariant()
    def counted(self) -> None:
        if hasattr(self, "event"):
            self.runner.run(self._counted())

    async def _counted(self) -> None:
        async with self.engine.connect() as connection:
            at = await service.event_named(connection, self.event)
            made = [await orders.order_named(connection, id_) for id_ in self.ids]
            query = sa.select(ticket.c.order_id, ticket.c.price, ticket.c.serial, ticket.c.state)
            query = query.where(ticket.c.event == self.event)
            issued: list[Any] = list(await connection.execute(query.order_by(ticket.c.serial)))
            newest = await connection.scalar(sa.select(event_table.c.issued).where(event_table.c.id == self.event))
        paid, open_ = [it for it in made if it.state == "paid"], [it for it in made if it.state in {"held", "paying"}]
        refunded = [it for it in made if it.state == "refunded"]
        valid = [it for it in issued if it.state == "valid"]
        async with self.engine.connect() as connection:
            taken = sa.select(sa.func.count()).select_from(ticket_forward).where(ticket_forward.c.state == "taken")
            taken = taken.join(ticket, ticket.c.id == ticket_forward.c.ticket).where(ticket.c.event == self.event)
            handed_on = (await connection.execute(taken)).scalar_one()
        assert newest == len(issued) == sum(it.places for it in (*paid, *refunded)) + handed_on
        async with self.engine.connect() as connection:
            of = sa.select(ticket.c.order_id, ticket_return).join(ticket, ticket.c.id == ticket_return.c.ticket)
            single: list[Any] = list(await connection.execute(of.where(ticket.c.event == self.event)))
        gone = [it for it in single if it.order_id in {one.id for one in paid}]
        assert at.sold == len(valid) == sum(it.places for it in paid) - len(gone)
        assert {it.order_id for it in valid} <= {it.id for it in paid}
        assert at.held == sum(it.places for it in open_)
        assert at.sold + at.held <= at.capacity
        assert [it.serial for it in issued] == list(range(1, len(issued) + 1))
        for price in at.prices:
            assert price.sold == sum(it.price == price.id for it in valid)
            assert price.held == sum(line.quantity for it in open_ for line in it.lines if line.price == price.id)
        booked = await self.ledger.booked(self.ids)
        back = await self.ledger.booked([refund_of(id_) for id_ in self.ids])
        for it in made:
            if it.state in {"paid", "refunded"}:
                assert it.id in booked or not it.amount
            if it.state == "refunded":
                assert at.status == "cancelled"
                returned = sum(one.amount - one.fee for one in single if one.order_id == it.id)
                assert refund_of(it.id) in back or returned == it.amount
            elif it.state != "paid":
                assert refund_of(it.id) not in back
            if it.state in {"released", "held"}:
                assert it.id not in booked
        assert all(it.kind == KIND for it in booked.values())
        async with self.engine.connect() as connection:
            known = await currencies(connection)
        there = await self.ledger.booked([refund_of_ticket(it.ticket) for it in single])
        singly = [it for it in single if refund_of_ticket(it.ticket) in there]
        # Taken back whole, by the run or ticket by ticket without anything kept.
        whole = {it.id for it in made if refund_of(it.id) in back}
        for card, given in zip(self.cards, self.given, strict=True):
            mine = [it for it in made if it.wallet == card.wallet]
            spent = sum(it.amount for it in mine if it.id in booked and it.id not in whole)
            spent -= sum(
                it.amount - it.fee
                for it in singly
                if it.order_id not in whole and it.order_id in {one.id for one in mine}
            )
            assert (await balances(self.ledger, card.owner, known))[TEMPS.code] == given - spent

    def teardown(self) -> None:
        async def go() -> None:
            await tend(self.ledger, now_us() + HOUR_US)
            await exchanges.tend_exchanges(self.ledger)
            await tend_returns(self.ledger)
            at = await self._read()
            assert at.held == 0
            async with self.engine.connect() as connection:
                assert await run_of(connection, self.event) is None or at.sold == 0
            await self._counted()
            assert await wrong_orders(self.engine) + await wrong(self.engine) + await wrong_forwards(self.engine) == []
            assert await wrong_exchanges(self.engine) == []
            report = await verify(self.engine)
            assert report.ok, report.findings
            await self.ledger.stop()
            await self.engine.dispose()

        if hasattr(self, "event"):
            self.runner.run(go())
            self.runner.close()


@pytest.mark.faults
@pytest.mark.anyio
async def test_never_one_place_more_and_no_ticket_unpaid_or_unissued(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await found(connection)
    await engine.dispose()
    machine = type("SaleHere", (Sale,), {"url": database_url})
    # It has a loop of its own.
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=SETTINGS)
