"""What must hold of tickets that were handed on, recomputed from the rows: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.tables import ticket
from app.forwarding.tables import ticket_forward


async def wrong(engine: AsyncEngine) -> list[str]:
    """Tickets that two people could use, or whose place another order or price has; in words."""
    old, new = ticket.alias("old"), ticket.alias("new")
    query = (
        sa.select(old.c.id, old.c.state)
        .select_from(ticket_forward)
        .join(old, old.c.id == ticket_forward.c.ticket)
        .join(new, new.c.id == ticket_forward.c.new_ticket)
        .where(
            sa.or_(
                old.c.state != "void",
                old.c.order_id != new.c.order_id,
                old.c.price != new.c.price,
                old.c.event != new.c.event,
            )
        )
    )
    async with engine.connect() as connection:
        return [
            f"the ticket {row.id} was handed on, and is {row.state} still or not the one that stands in its place"
            for row in await connection.execute(query)
        ]
