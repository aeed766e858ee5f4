"""What is kept about credit lines that were asked for a wallet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.issuing.tables import credit_line


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    query = sa.select(credit_line).where(credit_line.c.wallet == wallet).order_by(credit_line.c.asked_at_us)
    return [
        {
            "at_us": it.asked_at_us,
            "amount": {"currency": it.currency, "minor": it.credit},
            "reason": it.reason,
            "status": it.state,
            "answered_us": it.decided_at_us,
        }
        for it in await connection.execute(query)
    ]
