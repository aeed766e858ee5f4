"""What is kept about credit lines that were asked for a wallet, and about vouchers that it bought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.issuing.tables import credit_line, issue_batch


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


async def vouchers_of(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """Those that it bought."""
    query = sa.select(issue_batch).where(issue_batch.c.wallet == wallet).order_by(issue_batch.c.made_at_us)
    return [
        {
            "at_us": it.made_at_us,
            "amount": {"currency": it.currency, "minor": it.amount},
            "text": it.reason,
            "until_us": it.valid_until_us,
            "operation": it.id,
        }
        for it in await connection.execute(query)
    ]


async def forget_words(connection: AsyncConnection, wallet: UUID) -> None:
    """What was written on them. Whoever has the code keeps the money."""
    await connection.execute(sa.update(issue_batch).where(issue_batch.c.wallet == wallet).values(reason=""))
