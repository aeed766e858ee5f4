"""What must hold of tickets that were exchanged, recomputed from the rows: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.tables import ticket, ticket_exchange, ticket_order
from app.returns.tables import ticket_return


async def wrong(engine: AsyncEngine) -> list[str]:
    """Tickets that were exchanged and not given back, or for another wallet's order; in words. That what was given back
    no longer counts is proven in app/returns/proof.py, and that an order was paid in app/events/proof.py."""
    old = ticket.join(ticket_exchange, ticket_exchange.c.ticket == ticket.c.id)
    old = old.join(ticket_order, ticket_order.c.id == ticket_exchange.c.order_id)
    old = old.outerjoin(ticket_return, ticket_return.c.ticket == ticket.c.id)
    query = sa.select(ticket.c.id, ticket.c.wallet, ticket_order.c.wallet.label("onto"), ticket_return.c.ticket)
    async with engine.connect() as connection:
        rows = list(await connection.execute(query.select_from(old)))
    found = [f"the ticket {row.id} was exchanged, and never given back" for row in rows if row.ticket is None]
    return found + [f"the ticket {row.id} was exchanged for one of others" for row in rows if row.wallet != row.onto]
