"""What was paid for a cancelled event goes back to the cards it was paid from, once somebody of the venue said so.

Each order is taken back in the ledger under an id that follows from it, and is then refunded with its tickets. Whoever
dies between the two, or in the middle of it all, leaves orders that are paid: the rounds take them up, and so they do
with what was still being paid when the event was cancelled.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.events import orders
from app.events.orders import Order
from app.events.paying import KIND
from app.events.refunding import mark_refunded, refund_of
from app.events.service import event_named
from app.events.tables import event, ticket, ticket_order
from app.identity.audit import audit
from app.ledger.rules.operations import Operation
from app.ledger.service import BookedOperation, Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError
from app.returns.tables import event_return, ticket_return
from app.returns.tickets import book_tickets, part_of, pending
from app.venues.service import Venue, venues

_log = structlog.get_logger("comptoir.returns")

EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Run:
    """`actor`: who confirmed it."""

    event: UUID
    actor: str
    at_us: int


async def run_of(connection: AsyncConnection, of: UUID) -> Run | None:
    row = (await connection.execute(sa.select(event_return).where(event_return.c.event == of))).one_or_none()
    return None if row is None else Run(**row._mapping)


async def confirm(engine: AsyncEngine, actor: str, of: UUID) -> Run:
    """From now on, all that was paid for it goes back. Twice is once. Conflict("event-not-cancelled")."""
    async with engine.begin() as connection:
        await connection.execute(sa.select(event.c.id).where(event.c.id == of).with_for_update())
        at = await event_named(connection, of)
        if at.status != "cancelled":
            raise Conflict("Only what was paid for a cancelled event is given back as a whole.", "event-not-cancelled")
        known = await run_of(connection, of)
        if known is not None:
            return known
        made = Run(of, actor, now_us())
        row = {"event": made.event, "actor": made.actor, "at_us": made.at_us}
        await connection.execute(sa.insert(event_return).values(row))
        await audit(connection, actor, "event.give-back", f"event:{of}", title=at.title_fr, sold=at.sold)
    return made


async def give_back(ledger: Ledger, run: Run, portions: int | None = None) -> int:
    """What is paid of its event and not given back yet, in portions (at most so many): how many orders were refunded.
    What cannot be given back here stays paid, and the page says so."""
    done, seen = 0, set[UUID]()
    # Nobody gives single tickets of it back any more: what is left of each order is what it is.
    async with ledger.engine.connect() as connection:
        before = await pending(connection, run.event)
    await book_tickets(ledger, before)
    while portions is None or portions > 0:
        async with ledger.engine.connect() as connection:
            several = await orders.orders_for(connection, run.event, ["paid"], but=seen)
        if not several:
            break
        seen |= {it.id for it in several}
        back = await book_back(ledger, run, several)
        done += len(await mark_refunded(ledger.engine, [it for it in several if it.id in back]))
        portions = None if portions is None else portions - 1
    return done


async def tend_returns(ledger: Ledger) -> int:
    """One round over single tickets and over all runs that are not at their end: how many orders were refunded."""
    left = sa.exists().where(ticket_order.c.event == event_return.c.event, ticket_order.c.state == "paid")
    async with ledger.reader.connect() as connection:
        open_ = [Run(**row._mapping) for row in await connection.execute(sa.select(event_return).where(left))]
        single = await pending(connection)
    done = 0
    for it in single:
        try:
            await book_tickets(ledger, [it])
        except Exception:
            _log.exception("what a ticket cost could not be given back", ticket=str(it.ticket))
    for run in open_:
        try:
            done += await give_back(ledger, run)
        except Exception:
            _log.exception("what was paid could not be given back", event=str(run.event))
    return done


async def give_back_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await tend_returns(ledger)
        except Exception:
            _log.exception("what was paid for cancelled events could not be looked after")
        await asyncio.sleep(every_s)


async def book_back(ledger: Ledger, run: Run, several: Sequence[Order]) -> set[UUID]:
    """Those whose money is back, or that were free: what is missing in the ledger is booked now."""
    back = {it.id for it in several if not it.amount}
    priced = [it for it in several if it.amount]
    there = await ledger.booked([id_ for it in priced for id_ in (it.id, refund_of(it.id))])
    async with ledger.reader.connect() as connection:
        at = (await venues(connection))[(await event_named(connection, run.event)).venue]
    asked = []
    for it in priced:
        original = there.get(it.id)
        if refund_of(it.id) in there:
            back.add(it.id)
        elif original is not None and original.kind == KIND:
            operation = await _operation(ledger, run, at, it, original)
            if operation.postings:
                asked.append((it, operation))
            else:
                # All of it came back with its tickets.
                back.add(it.id)
    for (it, _), outcome in zip(asked, await ledger.post([one for _, one in asked]) if asked else (), strict=True):
        try:
            posted(outcome)
        except DomainError as error:
            _log.warning("order not given back", order=str(it.id), code=error.code)
        else:
            back.add(it.id)
    return back


async def _operation(ledger: Ledger, run: Run, at: Venue, it: Order, original: BookedOperation) -> Operation:
    """The venue's claim / W: all that the order still brings the venue, what was kept of tickets given back included. A
    claim that was paid out already goes below zero and carries over, as when a sale is voided after a settlement."""
    now = now_us()
    whole = await ledger.reversal(
        original,
        refund_of(it.id),
        actor=run.actor,
        occurred_at_us=now,
        business_day=at.day_of(now),
        details=json.dumps({"event": str(it.event)}),
    )
    parts = await _left_of(ledger, it)
    if not parts:
        return whole
    # A part is no reversal of the whole: its own lines say what it takes back.
    return replace(whole, reverses=None, details=part_of(original, parts))


async def _left_of(ledger: Ledger, it: Order) -> list[tuple[str, int, int]]:
    """(price, how many, how much each) of an order of which tickets were given back; empty where none was."""
    query = sa.select(ticket.c.price, ticket_return.c.fee).join(ticket_return, ticket_return.c.ticket == ticket.c.id)
    async with ledger.engine.connect() as connection:
        kept = (await connection.execute(query.where(ticket.c.order_id == it.id).order_by(ticket.c.id))).all()
    if not kept:
        return []
    gone = [price for price, _ in kept]
    left = [(line.price, line.quantity - gone.count(line.price), line.amount // line.quantity) for line in it.lines]
    parts = [(str(price), many, each) for price, many, each in left if many]
    return parts + [(str(price), 1, fee) for price, fee in kept]
