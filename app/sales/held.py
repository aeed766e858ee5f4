"""What is kept about a wallet's tabs; its sales are in the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.sales.tables import tab, tab_item


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    tabs = await connection.execute(
        sa.select(tab).where(tab.c.owner == f"wallet:{wallet}").order_by(tab.c.opened_at_us)
    )
    found = []
    for it in tabs.all():
        items = await connection.execute(sa.select(tab_item).where(tab_item.c.tab == it.id).order_by(tab_item.c.at_us))
        found.append(
            {
                "at_us": it.opened_at_us,
                "name": it.name,
                "amount": {"currency": it.currency, "minor": it.amount},
                "items": [f"{one.quantity} × {one.name}" for one in items],
                "ended_us": it.closed_at_us,
            }
        )
    return found


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """The name that staff gave a tab that is closed."""
    mine = (tab.c.owner == f"wallet:{wallet}", tab.c.closed_at_us.is_not(None))
    await connection.execute(sa.update(tab).where(*mine).values(name="–"))
