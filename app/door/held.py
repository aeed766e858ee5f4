"""What is kept of when a wallet's tickets passed a door."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.door.tables import passage
from app.events.tables import event, ticket


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first."""
    query = (
        sa.select(passage.c.at_us, passage.c.direction, ticket.c.serial, event.c.title_fr)
        .join(ticket, ticket.c.id == passage.c.ticket)
        .join(event, event.c.id == ticket.c.event)
        .where(ticket.c.wallet == wallet)
        .order_by(passage.c.at_us)
    )
    return [
        {"at_us": it.at_us, "what": f"door.{it.direction}", "ticket": f"{it.title_fr}, {it.serial}"}
        for it in await connection.execute(query)
    ]
