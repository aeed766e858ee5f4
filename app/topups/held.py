"""What is kept about a wallet's online top-ups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.topups.receipts import letter_of
from app.topups.tables import topup, topup_receipt


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first. `address`: where the receipt is to go, while it is not paid yet."""
    query = sa.select(topup, topup_receipt.c.address).outerjoin(topup_receipt, topup_receipt.c.topup == topup.c.id)
    rows = await connection.execute(query.where(topup.c.wallet == wallet).order_by(topup.c.created_at_us))
    return [
        {
            "at_us": it.created_at_us,
            "amount": {"currency": it.currency, "minor": it.amount},
            "paid": {"currency": "EUR", "minor": it.euro_cents},
            "status": it.status,
            "provider": it.provider,
            "reference": it.reference,
            "paid_us": it.paid_at_us,
            "email": it.address,
        }
        for it in rows
    ]


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """E-mails that told of them."""
    rows = await connection.execute(sa.select(topup.c.id).where(topup.c.wallet == wallet))
    return [letter_of(id_) for id_ in rows.scalars()]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    mine = sa.select(topup.c.id).where(topup.c.wallet == wallet)
    await connection.execute(sa.delete(topup_receipt).where(topup_receipt.c.topup.in_(mine)))
