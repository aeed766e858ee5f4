"""What is kept about a wallet's tickets, and what of it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.tables import event, event_price, ticket
from app.venues.tables import venue


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first."""
    query = (
        sa.select(ticket, event.c.title_fr, event_price.c.name_fr, venue.c.name.label("at"))
        .join(event, event.c.id == ticket.c.event)
        .join(event_price, event_price.c.id == ticket.c.price)
        .join(venue, venue.c.id == event.c.venue)
        .where(ticket.c.wallet == wallet)
        .order_by(ticket.c.issued_at_us, ticket.c.serial)
    )
    return [
        {
            "at_us": it.issued_at_us,
            "what": it.title_fr,
            "ticket": f"{it.name_fr}, {it.serial}",
            "venue": it.at,
            "name": it.name,
            "status": it.state,
            "operation": it.order_id,
        }
        for it in await connection.execute(query)
    ]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """The name on it. The ticket itself stays, for it still opens the door."""
    await connection.execute(sa.update(ticket).where(ticket.c.wallet == wallet).values(name=None))
