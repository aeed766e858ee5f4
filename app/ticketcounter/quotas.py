"""How many places of an event its partners sell: agreed by the event's venue, counted on the orders themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.rules import CAPACITY_MAX, Event
from app.events.service import event_named
from app.events.tables import event, event_price, ticket, ticket_order, ticket_order_line
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, Invalid, NotFound
from app.ticketcounter.tables import partner_quota
from app.venues.service import venue_named


@dataclass(frozen=True, slots=True)
class Quota:
    """`places`: at most, at this price; `sold`: with a ticket that counts, or being sold."""

    price: UUID
    venue: UUID
    places: int
    sold: int

    @property
    def left(self) -> int:
        return max(0, self.places - self.sold)


async def lock(connection: AsyncConnection, of: UUID) -> Event:
    """From here to the end, nobody else counts places of this event."""
    held = sa.select(event.c.id).where(event.c.id == of).with_for_update(key_share=True)
    await connection.execute(held)
    return await event_named(connection, of)


async def quotas_of(
    connection: AsyncConnection, events: Collection[UUID] | None = None, venue: UUID | None = None
) -> list[Quota]:
    """Of these events, or of all; of one partner, or of all."""
    query = sa.select(partner_quota).join(event_price, event_price.c.id == partner_quota.c.price)
    if events is not None:
        query = query.where(event_price.c.event.in_(events))
    if venue is not None:
        query = query.where(partner_quota.c.venue == venue)
    rows = (await connection.execute(query.order_by(event_price.c.position, partner_quota.c.venue))).all()
    sold = await _sold(connection, {row.price for row in rows}) if rows else {}
    return [Quota(it.price, it.venue, it.places, sold.get((it.price, it.venue), 0)) for it in rows]


async def set_quota(connection: AsyncConnection, actor: str, of: UUID, price: UUID, partner: UUID, places: int) -> None:
    """So many at most from now on; 0: none any more, and what is sold stays. The same again changes nothing.

    Raises NotFound, Invalid, Conflict("quota-sold") below what the partner has sold.
    """
    at = await lock(connection, of)
    if at.price(price) is None:
        raise NotFound("There is no such price.")
    if partner == at.venue:
        raise Invalid("The event is this venue's own: it sells all of it.")
    if not 0 <= places <= CAPACITY_MAX:
        raise Invalid(f"A quota is 0 to {CAPACITY_MAX} places.", field="places")
    name = (await venue_named(connection, partner)).name
    sold = (await _sold(connection, {price})).get((price, partner), 0)
    if 0 < places < sold:
        raise Conflict(f"{sold} are sold already: the quota cannot be lower.", "quota-sold", sold=sold)
    mine = (partner_quota.c.price == price, partner_quota.c.venue == partner)
    if places == 0:
        await connection.execute(sa.delete(partner_quota).where(*mine))
    else:
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        row = {"places": places, "changed_at_us": now_us()}
        new = insert(partner_quota).values(price=price, venue=partner, **row)
        await connection.execute(new.on_conflict_do_update(index_elements=["price", "venue"], set_=row))
    await audit(
        connection, actor, "event.quota", f"event:{of}", venue=at.venue, title=at.title_fr, partner=name, places=places
    )


async def require_quota(connection: AsyncConnection, at: Event, price: UUID, seller: UUID, places: int) -> None:
    """Whether a venue may sell so many more; under `lock`. NotFound: it is no partner. Conflict("quota-full")."""
    if seller == at.venue:
        return
    found = [it for it in await quotas_of(connection, [at.id], seller) if it.price == price]
    if not found:
        raise NotFound("This venue sells no such places.")
    if places > found[0].left:
        raise Conflict("The quota of this venue is sold.", "quota-full", left=found[0].left)


async def _sold(connection: AsyncConnection, prices: Collection[UUID]) -> dict[tuple[UUID, UUID], int]:
    """By price and partner."""
    common = (ticket_order.c.sold_by.is_not(None),)
    going = (
        sa.select(ticket_order_line.c.price, ticket_order.c.sold_by, sa.func.sum(ticket_order_line.c.quantity))
        .join(ticket_order, ticket_order.c.id == ticket_order_line.c.order_id)
        .where(*common, ticket_order_line.c.price.in_(prices), ticket_order.c.state.in_(["held", "paying"]))
        .group_by(ticket_order_line.c.price, ticket_order.c.sold_by)
    )
    issued = (
        sa.select(ticket.c.price, ticket_order.c.sold_by, sa.func.count())
        .join(ticket_order, ticket_order.c.id == ticket.c.order_id)
        .where(*common, ticket.c.price.in_(prices), ticket.c.state == "valid")
        .group_by(ticket.c.price, ticket_order.c.sold_by)
    )
    found: dict[tuple[UUID, UUID], int] = {}
    for query in (going, issued):
        for price, venue, many in await connection.execute(query):
            found[price, venue] = found.get((price, venue), 0) + int(many)
    return found
