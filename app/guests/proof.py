"""What must hold of waiting lists, recomputed from the rows: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.tables import event_price
from app.guests.tables import waiting_place


async def wrong(engine: AsyncEngine) -> list[str]:
    """Prices whose count of places waited for is not what the line comes to; in words."""
    places = sa.func.coalesce(sa.func.sum(waiting_place.c.places), 0)
    mine = (waiting_place.c.price == event_price.c.id, waiting_place.c.state == "waiting")
    wanted = sa.select(places).where(*mine).correlate(event_price).scalar_subquery()
    query = sa.select(event_price.c.id, event_price.c.waiting, wanted.label("wanted"))
    async with engine.connect() as connection:
        return [
            f"the price {row.id} counts {row.waiting} places waited for: they are {row.wanted}"
            for row in await connection.execute(query.where(event_price.c.waiting != wanted))
        ]
