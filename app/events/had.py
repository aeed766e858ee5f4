"""What a wallet has of an event already: places in its open baskets, and those at prices that are limited for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.rules import Event
from app.events.tables import ticket, ticket_order, ticket_order_line


async def places_held(connection: AsyncConnection, wallets: Collection[UUID], now: int) -> dict[UUID, int]:
    """Places in open baskets, by wallet."""
    places = sa.func.sum(ticket_order_line.c.quantity)
    query = sa.select(ticket_order.c.wallet, places).join(
        ticket_order_line, ticket_order_line.c.order_id == ticket_order.c.id
    )
    query = query.where(ticket_order.c.wallet.in_(wallets), ticket_order.c.state == "held")
    rows = await connection.execute(query.where(ticket_order.c.hold_until_us > now).group_by(ticket_order.c.wallet))
    return {wallet: int(many) for wallet, many in rows}


async def places_had(
    connection: AsyncConnection, wallets: Collection[UUID], prices: Collection[UUID], now: int
) -> dict[tuple[UUID, UUID], int]:
    """By wallet and price: places in open baskets, and those with a ticket that counts: ordered, whoever has it now, or
    handed on to it."""
    mine = (ticket_order.c.wallet.in_(wallets), ticket_order_line.c.price.in_(prices))
    kept = sa.or_(ticket_order.c.state == "paying", ticket_order.c.hold_until_us > now)
    baskets = (
        sa.select(ticket_order.c.wallet, ticket_order_line.c.price, sa.func.sum(ticket_order_line.c.quantity))
        .join(ticket_order_line, ticket_order_line.c.order_id == ticket_order.c.id)
        .where(*mine, ticket_order.c.state.in_(["held", "paying"]), kept)
        .group_by(ticket_order.c.wallet, ticket_order_line.c.price)
    )
    tickets = (
        sa.select(ticket_order.c.wallet, ticket.c.price, sa.func.count())
        .join(ticket, ticket.c.order_id == ticket_order.c.id)
        .where(ticket_order.c.wallet.in_(wallets), ticket.c.price.in_(prices), ticket.c.state == "valid")
        .group_by(ticket_order.c.wallet, ticket.c.price)
    )
    received = (
        sa.select(ticket.c.wallet, ticket.c.price, sa.func.count())
        .join(ticket_order, ticket_order.c.id == ticket.c.order_id)
        .where(ticket.c.wallet.in_(wallets), ticket.c.price.in_(prices), ticket.c.state == "valid")
        .where(ticket.c.wallet != ticket_order.c.wallet)
        .group_by(ticket.c.wallet, ticket.c.price)
    )
    found: dict[tuple[UUID, UUID], int] = {}
    for query in (baskets, tickets, received):
        for wallet, price, many in await connection.execute(query):
            found[wallet, price] = found.get((wallet, price), 0) + int(many)
    return found


async def places_limited(
    connection: AsyncConnection, at: Mapping[UUID, Event], wallets: Collection[UUID], now: int
) -> dict[tuple[UUID, UUID], int]:
    """Asked only where a price is limited: a sale that opens has better to do."""
    limited = [price.id for it in at.values() for price in it.prices if price.per_wallet is not None]
    return await places_had(connection, wallets, limited, now) if limited else {}
