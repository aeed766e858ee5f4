"""What must hold of leased tickets, recomputed from the rows: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.tables import event, event_price, ticket, ticket_order
from app.leases.tables import lease_ticket


async def wrong(engine: AsyncEngine) -> list[str]:
    """Counters that are not what terminals were lent, and tickets sold at a till that were not issued; in words."""
    found = []
    for table, of in ((event, lease_ticket.c.event), (event_price, lease_ticket.c.price)):
        lent = sa.select(sa.func.count()).where(of == table.c.id, lease_ticket.c.state == "leased")
        here = lent.correlate(table).scalar_subquery()
        query = sa.select(table.c.id, table.c.leased, here.label("lent")).where(table.c.leased != here)
        async with engine.connect() as connection:
            found += [
                f"{table.name} {row.id} counts {row.leased} places leased: they are {row.lent}"
                for row in await connection.execute(query)
            ]
    issued = sa.and_(ticket.c.id == lease_ticket.c.id, ticket.c.price == lease_ticket.c.price)
    sold = sa.select(lease_ticket.c.id).outerjoin(ticket, issued)
    sold = sold.outerjoin(ticket_order, ticket_order.c.id == ticket.c.order_id)
    lost = sa.or_(ticket_order.c.sale.is_(None), ticket_order.c.sale != lease_ticket.c.sale)
    unsold = sa.select(lease_ticket.c.id).join(ticket, ticket.c.id == lease_ticket.c.id)
    async with engine.connect() as connection:
        rows = await connection.execute(sold.where(lease_ticket.c.state == "sold", lost))
        found += [f"the ticket {row.id} was sold at a till and is not issued for that sale" for row in rows]
        rows = await connection.execute(unsold.where(lease_ticket.c.state != "sold"))
        found += [f"the ticket {row.id} is issued and was not sold by its terminal" for row in rows]
    return found
