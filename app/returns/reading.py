"""What was paid for an event and by whom, and how much of it is back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.rules import OrderState
from app.events.tables import ticket, ticket_order, ticket_order_line, ticket_order_onward
from app.refunds.tables import refund, refund_line
from app.returns.tables import ticket_return
from app.topups.refunding import left_of
from app.topups.tables import topup

# Refunds of which the money is on the card.
KEPT: Final = frozenset({"cancelled", "nothing"})


@dataclass(frozen=True, slots=True)
class Paid:
    """An order that was paid, or is being paid just now. `amount`: minor units of `currency`, without what came back of
    it with single tickets before."""

    id: UUID
    wallet: UUID
    state: OrderState
    places: int
    currency: str
    amount: int

    @property
    def owner(self) -> str:
        return f"wallet:{self.wallet}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the venue kept of tickets of one price that their holders gave back: minor units of `currency`."""

    price: UUID
    currency: str
    tickets: int
    amount: int


async def kept_of(connection: AsyncConnection, event: UUID) -> list[Kept]:
    """By price. A cancelled event keeps nothing of orders that went back whole."""
    query = (
        sa.select(ticket.c.price, ticket_order.c.currency, sa.func.count(), sa.func.sum(ticket_return.c.fee))
        .join(ticket_return, ticket_return.c.ticket == ticket.c.id)
        .join(ticket_order, ticket_order.c.id == ticket.c.order_id)
        .where(ticket.c.event == event, ticket_order.c.state == "paid", ticket_return.c.fee > 0)
        .group_by(ticket.c.price, ticket_order.c.currency)
    )
    return [Kept(row[0], row[1], row[2], int(row[3])) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Onward:
    """What went on to the payments that had brought it. `cents`: euro cents of `refunds` that were sent, or are on
    their way; `kept`: refunds of which the money stays on the card after all."""

    cents: int = 0
    refunds: int = 0
    kept: int = 0


async def onward_for(connection: AsyncConnection, event: UUID) -> Onward:
    query = (
        sa.select(refund.c.id, refund.c.status, sa.func.sum(refund_line.c.cents))
        .join(ticket_order_onward, ticket_order_onward.c.refund == refund.c.id)
        .join(ticket_order, ticket_order.c.id == ticket_order_onward.c.order_id)
        .join(refund_line, refund_line.c.refund == refund.c.id)
        .where(ticket_order.c.event == event)
        .group_by(refund.c.id, refund.c.status)
    )
    rows = (await connection.execute(query)).all()
    sent = [int(cents or 0) for _, status, cents in rows if status not in KEPT]
    return Onward(sum(sent), len(sent), len(rows) - len(sent))


async def online_for(
    connection: AsyncConnection, several: Collection[Paid], provider: str | None, rates: Mapping[str, int]
) -> dict[UUID, int]:
    """By order: what of it goes on to the payment that brought it, once it is given back, in minor units of its money;
    at most, for a card may be spent from meanwhile. `rates`: euro cents for a minor unit of the moneys whose rules
    refund holders."""
    ids = [it.id for it in several if it.state == "paid" and it.amount]
    query = sa.select(ticket_order.c.id, topup.c.id, topup.c.currency, topup.c.amount).join(
        topup, topup.c.id == ticket_order.c.topup
    )
    query = query.where(ticket_order.c.id.in_(ids), ticket_order.c.card.is_not(None), topup.c.provider == provider)
    brought = {row[0]: tuple(row[1:]) for row in await connection.execute(query)}
    left, found = await left_of(connection, {of for of, _, _ in brought.values()}), dict[UUID, int]()
    for it in several:
        of, currency, amount = brought.get(it.id, (None, "", 0))
        if of is not None and currency == it.currency and currency in rates:
            found[it.id] = min(it.amount, amount, left.get(of, 0) // rates[currency])
    return {id_: units for id_, units in found.items() if units > 0}


async def paid_for(connection: AsyncConnection, event: UUID) -> list[Paid]:
    """The oldest first."""
    single = sa.select(ticket.c.order_id, sa.func.sum(ticket_return.c.amount - ticket_return.c.fee))
    single = single.join(ticket_return, ticket_return.c.ticket == ticket.c.id).where(ticket.c.event == event)
    before = {row[0]: int(row[1]) for row in await connection.execute(single.group_by(ticket.c.order_id))}
    places = sa.func.sum(ticket_order_line.c.quantity)
    query = (
        sa.select(
            ticket_order.c.id,
            ticket_order.c.wallet,
            ticket_order.c.state,
            places,
            ticket_order.c.currency,
            ticket_order.c.amount,
        )
        .join(ticket_order_line, ticket_order_line.c.order_id == ticket_order.c.id)
        .where(ticket_order.c.event == event, ticket_order.c.state.in_(["held", "paying", "paid", "refunded"]))
        .group_by(ticket_order.c.id)
        .order_by(ticket_order.c.made_at_us, ticket_order.c.id)
    )
    found = [Paid(*row) for row in await connection.execute(query)]
    return [replace(it, amount=it.amount - before.get(it.id, 0)) for it in found]


def sums(several: list[Paid], *states: OrderState) -> dict[str, int]:
    """Minor units by currency of those in these states."""
    found: dict[str, int] = {}
    for it in several:
        if it.state in states and it.amount:
            found[it.currency] = found.get(it.currency, 0) + it.amount
    return dict(sorted(found.items()))
