"""The rows of what was given back: orders and tickets that no longer count, and their places.

Of orders the ledger comes first: whoever dies in between leaves one that is paid still, and that the same booking finds
again. Locks as in app/events/orders.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.events.orders import Order
from app.events.tables import event, event_price, ticket, ticket_order, ticket_order_onward
from app.platform.clock import now_us
from app.rules.ids import derived


def refund_of(order: UUID) -> UUID:
    """The id of the operation that gives an order back, whoever asks for it."""
    return derived("ticket-refund", order)


def refund_of_ticket(ticket: UUID) -> UUID:
    """The same of one ticket that its holder gives back."""
    return derived("ticket-return", ticket)


OnwardState = Literal["going", "gone", "kept"]


@dataclass(frozen=True, slots=True)
class SentOn:
    """What was paid online for a cancelled order: on its way to that payment by this refund, gone there, or kept on
    the card."""

    refund: UUID
    state: OnwardState


async def sent_on(connection: AsyncConnection, orders: Collection[UUID]) -> dict[UUID, SentOn]:
    """By order, those for which there was something to send."""
    mine = (ticket_order_onward.c.order_id.in_(list(orders)), ticket_order_onward.c.refund.is_not(None))
    rows = await connection.execute(sa.select(ticket_order_onward).where(*mine))
    return {row.order_id: SentOn(row.refund, row.state) for row in rows}


async def mark_refunded(engine: AsyncEngine, several: Sequence[Order]) -> set[UUID]:
    """Orders whose money is back: they and their tickets no longer count, all in one. Those that this changed; as often
    as anyone likes."""
    async with engine.begin() as connection:
        mine = (ticket_order.c.id.in_([it.id for it in several]), ticket_order.c.state == "paid")
        # In the order of their ids, as everybody takes them.
        await connection.execute(
            sa.select(ticket_order.c.id).where(*mine).order_by(ticket_order.c.id).with_for_update()
        )
        change = sa.update(ticket_order).where(*mine).values(state="refunded", changed_at_us=now_us())
        moved = set((await connection.execute(change.returning(ticket_order.c.id))).scalars())
        if moved:
            await uncount(connection, ticket.c.order_id.in_(moved))
    return moved


async def uncount(connection: AsyncConnection, *which: sa.ColumnElement[bool]) -> None:
    """These tickets, as far as they are valid, are refunded, and their places free. Whoever calls has their orders."""
    valid = (*which, ticket.c.state == "valid")
    counted = sa.select(ticket.c.event, ticket.c.price, sa.func.count()).where(*valid)
    found = (await connection.execute(counted.group_by(ticket.c.event, ticket.c.price))).all()
    for id_ in sorted({row[0] for row in found}):
        places = sum(row[2] for row in found if row[0] == id_)
        await connection.execute(sa.update(event).where(event.c.id == id_).values(sold=event.c.sold - places))
    for _, id_, places in sorted(found, key=lambda row: row[1]):
        of = sa.update(event_price).where(event_price.c.id == id_)
        await connection.execute(of.values(sold=event_price.c.sold - places))
    await connection.execute(sa.update(ticket).where(*valid).values(state="refunded"))
