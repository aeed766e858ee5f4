"""What is kept about tickets that a wallet handed on, or was given."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.tables import event, ticket
from app.forwarding.tables import ticket_forward


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first. Whom it went to, or came from, is not told."""
    found = []
    for way, of in (("given", ticket_forward.c.ticket), ("received", ticket_forward.c.new_ticket)):
        query = sa.select(ticket_forward, event.c.title_fr).join(ticket, ticket.c.id == of)
        query = query.join(event, event.c.id == ticket.c.event).where(ticket.c.wallet == wallet)
        found += [
            {"at_us": row.made_at_us, "what": row.title_fr, "way": way, "status": row.state}
            for row in await connection.execute(query)
        ]
    return sorted(found, key=lambda it: it["at_us"])
