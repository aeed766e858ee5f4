"""Offering a ticket to a friend by a link, taking it back, and taking it.

Taking is one transaction under the locks of the order and the event, as giving back and cancelling are: the old ticket
is void from then on, and the friend's stands in its place, of the same order and price. No counter changes, no money
moves: what comes back one day goes to who paid.

Errors:
    Conflict("ticket-kept")      it is no ticket that is handed on: invited, of a pass, void, of an event that is over
    Conflict("ticket-used")      it passed the door
    Conflict("forward-over")     the offer was taken back, or somebody else has it
    Conflict("price-had")        their card has as many places at this price as one may
    Conflict("card-needed")      its price is limited for each card: it goes on one
    Conflict("own-ticket")       it is offered to the card that it is on
    Forbidden("price-for-others", "card-blocked")
    NotFound
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card
from app.conditions.service import known_of
from app.door.tables import passage
from app.events.had import places_had
from app.events.orders import Order, order_named
from app.events.rules import Event
from app.events.service import event_named
from app.events.tables import event, ticket, ticket_order
from app.events.tickets import Ticket
from app.forwarding.tables import ticket_forward
from app.guests.invitations import address_card
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, NotFound
from app.rules.entitlement import NOTHING, Known, entitled
from app.rules.ids import uuid7

State = Literal["open", "taken", "withdrawn"]
KEPT: Final = "ticket-kept"


@dataclass(frozen=True, slots=True)
class Forward:
    """`ticket`: the one that is offered; `new_ticket`: the friend's. `address`: the card without a chip that it lies
    on, where no card took it."""

    id: UUID
    ticket: UUID
    state: State
    new_ticket: UUID | None
    address: UUID | None


@dataclass(frozen=True, slots=True)
class Offered:
    """A ticket with what it is for."""

    ticket: Ticket
    order: Order
    event: Event


_OWN: Final = tuple(ticket_forward.c[name] for name in Forward.__dataclass_fields__)


async def forward_named(connection: AsyncConnection, id_: UUID) -> Forward:
    found = await _one(connection, ticket_forward.c.id == id_)
    if found is None:
        raise NotFound("There is no such offer.")
    return found


async def open_forward(connection: AsyncConnection, of: UUID) -> Forward | None:
    """By which a ticket is offered now."""
    return await _one(connection, ticket_forward.c.ticket == of, ticket_forward.c.state == "open")


async def ticket_offered(connection: AsyncConnection, of: UUID) -> Offered:
    row = (await connection.execute(sa.select(ticket).where(ticket.c.id == of))).one_or_none()
    if row is None:
        raise NotFound("There is no such ticket.")
    found = Ticket(**row._mapping)
    return Offered(found, await order_named(connection, found.order_id), await event_named(connection, found.event))


async def require_forwardable(connection: AsyncConnection, it: Offered, now: int) -> None:
    """Conflict("ticket-kept", "ticket-used")."""
    personal = it.order.channel == "invitation" or it.order.paid_by is not None
    if it.ticket.state != "valid" or it.order.state != "paid" or personal:
        raise Conflict("This ticket is not handed on.", KEPT)
    if it.event.status != "published" or now >= it.event.ends_at_us:
        raise Conflict("This event is over, or does not take place.", KEPT)
    passed = sa.select(passage.c.id).where(passage.c.event == it.event.id, passage.c.ticket == it.ticket.id).limit(1)
    if (await connection.execute(passed)).one_or_none() is not None:
        raise Conflict("This ticket was used at the door.", "ticket-used")


async def offer(engine: AsyncEngine, of: UUID, wallet: UUID) -> Forward:
    """A link for a wallet's ticket; while there is one, it is the same."""
    async with engine.begin() as connection:
        it = await _locked(connection, of)
        if it.ticket.wallet != wallet:
            raise NotFound("There is no such ticket.")
        if (known := await open_forward(connection, of)) is not None:
            return known
        await require_forwardable(connection, it, now := now_us())
        id_ = uuid7()
        row = {"id": id_, "ticket": of, "state": "open", "made_at_us": now, "changed_at_us": now}
        await connection.execute(sa.insert(ticket_forward).values(row))
        return await forward_named(connection, id_)


async def withdraw(engine: AsyncEngine, of: UUID, wallet: UUID) -> None:
    """The link of a wallet's ticket opens nothing any more. Again changes nothing."""
    async with engine.begin() as connection:
        it = await _locked(connection, of)
        if it.ticket.wallet != wallet:
            raise NotFound("There is no such ticket.")
        standing = (ticket_forward.c.ticket == of, ticket_forward.c.state == "open")
        change = sa.update(ticket_forward).where(*standing).values(state="withdrawn", changed_at_us=now_us())
        await connection.execute(change)


async def take(ledger: Ledger, id_: UUID, card: Card | None) -> Forward:
    """By whoever has the link: onto a card, or (None) onto the page of the link itself. The same again is the same."""
    if card is not None and card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    known = NOTHING
    async with ledger.reader.connect() as connection:
        it = await forward_named(connection, id_)
        at = (await ticket_offered(connection, it.ticket)).event
    if card is not None:
        known = await known_of(ledger, card, at)
    async with ledger.engine.begin() as connection:
        old = await _locked(connection, it.ticket)
        it = await forward_named(connection, id_)
        if it.state == "taken" and await _has(connection, it, card):
            return it
        if it.state != "open":
            raise Conflict("This ticket was taken, or is no longer offered.", "forward-over")
        await require_forwardable(connection, old, now := now_us())
        if card is not None and card.wallet == old.ticket.wallet:
            raise Conflict("The ticket is on this card already.", "own-ticket")
        await _require_entitled(connection, old, known, card)
        onto = card or await address_card(connection, "Ticket")
        new = await _replace(connection, old.ticket, onto.wallet, now)
        change = (
            sa.update(ticket_forward)
            .where(ticket_forward.c.id == id_)
            .values(state="taken", new_ticket=new, address=None if card else onto.id, changed_at_us=now)
        )
        await connection.execute(change)
        return await forward_named(connection, id_)


async def _require_entitled(connection: AsyncConnection, old: Offered, known: Known, card: Card | None) -> None:
    price = old.event.price(old.ticket.price)
    if price is None:
        return
    if not entitled(price.condition, price.least, known):
        raise Forbidden("This price is for others.", "price-for-others")
    # Its place is counted for who ordered it already.
    if price.per_wallet is not None and card is None:
        raise Conflict("One card has so many places at this price: it takes a card.", "card-needed")
    if price.per_wallet is not None and card is not None and card.wallet != old.order.wallet:
        had = await places_had(connection, [card.wallet], [price.id], now_us())
        if had.get((card.wallet, price.id), 0) >= price.per_wallet:
            raise Conflict("This card has as many places at this price as one may.", "price-had")


async def _replace(connection: AsyncConnection, old: Ticket, wallet: UUID, now: int) -> UUID:
    """The id of the ticket that stands in its place."""
    gone = sa.update(ticket).where(ticket.c.id == old.id, ticket.c.state == "valid").values(state="void")
    await connection.execute(gone)
    counted = sa.update(event).where(event.c.id == old.event).values(issued=event.c.issued + 1)
    serial = (await connection.execute(counted.returning(event.c.issued))).scalar_one()
    row: dict[str, Any] = {"id": uuid7(), "order_id": old.order_id, "event": old.event, "price": old.price}
    row |= {"wallet": wallet, "serial": serial, "state": "valid", "issued_at_us": now}
    await connection.execute(sa.insert(ticket).values(row))
    return UUID(str(row["id"]))


async def _has(connection: AsyncConnection, it: Forward, card: Card | None) -> bool:
    if card is None:
        return it.address is not None
    new = sa.select(ticket.c.wallet).where(ticket.c.id == it.new_ticket)
    return bool((await connection.execute(new)).scalar_one() == card.wallet)


async def _locked(connection: AsyncConnection, of: UUID) -> Offered:
    """The order, then the event: nobody gives either back meanwhile, nobody cancels, nobody else hands it on."""
    where = sa.select(ticket.c.order_id, ticket.c.event).where(ticket.c.id == of)
    row = (await connection.execute(where)).one_or_none()
    if row is None:
        raise NotFound("There is no such ticket.")
    for table, id_ in ((ticket_order, row.order_id), (event, row.event)):
        await connection.execute(sa.select(table.c.id).where(table.c.id == id_).with_for_update())
    return await ticket_offered(connection, of)


async def _one(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> Forward | None:
    row = (await connection.execute(sa.select(*_OWN).where(*where))).one_or_none()
    return None if row is None else Forward(**row._mapping)
