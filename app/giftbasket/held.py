"""What is kept about a wallet's vouchers that wait for their money, and what of it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.giftbasket.tables import gift_basket


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first. Once bought or given up, nothing is kept here."""
    query = sa.select(gift_basket).where(gift_basket.c.wallet == wallet).order_by(gift_basket.c.made_at_us)
    return [
        {"at_us": it.made_at_us, "what": it.words, "amount": it.amount, "currency": it.currency}
        for it in await connection.execute(query)
    ]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """What was to stand on them. The money comes to the card."""
    await connection.execute(sa.delete(gift_basket).where(gift_basket.c.wallet == wallet))
