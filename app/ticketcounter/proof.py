"""What must hold of tickets sold at counters, recomputed from the rows: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.tables import event, event_price, ticket_order
from app.ticketcounter.quotas import quotas_of
from app.ticketcounter.tables import counter_undo, partner_quota


async def wrong(engine: AsyncEngine) -> list[str]:
    """Partners that sold more than they may, and sales that were undone and are paid still; in words."""
    own = (
        sa.select(partner_quota.c.price)
        .join(event_price, event_price.c.id == partner_quota.c.price)
        .join(event, event.c.id == event_price.c.event)
        .where(event.c.venue == partner_quota.c.venue)
    )
    undone = sa.select(counter_undo.c.order_id).join(ticket_order, ticket_order.c.id == counter_undo.c.order_id)
    async with engine.connect() as connection:
        found = [
            f"the venue {it.venue} sold {it.sold} places at the price {it.price}, and may sell {it.places}"
            for it in await quotas_of(connection)
            if it.sold > it.places
        ]
        found += [
            f"the price {id_} has a quota for its event's own venue"
            for id_ in (await connection.execute(own)).scalars()
        ]
        left = await connection.execute(undone.where(ticket_order.c.state != "refunded"))
        return found + [f"the order {id_} was undone at its counter and is paid still" for id_ in left.scalars()]
