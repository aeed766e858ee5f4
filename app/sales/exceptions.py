"""Exceptions: what was booked, or could not be, and needs a person."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
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


async def told(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """Every column of those that are open, the newest first, or of those named, settled or not."""
    query = sa.select(exception).order_by(exception.c.opened_at_us.desc(), exception.c.id.desc())
    where = exception.c.settled_at_us.is_(None) if ids is None else exception.c.id.in_(list(ids))
    query = query.where(where).limit(SHOWN_MAX)
    return [{**row, "details": json.loads(row["details"])} for row in (await connection.execute(query)).mappings()]


async def settle(connection: AsyncConnection, id_: UUID, by: str | None) -> None:
    """Somebody has seen to it; None: it is open again."""
    values = {"settled_at_us": None if by is None else now_us(), "settled_by": by}
    await connection.execute(sa.update(exception).where(exception.c.id == id_).values(**values))


async def of_blocked_cards(connection: AsyncConnection, uids: Collection[str], since_us: int) -> list[UUID]:
    """Events that were delivered since an instant for cards that were blocked by then: these cards'."""
    query = sa.select(exception.c.event, exception.c.details).where(
        exception.c.kind == "blocked-card", exception.c.opened_at_us >= since_us
    )
    rows = await connection.execute(query.order_by(exception.c.opened_at_us))
    return [row.event for row in rows if json.loads(row.details).get("card") in uids]
