"""What must hold of money that went on to the payments that had brought it: for `comptoir verify` and for tests."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.events.tables import ticket_order, ticket_order_onward
from app.ledger.service import booked_among
from app.refunds.booking import aside_of, back_of
from app.refunds.cardway import given_back_of
from app.refunds.tables import refund, refund_line
from app.topups.tables import payment_refund, topup

# The first, and only, time that it was worked out.
ATTEMPT: Final = 1


async def wrong(engine: AsyncEngine) -> list[str]:
    """Refunds of more than the order or its payment had, or whose money is not where their state says; in words."""
    units, cents = (sa.func.sum(refund_line.c[name]).label(name) for name in ("units", "cents"))
    lines = sa.select(refund_line.c.refund, units, cents).group_by(refund_line.c.refund).subquery()
    query = (
        sa.select(refund.c.id, refund.c.status, lines.c.units, lines.c.cents, ticket_order.c.amount, topup.c.euro_cents)
        .join(ticket_order_onward, ticket_order_onward.c.refund == refund.c.id)
        .join(ticket_order, ticket_order.c.id == ticket_order_onward.c.order_id)
        .join(topup, topup.c.id == refund.c.topup)
        .join(lines, lines.c.refund == refund.c.id)
    )
    given = sa.select(*(payment_refund.c[name] for name in ("id", "request", "status", "euro_cents")))
    async with engine.connect() as connection:
        refunds = (await connection.execute(query)).all()
        parts: dict[UUID, list[Any]] = {}
        for row in await connection.execute(given.join(refund, refund.c.id == payment_refund.c.request)):
            parts.setdefault(row.request, []).append(row)
        ids = [id_ for it in refunds for id_ in (aside_of(it.id, ATTEMPT), back_of(aside_of(it.id, ATTEMPT)))]
        ids += [given_back_of(row.id) for it in refunds for row in parts.get(it.id, [])]
        booked = set(await booked_among(connection, ids)) if ids else set()
    found = []
    for it in refunds:
        found += [f"the refund {it.id} {what}" for what in _wrong(it, parts.get(it.id, []), booked)]
    return found


def _wrong(it: Any, parts: list[Any], booked: set[UUID]) -> list[str]:
    found, aside = [], aside_of(it.id, ATTEMPT)
    if it.units > it.amount or it.cents > it.euro_cents:
        found.append("gives back more than was paid")
    if it.status != "setting" and sum(row.euro_cents for row in parts) != it.cents:
        found.append("is not what its payment was to give back")
    if it.status in {"ready", "sending", "paid", "cancelling", "cancelled"} and aside not in booked:
        found.append("was sent, and not set aside")
    if it.status == "nothing" and aside in booked:
        found.append("came to nothing, and was set aside")
    if it.status == "cancelled" and back_of(aside) not in booked:
        found.append("was not sent, and its money is not on the card")
    if it.status in {"nothing", "cancelled"} and any(row.status != "failed" for row in parts):
        found.append("was not sent, and its payment gave it back")
    if it.status == "paid" and any(row.status == "paid" and given_back_of(row.id) not in booked for row in parts):
        found.append("was paid, and it is not booked")
    return found
