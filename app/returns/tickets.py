"""One ticket given back by its holder, by the event's rules: until when, and for what fee.

That it is given back is written first, with the ticket's state and its free place, in one transaction under the event's
lock: a cancellation and a second press wait for it. What comes back is then booked under an id that follows from the
ticket; whoever dies in between leaves a row without its booking, which the rounds make good.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.door.tables import passage
from app.events.orders import Order, order_named
from app.events.refunding import refund_of_ticket, uncount
from app.events.rules import Event, fee_of
from app.events.service import event_named
from app.events.tables import event, ticket, ticket_exchange, ticket_order
from app.events.tickets import Ticket
from app.ledger.rules.operations import Operation
from app.ledger.service import BookedOperation, Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, NotFound
from app.returns.tables import ticket_return, ticket_return_booked
from app.venues.service import venues

_log = structlog.get_logger("comptoir.returns")

KEPT: Final = "ticket-kept"


@dataclass(frozen=True, slots=True)
class Offer:
    """A ticket that may be given back. `amount`: what was paid for it, `fee`: what the venue keeps of that; minor units
    of the order's money."""

    ticket: Ticket
    order: Order
    event: Event
    amount: int
    fee: int

    @property
    def back(self) -> int:
        return self.amount - self.fee


@dataclass(frozen=True, slots=True)
class Returned:
    """As `Offer`, once it was given back. `actor`: the wallet's name, as its operation has it."""

    ticket: UUID
    amount: int
    fee: int
    actor: str
    at_us: int

    @property
    def back(self) -> int:
        return self.amount - self.fee


async def offer_for(connection: AsyncConnection, of: UUID, wallet: UUID, now: int) -> Offer:
    """NotFound; Conflict("ticket-kept": no rule lets it be given back; "refund-over"; "ticket-used")."""
    mine = sa.select(ticket).where(ticket.c.id == of, ticket.c.wallet == wallet)
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        raise NotFound("There is no such ticket.")
    found = Ticket(**row._mapping)
    order, at = await order_named(connection, found.order_id), await event_named(connection, found.event)
    # What a friend paid for comes back to the friend, if its event is cancelled.
    theirs = order.wallet != wallet
    if (
        theirs
        or found.state != "valid"
        or order.state != "paid"
        or order.channel != "online"
        or order.paid_by is not None
    ):
        raise Conflict("This ticket is not given back.", KEPT)
    if at.status != "published" or at.refund_until_us is None:
        raise Conflict("Tickets of this event are not given back.", KEPT)
    if now >= at.refund_until_us:
        raise Conflict("The time for giving tickets back is over.", "refund-over")
    passed = sa.select(passage.c.id).where(passage.c.event == at.id, passage.c.ticket == of).limit(1)
    if (await connection.execute(passed)).one_or_none() is not None:
        raise Conflict("This ticket was used at the door.", "ticket-used")
    amount = next(it.amount // it.quantity for it in order.lines if it.price == found.price)
    return Offer(found, order, at, amount, fee_of(amount, at.refund_fee))


async def returned(connection: AsyncConnection, of: UUID) -> Returned | None:
    row = (await connection.execute(sa.select(ticket_return).where(ticket_return.c.ticket == of))).one_or_none()
    return None if row is None else Returned(**row._mapping)


async def give_ticket_back(ledger: Ledger, of: UUID, wallet: UUID) -> Returned:
    """What came back. Again gives the same. Raises as `offer_for`, and what the ledger raises: then the rounds book."""
    made = await write_down(ledger.engine, of, wallet)
    await book_tickets(ledger, [made])
    return made


async def pending(connection: AsyncConnection, of_event: UUID | None = None) -> list[Returned]:
    """Given back, and perhaps not booked yet; those that are being exchanged are booked with what they are exchanged
    for. `of_event`: all of this one."""
    query = sa.select(ticket_return).outerjoin(
        ticket_return_booked, ticket_return_booked.c.ticket == ticket_return.c.ticket
    )
    exchanging = sa.select(ticket_exchange.c.ticket).join(ticket_order, ticket_order.c.id == ticket_exchange.c.order_id)
    exchanging = exchanging.where(ticket_order.c.state == "paying")
    query = query.where(ticket_return_booked.c.ticket.is_(None))
    if of_event is None:
        query = query.where(ticket_return.c.ticket.not_in(exchanging))
    else:
        query = query.join(ticket, ticket.c.id == ticket_return.c.ticket).where(ticket.c.event == of_event)
    return [Returned(**row._mapping) for row in await connection.execute(query.order_by(ticket_return.c.ticket))]


async def book_tickets(ledger: Ledger, several: Sequence[Returned]) -> int:
    """Their money, to the wallets it came from; how many. As often as anyone likes."""
    done = 0
    for it in several:
        if it.back:
            try:
                operation = await operation_of(ledger, it)
                if operation is not None:
                    await ledger.post_one(operation)
            except DomainError as error:
                _log.warning("ticket not given back", ticket=str(it.ticket), code=error.code)
                raise
        async with ledger.engine.begin() as connection:
            known = sa.select(ticket_return_booked.c.ticket).where(ticket_return_booked.c.ticket == it.ticket)
            await connection.execute(sa.select(ticket.c.id).where(ticket.c.id == it.ticket).with_for_update())
            if (await connection.execute(known)).one_or_none() is None:
                row = {"ticket": it.ticket, "at_us": now_us()}
                await connection.execute(sa.insert(ticket_return_booked).values(row))
                done += 1
    return done


async def write_down(engine: AsyncEngine, of: UUID, wallet: UUID) -> Returned:
    """That it is given back, without its money yet. Raises as `offer_for`."""
    async with engine.begin() as connection:
        # The order, then the event: nobody gives either back meanwhile, and nobody cancels.
        mine = sa.select(ticket.c.order_id, ticket.c.event).where(ticket.c.id == of, ticket.c.wallet == wallet)
        row = (await connection.execute(mine)).one_or_none()
        if row is None:
            raise NotFound("There is no such ticket.")
        for table, id_ in ((ticket_order, row.order_id), (event, row.event)):
            await connection.execute(sa.select(table.c.id).where(table.c.id == id_).with_for_update())
        if (known := await returned(connection, of)) is not None:
            return known
        offer = await offer_for(connection, of, wallet, now := now_us())
        return await write_in(connection, Returned(of, offer.amount, offer.fee, offer.order.owner, now))


async def write_in(connection: AsyncConnection, made: Returned) -> Returned:
    """The same within the caller's transaction, which has the order and the event."""
    row: dict[str, Any] = {name: getattr(made, name) for name in Returned.__dataclass_fields__}
    await connection.execute(sa.insert(ticket_return).values(row))
    await uncount(connection, ticket.c.id == made.ticket)
    return made


async def operation_of(ledger: Ledger, it: Returned) -> Operation | None:
    """The venue's claim / W, less the fee: part of what the order moved, so that no more than that ever comes back.
    None: it is booked."""
    id_ = refund_of_ticket(it.ticket)
    async with ledger.reader.connect() as connection:
        whose = sa.select(ticket.c.order_id, ticket.c.price).where(ticket.c.id == it.ticket)
        order_id, price = (await connection.execute(whose)).one()
        order = await order_named(connection, order_id)
        venue = (await venues(connection))[(await event_named(connection, order.event)).venue]
    there = await ledger.booked([order.id, id_])
    if id_ in there:
        return None
    original = there[order.id]
    whole = await ledger.reversal(
        original,
        id_,
        actor=it.actor,
        occurred_at_us=it.at_us,
        business_day=venue.day_of(it.at_us),
        details=part_of(original, [(str(price), 1, it.back)]),
    )
    if not whole.postings:
        # Booked by somebody else at this very moment: nothing of the order is left.
        return None
    same = sha256(b"ticket-return" + it.ticket.bytes + it.back.to_bytes(8)).digest()
    return replace(whole, fingerprint=same, postings=(replace(whole.postings[0], amount=it.back),), reverses=None)


def part_of(original: BookedOperation, parts: Sequence[tuple[str, int, int]]) -> str:
    """The details of an operation that takes a part of an order back: (price, how many, how much each). Its lines are
    the order's with quantities below zero, so that the books take their tax back with them."""
    details = json.loads(original.details)
    named = {line["price"]: line for line in details["lines"]}
    details["lines"] = [
        {**named[price], "quantity": -quantity, "unit_price": each} for price, quantity, each in parts if each
    ]
    return json.dumps(details, ensure_ascii=False)
