"""What is kept about a wallet's waiting for places, and what of it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.tables import event, ticket_order
from app.guests.letters import letter_of
from app.guests.tables import invitation, waiting_place


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first."""
    query = sa.select(waiting_place, event.c.title_fr).join(event, event.c.id == waiting_place.c.event)
    query = query.where(waiting_place.c.wallet == wallet).order_by(waiting_place.c.asked_at_us)
    return [
        {
            "at_us": it.asked_at_us,
            "what": it.title_fr,
            "places": it.places,
            "email": it.email,
            "status": it.state,
            "operation": it.order_id,
        }
        for it in await connection.execute(query)
    ]


async def invited(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """Invitations that lie on it, the oldest first."""
    of = invitation.join(ticket_order, ticket_order.c.id == invitation.c.order_id)
    query = sa.select(invitation, event.c.title_fr, ticket_order.c.state).select_from(
        of.join(event, event.c.id == invitation.c.event)
    )
    rows = await connection.execute(query.where(ticket_order.c.wallet == wallet).order_by(invitation.c.made_at_us))
    return [
        {"at_us": it.made_at_us, "what": it.title_fr, "name": it.name, "status": it.state, "operation": it.order_id}
        for it in rows
    ]


async def forget_invited(connection: AsyncConnection, wallet: UUID) -> None:
    """The guest's name. The place itself stays."""
    mine = sa.select(ticket_order.c.id).where(ticket_order.c.wallet == wallet)
    await connection.execute(sa.update(invitation).where(invitation.c.order_id.in_(mine)).values(name=None))
    await connection.execute(sa.update(ticket_order).where(ticket_order.c.wallet == wallet).values(guest=None))


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """The messages that may have been written."""
    query = sa.select(waiting_place.c.id).where(waiting_place.c.wallet == wallet)
    return [letter_of(id_) for id_ in (await connection.execute(query)).scalars()]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """The address. The place in line stays."""
    mine = sa.update(waiting_place).where(waiting_place.c.wallet == wallet)
    await connection.execute(mine.values(email=None))
