"""What was sold on one business day, as it was booked: the sales, and what took sales back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.tables import operation

_SALE, _TAKEN_BACK = "sale", "sale.reversal"


@dataclass(frozen=True, slots=True)
class SaleBooked:
    """One sale, or what took one back (`undoes`: which). `details`: JSON, with the lines of the sale in both cases."""

    id: UUID
    venue: UUID
    terminal: UUID | None
    occurred_at_us: int
    undoes: UUID | None
    details: str


async def sales_of(
    connection: AsyncConnection, venues: Collection[UUID], day: date, since_us: int = 0
) -> Sequence[SaleBooked]:
    """In the order in which they were booked; only what was made after `since_us`. Led by ix_operation_venue_day: it
    costs as much as that day's sales."""
    query = (
        sa.select(
            operation.c.id,
            operation.c.venue,
            operation.c.terminal,
            operation.c.occurred_at_us,
            operation.c.reverses,
            operation.c.details,
        )
        .where(operation.c.venue.in_(venues), operation.c.business_day == day)
        .where(operation.c.occurred_at_us > since_us, operation.c.kind.in_([_SALE, _TAKEN_BACK]))
        .order_by(operation.c.seq)
    )
    return [SaleBooked(*row) for row in await connection.execute(query)]
