"""Tickets as their holders and the door see them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.tables import ticket

State = Literal["valid", "void", "refunded"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """`serial`: counts the event's tickets from 1. `name`: of who comes with it, where it was asked."""

    id: UUID
    order_id: UUID
    event: UUID
    price: UUID
    wallet: UUID
    serial: int
    state: State
    name: str | None
    issued_at_us: int


async def tickets_of(
    connection: AsyncConnection, wallet: UUID, states: Collection[State] = frozenset[State]({"valid"})
) -> list[Ticket]:
    """Those of a wallet, as they were issued."""
    query = sa.select(ticket).where(ticket.c.wallet == wallet, ticket.c.state.in_(list(states)))
    rows = await connection.execute(query.order_by(ticket.c.issued_at_us, ticket.c.event, ticket.c.serial))
    return [Ticket(**row._mapping) for row in rows]
