"""A ticket sold at a counter: paid from the card that lies there into the claim of the event's venue, whoever sells it.

Who sells for a partner takes nothing of it. A sale that was a mistake is undone by who sold it, until the event is over
and as long as none of its tickets was used, given back or handed on: first a row says so, then the money goes back,
then the tickets are void.

Errors:
    Conflict("sold-out", "not-on-sale", "price-had", "quota-full")
    Conflict("not-undone")     the event is over, or a ticket of it was used, given back or handed on
    DomainError("insufficient-funds") with `missing`
    Forbidden("card-blocked", "price-for-others")
    NotFound, Invalid
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card
from app.conditions.service import known_of
from app.door.tables import passage
from app.events import orders
from app.events.orders import Ask, Order
from app.events.paying import pay
from app.events.refunding import mark_refunded, refund_of
from app.events.service import event_named
from app.events.tables import ticket, ticket_order
from app.identity.audit import audit
from app.ledger.service import Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, NotFound
from app.ticketcounter.quotas import lock, require_quota
from app.ticketcounter.tables import counter_undo
from app.venues.service import venue_named

_log = structlog.get_logger("comptoir.ticketcounter")

EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Wish:
    """`id`: made by whoever asks, so that the same sale sent twice is one. `seller`: the venue at whose counter."""

    id: UUID
    event: UUID
    price: UUID
    places: int
    card: Card
    seller: UUID


async def sell(ledger: Ledger, actor: str, it: Wish) -> Order:
    """Held, paid and issued. What is refused has given its places back."""
    async with ledger.reader.connect() as connection:
        at = await event_named(connection, it.event)
    known = await known_of(ledger, it.card, at)
    ask = Ask(it.id, it.event, it.card, {it.price: it.places}, "till", known=known)
    async with ledger.engine.begin() as connection:
        at = await lock(connection, it.event)
        again = await connection.scalar(sa.select(ticket_order.c.id).where(ticket_order.c.id == it.id))
        if again is None:
            await require_quota(connection, at, it.price, it.seller, it.places)
        (made,) = await orders.hold_in(connection, [ask])
        if isinstance(made, DomainError):
            raise made
        if again is None:
            mine = sa.update(ticket_order).where(ticket_order.c.id == it.id)
            await connection.execute(mine.values(sold_by=it.seller))
            await audit(
                connection, actor, "event.sell", f"event:{at.id}", venue=at.venue, title=at.title_fr, places=it.places
            )
    try:
        return await pay(ledger, made)
    except DomainError as error:
        if error.code == "insufficient-funds":
            await orders.release(ledger.engine, made)
        raise


async def undo(ledger: Ledger, actor: str, id_: UUID, seller: UUID) -> None:
    """Of this counter's own. Again changes nothing more."""
    async with ledger.engine.begin() as connection:
        mine = sa.select(ticket_order.c.event).where(ticket_order.c.id == id_, ticket_order.c.sold_by == seller)
        of = await connection.scalar(mine)
        if of is None:
            raise NotFound("There is no such sale.")
        await connection.execute(sa.select(ticket_order.c.id).where(ticket_order.c.id == id_).with_for_update())
        at = await lock(connection, of)
        known = await connection.scalar(sa.select(counter_undo.c.actor).where(counter_undo.c.order_id == id_))
        if known is None:
            if now_us() >= at.ends_at_us:
                raise Conflict("The event is over.", "not-undone")
            await _require_whole(connection, await orders.order_named(connection, id_))
            row = {"order_id": id_, "actor": actor, "at_us": now_us()}
            await connection.execute(sa.insert(counter_undo).values(row))
            await audit(connection, actor, "event.unsell", f"event:{of}", venue=at.venue, title=at.title_fr)
    await _carry_out(ledger, id_)


async def _require_whole(connection: AsyncConnection, it: Order) -> None:
    of = ticket.c.order_id == it.id
    valid = await connection.scalar(sa.select(sa.func.count()).where(of, ticket.c.state == "valid"))
    moved = await connection.scalar(sa.select(sa.func.count()).where(of, ticket.c.wallet != it.wallet))
    used = sa.select(sa.func.count()).select_from(passage).join(ticket, ticket.c.id == passage.c.ticket).where(of)
    if it.state != "paid" or valid != it.places or moved or await connection.scalar(used):
        raise Conflict("A ticket of it was used, given back or handed on.", "not-undone")


async def _carry_out(ledger: Ledger, id_: UUID) -> None:
    """The money, then the tickets; as often as anyone likes."""
    async with ledger.engine.connect() as connection:
        row = (await connection.execute(sa.select(counter_undo).where(counter_undo.c.order_id == id_))).one()
        it = await orders.order_named(connection, id_)
        at = await venue_named(connection, (await event_named(connection, it.event)).venue)
    there = await ledger.booked([id_, refund_of(id_)])
    if it.amount and refund_of(id_) not in there:
        operation = await ledger.reversal(
            there[id_],
            refund_of(id_),
            actor=row.actor,
            occurred_at_us=row.at_us,
            business_day=at.day_of(row.at_us),
            details=json.dumps({"event": str(it.event)}),
        )
        (outcome,) = await ledger.post([operation])
        posted(outcome)
    await mark_refunded(ledger.engine, [it])


async def tend(ledger: Ledger) -> int:
    """One round over what a server that died left between a row and its tickets: how many."""
    async with ledger.reader.connect() as connection:
        left = sa.select(counter_undo.c.order_id).join(ticket_order, ticket_order.c.id == counter_undo.c.order_id)
        ids = list((await connection.execute(left.where(ticket_order.c.state == "paid"))).scalars())
    for id_ in ids:
        try:
            await _carry_out(ledger, id_)
        except Exception:
            _log.exception("a sale of a counter could not be undone", order=str(id_))
    return len(ids)


async def tend_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await tend(ledger)
        except Exception:
            _log.exception("sales of counters could not be looked after")
        await asyncio.sleep(every_s)
