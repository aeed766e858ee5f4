"""Whatever a venue, holders online, two terminals without network and a server that takes rows in twice do, in whatever
order: never one place more than there are, and every ticket that was paid at a till is issued, once."""

from __future__ import annotations

import asyncio
import base64
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.cards.service import add_card
from app.currencies.service import currencies, rates
from app.events import orders, service
from app.events import proof as events_proof
from app.events.paying import pay, tend
from app.events.rules import Event, Price
from app.events.tables import ticket
from app.leases import rows as lease_rows
from app.leases import selling
from app.leases.proof import wrong
from app.leases.service import lend, stock_of
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.sales import rows as sale_rows
from app.sales.booking import Counter
from app.sales.intake import book
from app.sales.service import counter_of
from app.terminals.rows import Exceptions
from app.terminals.service import Terminal, make_pairing_code, pair
from app.venues.service import venues
from app.wire import AnyRow, PairingRequest, Sale, SaleLine, SaleRow, Tender, TicketsBackRow, VoidRow
from tests.support.network import TEMPS, found

HOUR_US = 3_600_000_000
KEY = Ed25519PrivateKey.generate()
HANDLERS = {**sale_rows.HANDLERS, **lease_rows.HANDLERS}
SETTINGS = settings(
    max_examples=6,
    stateful_step_count=20,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
picks = st.integers(0, 20)
tills = st.integers(0, 1)


@dataclass
class Till:
    """A terminal with what it knows: `stock` as it was told, `gone` by its own rows; `journal`, of which the server
    has booked `heard` rows."""

    counter: Counter
    stock: dict[UUID, UUID] = field(default_factory=dict)
    keep: dict[UUID, int] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    journal: list[AnyRow] = field(default_factory=list)
    heard: int = 0

    def left(self, price: UUID) -> list[UUID]:
        return sorted(id_ for id_, of in self.stock.items() if of == price and id_ not in self.gone)


class Tills(RuleBasedStateMachine):
    """An event of 8 places: 4 at most at a reduced price. Two terminals, two cards."""

    url: ClassVar[str]

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.engine = create_engine(self.url)
        self.ledger = Ledger.open(self.engine, self.url, KEY)
        await self.ledger.start()
        self.full, self.reduced = uuid7(), uuid7()
        self.cost = {self.full: 900, self.reduced: 600}
        async with self.engine.begin() as connection:
            venue = next(it for it in (await venues(connection)).values() if it.slug == "raffinerie")
            self.cards = [await add_card(connection, uuid.uuid4().hex[:14].upper(), "Carte") for _ in range(2)]
            starts = now_us() + 24 * HOUR_US
            new = Event(uuid7(), venue.id, "Bal", "", "", "", starts, starts, starts + HOUR_US, 8)
            await service.create(connection, "test", new)
            for id_, quota in ((self.full, None), (self.reduced, 4)):
                await service.set_price(
                    connection, "test", new.id, Price(id_, "Tarif", "", TEMPS.code, self.cost[id_], quota)
                )
            await service.publish(connection, "test", new.id)
            known = await currencies(connection)
        here = [await self._paired(venue.id) for _ in range(2)]
        self.tills = [Till(await counter_of(self.engine, it.id, it.epoch)) for it in here]
        book_of = currency_book(TEMPS.issuer, TEMPS.code)
        for card, amount in zip(self.cards, (100_000, 1000), strict=True):
            keys = [AccountKey(book_of, "issuance"), AccountKey(book_of, "wallet", card.owner)]
            issuance, purse = await self.ledger.accounts(keys, rates(known))
            given = (Posting(issuance, purse, amount),)
            await self.ledger.post_one(Operation(uuid7(), "gift", b"x" * 32, given, "test", 1, venue.day_of(now_us())))
        self.event = new.id

    async def _paired(self, venue: UUID) -> Terminal:
        public = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
        async with self.engine.begin() as connection:
            code = await make_pairing_code(connection, venue, "Caisse")
        return await pair(self.engine, PairingRequest(code=code, public_key=public, version="test", kind="till"))

    @rule(at=tills, full=st.integers(0, 5), reduced=st.integers(0, 3))
    def lend(self, at: int, full: int, reduced: int) -> None:
        async def go() -> None:
            to = self.tills[at].counter.terminal
            with suppress(DomainError):
                async with self.engine.begin() as connection:
                    await lend(connection, "test", self.event, to, {self.full: full, self.reduced: reduced})

        self.runner.run(go())

    @rule(at=tills)
    def look(self, at: int) -> None:
        """The terminal hears of its stock, and gives back what it has too many."""
        self.runner.run(self._look(self.tills[at]))

    async def _look(self, till: Till) -> None:
        async with self.engine.connect() as connection:
            told = await stock_of(connection, till.counter.terminal, KEY)
        for price in told.prices:
            till.stock |= {it.id: price.id for it in price.tickets}
            till.keep[price.id] = price.keep
            if spare := till.left(price.id)[price.keep :]:
                till.gone.update(spare)
                till.journal.append(TicketsBackRow(id=uuid7(), tickets=tuple(spare), at_us=now_us()))

    @rule(at=tills, card=st.integers(0, 1), full=st.integers(0, 2), reduced=st.integers(0, 2))
    def sell(self, at: int, card: int, full: int, reduced: int) -> None:
        """Without network, whatever became of the event."""
        till, lines = self.tills[at], []
        for price, many in ((self.full, full), (self.reduced, reduced)):
            if ids := till.left(price)[:many]:
                till.gone.update(ids)
                named = {"product": price, "name": "Bal", "tickets": tuple(ids)}
                lines.append(SaleLine(quantity=len(ids), unit_price=self.cost[price], currency=TEMPS.code, **named))
        if lines:
            owed = sum(it.quantity * it.unit_price for it in lines)
            sale = Sale(
                id=uuid7(),
                card=self.cards[card].uid,
                lines=tuple(lines),
                tenders=(Tender(currency=TEMPS.code, amount=owed),),
                occurred_at_us=now_us(),
            )
            till.journal.append(SaleRow(mode="offline", sale=sale))

    @rule(at=tills, pick=picks)
    def void(self, at: int, pick: int) -> None:
        till = self.tills[at]
        sold = [it.sale.id for it in till.journal if isinstance(it, SaleRow)]
        if sold:
            row = VoidRow(id=uuid7(), sale=sold[pick % len(sold)], reason="Trompé", at_us=now_us())
            till.journal.append(row)

    @rule(at=tills, many=st.integers(1, 6), twice=st.booleans(), dies=st.booleans())
    def deliver(self, at: int, many: int, twice: bool, dies: bool) -> None:
        """Some rows; two processes take them in at once, or one that dies before it has noted how far it came."""
        self.runner.run(self._deliver(self.tills[at], many, twice=twice, dies=dies))

    async def _deliver(self, till: Till, many: int, *, twice: bool, dies: bool) -> None:
        rows = till.journal[till.heard : till.heard + many]
        async with asyncio.TaskGroup() as group:
            for _ in range(1 + twice):
                group.create_task(self._book(till, rows))
        if not dies:
            till.heard += len(rows)

    async def _book(self, till: Till, rows: list[AnyRow]) -> None:
        exceptions = Exceptions()
        await book(self.ledger, till.counter, [(None, row) for row in rows], HANDLERS, exceptions)  # type: ignore[misc]
        assert {kind for _, kind, _ in exceptions.found} <= {"offline-overdraft"}, exceptions.found

    @rule(card=st.integers(0, 1), full=st.integers(0, 3), reduced=st.integers(0, 2), crowd=st.integers(1, 3))
    def order(self, card: int, full: int, reduced: int, crowd: int) -> None:
        async def one() -> None:
            wanted = {self.full: full, self.reduced: reduced}
            with suppress(DomainError):
                ask = orders.Ask(uuid7(), self.event, self.cards[card], wanted, paying=True)
                await pay(self.ledger, await orders.hold(self.engine, ask))

        async def all_at_once() -> None:
            await asyncio.gather(*(one() for _ in range(crowd)))

        self.runner.run(all_at_once())

    @rule(sure=st.integers(0, 5))
    def cancel(self, sure: int) -> None:
        async def go() -> None:
            async with self.engine.begin() as connection:
                await service.cancel(connection, "test", self.event)

        if not sure:
            self.runner.run(go())

    @invariant()
    def counted(self) -> None:
        if hasattr(self, "event"):
            self.runner.run(self._counted())

    async def _counted(self) -> None:
        assert await wrong(self.engine) + await events_proof.wrong(self.engine) == []
        async with self.engine.connect() as connection:
            at = await service.event_named(connection, self.event)
            rows = list(await connection.execute(sa.select(ticket).where(ticket.c.event == self.event)))
        assert at.sold + at.held + at.leased <= at.capacity
        # What a terminal may still sell, or sold and has not told, is lent still: nobody else can have it.
        unheard = sum(
            len(line.tickets)
            for till in self.tills
            for row in till.journal[till.heard :]
            if isinstance(row, SaleRow) and not {it.id for it in rows} & set(row.sale.lines[0].tickets)
            for line in row.sale.lines
        )
        assert at.leased >= unheard + sum(len(till.left(id_)) for till in self.tills for id_ in self.cost)

    def teardown(self) -> None:
        async def go() -> None:
            for till in self.tills:
                await self._deliver(till, len(till.journal), twice=True, dies=False)
            await tend(self.ledger, now_us() + HOUR_US)
            assert await selling.tend(self.ledger) == 0
            await self._counted()
            async with self.engine.connect() as connection:
                rows = list(await connection.execute(sa.select(ticket.c.id, ticket.c.state)))
            states = {row.id: row.state for row in rows}
            for till in self.tills:
                undone = {it.sale for it in till.journal if isinstance(it, VoidRow)}
                for row in till.journal:
                    if isinstance(row, SaleRow):
                        ids = [id_ for it in row.sale.lines for id_ in it.tickets]
                        assert {states[id_] for id_ in ids} == {"void" if row.sale.id in undone else "valid"}
            report = await verify(self.engine)
            assert report.ok, report.findings
            await self.ledger.stop()
            await self.engine.dispose()

        if hasattr(self, "event"):
            self.runner.run(go())
            self.runner.close()


@pytest.mark.faults
@pytest.mark.anyio
async def test_never_one_place_more_and_whatever_a_till_sold_is_issued_once(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await found(connection)
    await engine.dispose()
    machine = type("TillsHere", (Tills,), {"url": database_url})
    # It has a loop of its own.
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=SETTINGS)
