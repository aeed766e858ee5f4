"""What a counter sold, and what of it still stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.tables import card
from app.events.tables import event, event_price, ticket_order, ticket_order_line

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Sold:
    """`amount`: minor units of `currency`. `state`: the order's; refunded: it was undone, or given back."""

    order: UUID
    title: str
    price: str
    places: int
    currency: str
    amount: int
    card: str
    state: str
    at_us: int


async def sold_here(connection: AsyncConnection, seller: UUID) -> list[Sold]:
    """The newest first."""
    query = (
        sa.select(
            ticket_order.c.id,
            event.c.title_fr,
            event_price.c.name_fr,
            ticket_order_line.c.quantity,
            ticket_order.c.currency,
            ticket_order.c.amount,
            card.c.label,
            ticket_order.c.state,
            ticket_order.c.made_at_us,
        )
        .join(event, event.c.id == ticket_order.c.event)
        .join(ticket_order_line, ticket_order_line.c.order_id == ticket_order.c.id)
        .join(event_price, event_price.c.id == ticket_order_line.c.price)
        .outerjoin(card, card.c.id == ticket_order.c.card)
        .where(ticket_order.c.sold_by == seller, ticket_order.c.state.in_(["paid", "refunded"]))
        .order_by(ticket_order.c.made_at_us.desc(), ticket_order.c.id)
        .limit(_SHOWN)
    )
    return [Sold(*row) for row in await connection.execute(query)]
