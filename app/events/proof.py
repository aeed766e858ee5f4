"""What must hold of events and their tickets, recomputed from the rows: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.paying import KIND
from app.events.tables import event, event_price, ticket, ticket_order, ticket_order_line
from app.ledger.service import booked_among

_OPEN = ("held", "paying")


async def wrong(engine: AsyncEngine) -> list[str]:
    """Counters that are not what orders and tickets come to, orders that were paid without being booked or without
    their tickets; in words. What was given back is proven in app/returns/proof.py."""
    ordered = ticket_order_line.join(ticket_order, ticket_order.c.id == ticket_order_line.c.order_id)
    places = sa.func.coalesce(sa.func.sum(ticket_order_line.c.quantity), 0)
    held = sa.select(places).select_from(ordered).where(ticket_order.c.state.in_(_OPEN))
    valid = sa.select(sa.func.count()).select_from(ticket).where(ticket.c.state == "valid")
    found = []
    for table, of_order, of_ticket in (
        (event, ticket_order.c.event, ticket.c.event),
        (event_price, ticket_order_line.c.price, ticket.c.price),
    ):
        in_baskets = held.where(of_order == table.c.id).correlate(table).scalar_subquery()
        with_ticket = valid.where(of_ticket == table.c.id).correlate(table).scalar_subquery()
        query = sa.select(table.c.id, table.c.held, in_baskets.label("open"), table.c.sold, with_ticket.label("valid"))
        query = query.where(sa.or_(table.c.held != in_baskets, table.c.sold != with_ticket))
        async with engine.connect() as connection:
            found += [
                f"{table.name} {row.id} counts {row.held} places held and {row.sold} sold: they are {row.open} and "
                f"{row.valid}"
                for row in await connection.execute(query)
            ]
    return found + await _unpaid_or_unissued(engine)


async def _unpaid_or_unissued(engine: AsyncEngine) -> list[str]:
    lines = sa.select(sa.func.sum(ticket_order_line.c.quantity))
    wanted = lines.where(ticket_order_line.c.order_id == ticket_order.c.id).correlate(ticket_order).scalar_subquery()
    there = sa.select(sa.func.count()).select_from(ticket).where(ticket.c.order_id == ticket_order.c.id)
    booked_as = sa.func.coalesce(ticket_order.c.sale, ticket_order.c.id).label("operation")
    paid = sa.select(ticket_order.c.id, ticket_order.c.amount, booked_as).where(ticket_order.c.state == "paid")
    in_ledger = paid.where(ticket_order.c.amount > 0, ticket_order.c.by_hand.is_(False))
    async with engine.connect() as connection:
        short = paid.where(there.correlate(ticket_order).scalar_subquery() < wanted)
        found = [
            f"the order {row.id} was paid, and not all of its tickets are there"
            for row in await connection.execute(short)
        ]
        orders = {row.id: row.operation for row in await connection.execute(in_ledger)}
        booked = set(await booked_among(connection, set(orders.values()))) if orders else set()
    return found + [
        f"the order {id_} was issued, and no {KIND} was booked for it" for id_, by in orders.items() if by not in booked
    ]
