"""Exceptions: what was booked, or could not be, and needs a person."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.sales.tables import exception

SHOWN_MAX = 500


async def open_exceptions(connection: AsyncConnection, venues: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """id, event, kind, venue, details, opened_at_us of those that nobody has settled, newest first.

    `venues`: of these alone; None means all of the network.
    """
    rows = await connection.execute(
        sa.select(
            exception.c.id,
            exception.c.event,
            exception.c.kind,
            exception.c.venue,
            exception.c.details,
            exception.c.opened_at_us,
        )
        .where(exception.c.settled_at_us.is_(None), sa.true() if venues is None else exception.c.venue.in_(venues))
        .order_by(exception.c.opened_at_us.desc())
        .limit(SHOWN_MAX)
    )
    return [{**row._mapping, "details": json.loads(row.details)} for row in rows]
