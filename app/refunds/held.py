"""What is kept about a wallet's refunds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.refunds import store
from app.refunds.letters import letter_of
from app.refunds.rules import ENDED
from app.refunds.tables import refund


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first."""
    return [
        {
            "at_us": it.asked_at_us,
            "status": it.status,
            "paid": {"currency": "EUR", "minor": it.cents},
            "fee": {"currency": "EUR", "minor": it.fee_cents},
            "account_holder": it.holder or None,
            "iban": it.iban or None,
            "email": it.address or None,
        }
        for it in reversed(await store.of_wallet(connection, wallet))
    ]


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """E-mails that told of them."""
    found = await store.of_wallet(connection, wallet)
    return [letter_of(it.id, number) for it in found for number in range(1, len(it.events) + 1)]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """Addresses, and of refunds that are over the account too. What the bank was told stays with the books."""
    mine = refund.c.wallet == wallet
    await connection.execute(sa.update(refund).where(mine).values(address=""))
    over = sa.and_(mine, refund.c.status.in_(sorted(ENDED)), refund.c.way == "bank")
    await connection.execute(sa.update(refund).where(over).values(holder="-", iban="-"))
