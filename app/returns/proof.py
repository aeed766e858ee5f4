"""What must hold of what was given back, recomputed from rows and ledger: for `comptoir verify` and for tests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.refunding import refund_of, refund_of_ticket
from app.events.tables import ticket, ticket_order
from app.ledger.service import booked_among
from app.returns.onward_proof import wrong as wrong_onward
from app.returns.tables import ticket_return, ticket_return_booked


async def wrong(engine: AsyncEngine) -> list[str]:
    """Orders and tickets that are refunded without their money being back, or whose tickets still count; in words."""
    refunded = sa.select(ticket_order.c.id, ticket_order.c.amount).where(ticket_order.c.state == "refunded")
    counts = sa.select(ticket.c.id).where(ticket.c.order_id == ticket_order.c.id, ticket.c.state == "valid")
    parts = sa.select(ticket.c.order_id, sa.func.sum(ticket_return.c.amount - ticket_return.c.fee))
    parts = parts.join(ticket_return, ticket_return.c.ticket == ticket.c.id).group_by(ticket.c.order_id)
    alone = sa.select(ticket.c.id).join(ticket_order, ticket_order.c.id == ticket.c.order_id)
    alone = alone.outerjoin(ticket_return, ticket_return.c.ticket == ticket.c.id)
    alone = alone.where(ticket.c.state == "refunded", ticket_order.c.state == "paid", ticket_return.c.ticket.is_(None))
    single = sa.select(ticket_return.c.ticket).join(
        ticket_return_booked, ticket_return_booked.c.ticket == ticket_return.c.ticket
    )
    still = sa.select(ticket_return.c.ticket).join(ticket, ticket.c.id == ticket_return.c.ticket)
    async with engine.connect() as connection:
        found = [
            f"the order {row.id} was refunded, and a ticket of it still counts"
            for row in await connection.execute(refunded.where(counts.correlate(ticket_order).exists()))
        ]
        found += [
            f"the ticket {row.id} was refunded, and nobody gave it back" for row in await connection.execute(alone)
        ]
        found += [
            f"the ticket {row.ticket} was given back, and still counts"
            for row in await connection.execute(still.where(ticket.c.state != "refunded"))
        ]
        returned = {row[0]: int(row[1]) for row in await connection.execute(parts)}
        orders = [
            row.id
            # What a till sold comes back with its sale, whose reversal the ledger proves by itself.
            for row in await connection.execute(
                refunded.where(ticket_order.c.amount > 0, ticket_order.c.sale.is_(None))
            )
            if returned.get(row.id, 0) < row.amount
        ]
        tickets = list((await connection.execute(single.where(ticket_return.c.amount > ticket_return.c.fee))).scalars())
        asked = [*map(refund_of, orders), *map(refund_of_ticket, tickets)]
        back = set(await booked_among(connection, asked)) if asked else set()
    found += [
        f"the order {id_} was refunded, and nothing was given back for it"
        for id_ in orders
        if refund_of(id_) not in back
    ]
    found += await wrong_onward(engine)
    return found + [
        f"the ticket {id_} was given back, and its money is not booked"
        for id_ in tickets
        if refund_of_ticket(id_) not in back
    ]
