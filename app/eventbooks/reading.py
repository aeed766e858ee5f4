"""An event's tickets as its box office counts them, and what of them the ledger has in the venue's claim."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.tables import card
from app.currencies.service import Currency
from app.door.tables import passage
from app.eventbooks.rules import Came, Sold, Tariff
from app.events.refunding import refund_of, refund_of_ticket
from app.events.rules import Event
from app.events.tables import event as event_table
from app.events.tables import event_price, ticket, ticket_order, ticket_order_line
from app.ledger.service import Ledger, booked_among
from app.rules.door import PASSED
from app.venues.tables import venue

_HOUR_US = 3600 * 1_000_000
# Orders looked up in the ledger at once.
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Buyer:
    """A ticket with whose it is, as far as that is known: `name` where it was asked, and the card's label."""

    serial: int
    order: UUID
    price: UUID
    amount: int
    currency: str
    channel: str
    state: str
    issued_at_us: int
    name: str
    card: str


@dataclass(frozen=True, slots=True)
class Taken:
    """(event, currency): tickets that hold, and what was paid for them in minor units."""

    event: UUID
    currency: str
    tickets: int
    amount: int


def tariffs(event: Event, known: dict[str, Currency]) -> list[Tariff]:
    return [
        Tariff(it.id, it.name_fr, it.name_en, it.currency, it.vat, known[it.currency].cents_per_unit, it.condition)
        for it in event.prices
    ]


async def tickets_of(connection: AsyncConnection, event: UUID) -> list[Sold]:
    """Every ticket that was ever issued for it, by serial."""
    partner = venue.alias("partner")
    own = sa.select(event_table.c.venue).where(event_table.c.id == event).scalar_subquery()
    sold_for = sa.and_(partner.c.id == ticket_order.c.sold_by, partner.c.id != own)
    query = (
        sa.select(
            ticket.c.serial,
            ticket.c.price,
            ticket_order.c.currency,
            ticket_order_line.c.amount,
            ticket_order_line.c.quantity,
            ticket.c.state,
            # A partner's counter is a channel of its own.
            sa.func.coalesce(partner.c.name, ticket_order.c.channel).label("channel"),
            ticket.c.issued_at_us,
        )
        .select_from(_joined().outerjoin(partner, sold_for))
        .where(ticket.c.event == event)
        .order_by(ticket.c.serial)
    )
    return [
        Sold(
            row.serial,
            row.price,
            row.currency,
            row.amount // row.quantity,
            row.state,
            row.channel,
            row.issued_at_us // _HOUR_US * _HOUR_US,
        )
        for row in await connection.execute(query)
    ]


async def came_to(connection: AsyncConnection, event: UUID) -> list[Came]:
    """Every ticket, with when terminals first saw it go in."""
    passed = sa.and_(
        passage.c.ticket == ticket.c.id,
        passage.c.event == ticket.c.event,
        passage.c.direction == "in",
        passage.c.result.in_(sorted(PASSED)),
    )
    query = (
        sa.select(ticket.c.price, ticket.c.state, sa.func.min(passage.c.at_us))
        .outerjoin(passage, passed)
        .where(ticket.c.event == event)
        .group_by(ticket.c.id, ticket.c.price, ticket.c.state)
    )
    return [
        Came(price, state, None if first is None else first // _HOUR_US * _HOUR_US)
        for price, state, first in await connection.execute(query)
    ]


async def taken_of(connection: AsyncConnection, events: Collection[UUID]) -> list[Taken]:
    """By event and money."""
    each = ticket_order_line.c.amount / ticket_order_line.c.quantity
    query = (
        sa.select(ticket.c.event, event_price.c.currency, sa.func.count(), sa.func.sum(each))
        .select_from(_joined().join(event_price, event_price.c.id == ticket.c.price))
        .where(ticket.c.event.in_(events), ticket.c.state == "valid")
        .group_by(ticket.c.event, event_price.c.currency)
    )
    return [Taken(row[0], row[1], row[2], int(row[3])) for row in await connection.execute(query)]


async def buyers_of(connection: AsyncConnection, event: UUID) -> list[Buyer]:
    query = (
        sa.select(ticket, ticket_order.c.channel, ticket_order.c.currency, ticket_order_line.c.amount)
        .add_columns(ticket_order_line.c.quantity, card.c.label)
        .select_from(_joined().outerjoin(card, card.c.id == ticket_order.c.card))
        .where(ticket.c.event == event)
        .order_by(ticket.c.serial)
    )
    return [
        Buyer(
            row.serial,
            row.order_id,
            row.price,
            row.amount // row.quantity,
            row.currency,
            row.channel,
            row.state,
            row.issued_at_us,
            row.name or "",
            row.label or "",
        )
        for row in await connection.execute(query)
    ]


async def claimed(ledger: Ledger, connection: AsyncConnection, event: UUID, owner: str) -> dict[str, int]:
    """What the event's orders have brought into the claim of `owner`, minor units by currency, as the ledger has it:
    sales, without what was taken back later. Of a till's sale, which may have sold other things too, its tickets."""
    paid = sa.select(ticket_order.c.id).where(
        ticket_order.c.event == event, ticket_order.c.state.in_(["paid", "refunded"]), ticket_order.c.sale.is_(None)
    )
    ids: list[UUID] = list((await connection.execute(paid)).scalars())
    given_back = sa.select(ticket.c.id).where(ticket.c.event == event, ticket.c.state == "refunded")
    ids += [refund_of_ticket(id_) for id_ in (await connection.execute(given_back)).scalars()]
    found: dict[str, int] = {}
    for begin in range(0, len(ids), _CHUNK):
        portion = ids[begin : begin + _CHUNK]
        booked = await ledger.booked([*portion, *(refund_of(id_) for id_ in portion)])
        moves = [it for operation in booked.values() for it in operation.transfers]
        keys = await ledger.keys_of({it for move in moves for it in (move.debit, move.credit)})
        for move in moves:
            for account, sign in ((move.credit, 1), (move.debit, -1)):
                key = keys[account]
                if key.kind == "claim" and key.owner == owner:
                    found[key.book.currency] = found.get(key.book.currency, 0) + sign * move.amount
    at_tills = sa.select(ticket_order.c.sale, ticket_order.c.currency, ticket_order.c.amount).where(
        ticket_order.c.event == event,
        ticket_order.c.state == "paid",
        ticket_order.c.sale.is_not(None),
        ticket_order.c.by_hand.is_(False),
    )
    rows = list(await connection.execute(at_tills))
    there = await booked_among(connection, {row.sale for row in rows}) if rows else set()
    for row in rows:
        if row.sale in there:
            found[row.currency] = found.get(row.currency, 0) + row.amount
    return {code: amount for code, amount in found.items() if amount}


async def by_hand_of(connection: AsyncConnection, event: UUID) -> dict[str, int]:
    """What the venue was paid itself for tickets that hold, at its tills and without cards: minor units by currency."""
    mine = (ticket.c.event == event, ticket.c.state == "valid", ticket_order.c.by_hand.is_(True))
    each = ticket_order_line.c.amount / ticket_order_line.c.quantity
    query = sa.select(ticket_order.c.currency, sa.func.sum(each)).select_from(_joined()).where(*mine)
    rows = await connection.execute(query.group_by(ticket_order.c.currency))
    return {code: int(amount) for code, amount in rows if amount}


def _joined() -> sa.Join:
    """Tickets with their orders and what was paid for them."""
    paid = sa.and_(ticket_order_line.c.order_id == ticket.c.order_id, ticket_order_line.c.price == ticket.c.price)
    return ticket.join(ticket_order, ticket_order.c.id == ticket.c.order_id).join(ticket_order_line, paid)
