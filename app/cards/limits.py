"""What the holder of a wallet lets it pay on one day: a child's card. The ledger sees to it with each sale that the
server books; without network such a card pays nothing, for a terminal alone cannot know what was paid elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.tables import wallet_limit


async def limits_of(connection: AsyncConnection, wallets: Collection[UUID] | None = None) -> dict[UUID, dict[str, int]]:
    """By wallet: minor units a day by currency; wallets without a limit are left out. None: of all."""
    query = sa.select(wallet_limit)
    if wallets is not None:
        query = query.where(wallet_limit.c.wallet.in_(list(wallets)))
    found: dict[UUID, dict[str, int]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.wallet, {})[row.currency] = row.per_day
    return found


async def set_limits(connection: AsyncConnection, wallet: UUID, per_day: Mapping[str, int]) -> None:
    """These, and no others; in the caller's transaction."""
    await connection.execute(sa.delete(wallet_limit).where(wallet_limit.c.wallet == wallet))
    if per_day:
        rows = [{"wallet": wallet, "currency": code, "per_day": most} for code, most in per_day.items()]
        await connection.execute(sa.insert(wallet_limit), rows)
