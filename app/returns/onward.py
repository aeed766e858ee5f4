"""What was paid online for a cancelled event goes on to the payment that brought it, once it is back on the card.

Whoever dies in between has sent it on or has not: the refund's id follows from the order's, and the rounds ask again.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import card_by_id
from app.events.orders import Order, order_named
from app.events.refunding import OnwardState
from app.events.tables import ticket, ticket_order, ticket_order_onward
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, NotFound
from app.refunds.onward import send_on
from app.refunds.tables import refund
from app.returns.tables import event_return, ticket_return
from app.rules.ids import derived
from app.topups import service as topups
from app.topups.provider import Provider

_log = structlog.get_logger("comptoir.returns")

EVERY_S: Final = 5.0
REASON: Final = "event cancelled"
_AT_ONCE: Final = 200


def onward_of(order: UUID) -> UUID:
    """The id of the refund by which an order's money goes on."""
    return derived("ticket-onward", order)


async def send_all_on(ledger: Ledger, provider: Provider | None) -> int:
    """One round: how many orders were looked at to the end. Where the money of the others is now is written down."""
    async with ledger.reader.connect() as connection:
        waiting = await _waiting(connection)
    done = 0
    for it in waiting:
        try:
            done += await _send_on(ledger, provider, it)
        except Exception as error:
            if isinstance(error, Conflict) and error.code == "refund-open":
                # Their own refund is under way: the next rounds see what is left after it.
                _log.info("not sent on yet", order=str(it.id))
            else:
                _log.exception("what was paid online could not be sent on", order=str(it.id))
    async with ledger.engine.begin() as connection:
        await _write_states(connection)
    return done


async def send_on_for_ever(ledger: Ledger, provider: Provider | None, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await send_all_on(ledger, provider)
        except Exception:
            _log.exception("what was paid online could not be looked after")
        await asyncio.sleep(every_s)


async def _waiting(connection: AsyncConnection) -> list[Order]:
    """Orders of runs that are back on their cards, and that an online top-up had paid a part of."""
    query = (
        sa.select(ticket_order.c.id)
        .join(event_return, event_return.c.event == ticket_order.c.event)
        .outerjoin(ticket_order_onward, ticket_order_onward.c.order_id == ticket_order.c.id)
        .where(
            ticket_order.c.state == "refunded",
            ticket_order.c.topup.is_not(None),
            ticket_order_onward.c.order_id.is_(None),
        )
        .order_by(ticket_order.c.id)
        .limit(_AT_ONCE)
    )
    return [await order_named(connection, id_) for id_ in (await connection.execute(query)).scalars()]


async def _write_states(connection: AsyncConnection) -> None:
    """As each refund stands: what was paid back may still come back from there."""
    ends = {"paid": "gone", "cancelled": "kept", "nothing": "kept"}
    now = sa.case(*((refund.c.status == status, state) for status, state in ends.items()), else_="going")
    of = refund.c.id == ticket_order_onward.c.refund
    moved = sa.select(ticket_order_onward.c.order_id, now).join(refund, of).where(ticket_order_onward.c.state != now)
    for order, state in (await connection.execute(moved)).all():
        here = ticket_order_onward.c.order_id == order
        await connection.execute(sa.update(ticket_order_onward).where(here).values(state=state))


async def _send_on(ledger: Ledger, provider: Provider | None, it: Order) -> bool:
    sent = None
    try:
        of = None if it.topup is None else await topups.named(ledger.engine, it.topup)
    except NotFound:
        of = None
    if of is not None and it.card is not None and of.currency == it.currency:
        async with ledger.reader.connect() as connection:
            card, units = await card_by_id(connection, it.card), it.amount - await _singly(connection, it.id)
        sent = await send_on(ledger, provider, card, of, min(units, of.amount), onward_of(it.id), REASON)
    state: OnwardState = "kept" if sent is None else "going"
    row = {"order_id": it.id, "refund": None if sent is None else sent.id, "state": state, "at_us": now_us()}
    async with ledger.engine.begin() as connection:
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        new = insert(ticket_order_onward).values(row).on_conflict_do_nothing()
        return bool((await connection.execute(new)).rowcount)


async def _singly(connection: AsyncConnection, order: UUID) -> int:
    """What of it came back with single tickets, which are their holder's own decision."""
    back = sa.func.coalesce(sa.func.sum(ticket_return.c.amount - ticket_return.c.fee), 0)
    query = sa.select(back).join(ticket, ticket.c.id == ticket_return.c.ticket).where(ticket.c.order_id == order)
    return int(await connection.scalar(query) or 0)
