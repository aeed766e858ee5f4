"""What is kept about a wallet's passes. Nothing of it names anybody; the tickets are told with the others."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.passes.tables import pass_plan, pass_sale
from app.venues.tables import venue

# As tickets' states are told.
_TOLD: Final = {"held": "waiting", "paying": "waiting", "paid": "valid", "closed": "valid", "released": "cancelled"}


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first."""
    query = (
        sa.select(pass_sale, pass_plan.c.name_fr, venue.c.name.label("at"))
        .join(pass_plan, pass_plan.c.id == pass_sale.c.plan)
        .join(venue, venue.c.id == pass_plan.c.venue)
        .where(pass_sale.c.wallet == wallet)
        .order_by(pass_sale.c.made_at_us, pass_sale.c.id)
    )
    return [
        {
            "at_us": it.made_at_us,
            "what": it.name_fr,
            "venue": it.at,
            "currency": it.currency,
            "amount": it.amount,
            "status": _TOLD[it.state],
            "operation": it.id,
        }
        for it in await connection.execute(query)
    ]
