"""What a terminal sold of its tickets: issued when its journal's row is booked, void once the sale is taken back.

Until its row is here a ticket stays leased, also where the server booked the sale before: whoever cancels a sale that
nobody answered for has issued nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card
from app.cards.tables import wallet
from app.events.service import events
from app.events.tables import event, ticket, ticket_order, ticket_order_line
from app.events.tickets import Ticket
from app.leases.service import count, lock
from app.leases.tables import lease_ticket
from app.ledger.service import Ledger, reversed_among
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict
from app.rules.ids import derived
from app.wire.sale import Sale, SaleLine

_log = structlog.get_logger("comptoir.leases")

EVERY_S: Final = 30.0
# After that, nobody comes to the door with a ticket any more.
AFTER_US: Final = 48 * 3600 * 1_000_000


def lines_of(sale: Sale) -> list[SaleLine]:
    return [it for it in sale.lines if it.tickets]


async def check(connection: AsyncConnection, terminal: UUID, sale: Sale) -> None:
    """Whether a sale that is asked for now may have its tickets. Conflict("ticket-not-leased", "not-on-sale",
    "price-changed")."""
    lines = lines_of(sale)
    ids = [id_ for it in lines for id_ in it.tickets]
    mine = (lease_ticket.c.id.in_(ids), lease_ticket.c.terminal == terminal)
    rows = await connection.execute(sa.select(lease_ticket).where(*mine))
    lent = {row.id: row for row in rows if row.state == "leased"}
    at, now = await events(connection, ids={row.event for row in lent.values()}), now_us()
    for line in lines:
        if any(id_ not in lent or lent[id_].price != line.product for id_ in line.tickets):
            raise Conflict("This terminal has no such ticket to sell.", "ticket-not-leased")
        one = at[lent[line.tickets[0]].event]
        price = one.price(line.product)
        if price is None or one.standing(now) not in {"open", "full"}:
            raise Conflict("These places are not sold now.", "not-on-sale")
        if (price.amount, price.currency) != (line.unit_price, line.currency):
            now_asked = {str(line.product): {price.currency: price.amount}}
            raise Conflict(f"The price has changed: {line.name}.", "price-changed", prices=now_asked)


async def issue(engine: AsyncEngine, terminal: UUID, sale: Sale, payer: Card | None) -> list[UUID]:
    """Its tickets, once it was booked; as often as anyone likes. The ids of those that were not the terminal's to sell:
    nobody gets these. `payer`: the sale's card, if we know it; else they are on a wallet of their own, which their
    codes open the door for."""
    asked = {id_: it for it in lines_of(sale) for id_ in it.tickets}
    async with engine.begin() as connection:
        whose = sa.select(lease_ticket.c.event).where(lease_ticket.c.id.in_(asked))
        await lock(connection, (await connection.execute(whose)).scalars())
        mine = (lease_ticket.c.id.in_(asked), lease_ticket.c.terminal == terminal, lease_ticket.c.state == "leased")
        fit = [sa.and_(lease_ticket.c.price == it.product, lease_ticket.c.id.in_(it.tickets)) for it in lines_of(sale)]
        change = sa.update(lease_ticket).where(*mine, sa.or_(*fit))
        change = change.values(state="sold", sale=sale.id, changed_at_us=now_us())
        columns = (lease_ticket.c.id, lease_ticket.c.event, lease_ticket.c.price)
        sold = sorted(await connection.execute(change.returning(*columns)), key=lambda it: it.id)
        if sold:
            await _issue(connection, sale, payer, asked, sold)
        had = sa.select(lease_ticket.c.id).where(lease_ticket.c.id.in_(asked), lease_ticket.c.sale == sale.id)
        issued = set((await connection.execute(had)).scalars())
    return sorted(set(asked) - issued)


async def _issue(
    connection: AsyncConnection,
    sale: Sale,
    payer: Card | None,
    asked: Mapping[UUID, SaleLine],
    sold: Collection[sa.Row[tuple[UUID, UUID, UUID]]],
) -> None:
    """One order of each event and money; all of it in the caller's transaction, which holds the events."""
    now, owner = now_us(), payer.wallet if payer is not None else derived("ticket wallet", sale.id)
    if payer is None:
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        await connection.execute(insert(wallet).values(id=owner, created_at_us=now).on_conflict_do_nothing())
    groups: dict[tuple[UUID, str], list[sa.Row[tuple[UUID, UUID, UUID]]]] = {}
    for row in sold:
        groups.setdefault((row.event, asked[row.id].currency), []).append(row)
    for (of, code), rows in sorted(groups.items()):
        id_ = derived("till order", sale.id, of, code)
        amounts: dict[UUID, list[int]] = {}
        for row in rows:
            amounts.setdefault(row.price, []).append(asked[row.id].unit_price)
        await connection.execute(
            sa.insert(ticket_order).values(
                id=id_,
                event=of,
                wallet=owner,
                card=None if payer is None else payer.id,
                channel="till",
                state="paid",
                hold_until_us=sale.occurred_at_us,
                currency=code,
                amount=sum(sum(each) for each in amounts.values()),
                sale=sale.id,
                by_hand=not sale.card,
                made_at_us=sale.occurred_at_us,
                changed_at_us=now,
            )
        )
        lines = [
            {"order_id": id_, "price": price, "quantity": len(each), "amount": sum(each)}
            for price, each in sorted(amounts.items())
        ]
        await connection.execute(sa.insert(ticket_order_line), lines)
        counted = sa.update(event).where(event.c.id == of).values(issued=event.c.issued + len(rows))
        last = (await connection.execute(counted.returning(event.c.issued))).scalar_one()
        common = {"order_id": id_, "event": of, "wallet": owner, "state": "valid", "issued_at_us": now}
        issued = [
            {"id": row.id, "price": row.price, "serial": last - len(rows) + n, **common}
            for n, row in enumerate(rows, start=1)
        ]
        await connection.execute(sa.insert(ticket), issued)
    await count(connection, sold, leased=-1, sold=1)


async def handed_over(connection: AsyncConnection, sale: UUID) -> list[Ticket]:
    """The valid tickets of a sale that no card paid: whoever has its receipt has them."""
    mine = (ticket_order.c.sale == sale, ticket_order.c.by_hand.is_(True), ticket.c.state == "valid")
    query = sa.select(ticket).join(ticket_order, ticket_order.c.id == ticket.c.order_id).where(*mine)
    return [Ticket(**row._mapping) for row in await connection.execute(query.order_by(ticket.c.event, ticket.c.serial))]


async def take_back(engine: AsyncEngine, sales: Iterable[UUID]) -> int:
    """These sales do not stand: their tickets open no door, and their places are others'. How many orders this ended;
    as often as anyone likes."""
    ended = 0
    for sale in sales:
        async with engine.begin() as connection:
            paid = (ticket_order.c.sale == sale, ticket_order.c.state == "paid")
            change = sa.update(ticket_order).where(*paid).values(state="refunded", changed_at_us=now_us())
            orders = list((await connection.execute(change.returning(ticket_order.c.id))).scalars())
            if not orders:
                continue
            mine = (ticket.c.order_id.in_(orders), ticket.c.state == "valid")
            await lock(connection, (await connection.execute(sa.select(ticket.c.event).where(*mine))).scalars())
            gone = sa.update(ticket).where(*mine).values(state="void").returning(ticket.c.event, ticket.c.price)
            await count(connection, list(await connection.execute(gone)), sold=-1)
            ended += len(orders)
    return ended


def has_tickets(details: str) -> bool:
    """Whether a sale that was booked with these details sold any."""
    return '"tickets"' in details and any(it.get("tickets") for it in json.loads(details).get("lines", ()))


async def tend(ledger: Ledger) -> int:
    """One round: tickets of sales that were taken back by whoever died before it said so here."""
    query = sa.select(ticket_order.c.sale).join(event, event.c.id == ticket_order.c.event)
    query = query.where(ticket_order.c.sale.is_not(None), ticket_order.c.state == "paid")
    async with ledger.reader.connect() as connection:
        fresh = query.where(event.c.ends_at_us > now_us() - AFTER_US)
        standing = set((await connection.execute(fresh)).scalars())
        gone = await reversed_among(connection, standing) if standing else set()
    return await take_back(ledger.engine, sorted(gone))


async def tend_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await tend(ledger)
        except Exception:
            _log.exception("tickets of tills could not be looked after")
        await asyncio.sleep(every_s)
