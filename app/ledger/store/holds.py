"""Reading holds."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.tables import hold, hold_end

# One batch of the posting pipeline.
AT_ONCE = 200


async def expired(connection: AsyncConnection, now_us: int) -> list[UUID]:
    """Holds that still stand though their time is over, the oldest first."""
    query = (
        sa.select(hold.c.id)
        .select_from(hold.outerjoin(hold_end, hold_end.c.hold == hold.c.id))
        .where(hold.c.expires_at_us < now_us, hold_end.c.hold.is_(None))
        .order_by(hold.c.expires_at_us)
        .limit(AT_ONCE)
    )
    return [row.id for row in await connection.execute(query)]
