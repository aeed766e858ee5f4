"""A ticket exchanged by its holder for another date of its series, or for another price. Only of what comes back the
event's fee is kept: else a cheaper price would be a way around it.

One transaction gives the old ticket back and takes the new place, under the old order's lock and both events': the new
order is `paying` from its beginning, so its place stays until the ledger has spoken. Then one request to the ledger,
which is one durable batch, books what comes back and what is paid. What is to be paid on top was set aside on the card
before anything changed, so the payment finds its money. Whoever dies in between leaves an exchange whose order is
paying, which the rounds bring to its end; nobody else looks after such an order, or books such a return.

Errors, of which each leaves the old ticket as it was:
    as app/returns/tickets.py: offer_for
    as app/events/orders.py: hold_in        "sold-out", "price-had", "price-for-others", "not-on-sale"...
    Conflict("not-exchanged-for")           it is no price of this event or its series that is sold in this money now
    DomainError("insufficient-funds")       `missing`: minor units
    Invalid("idempotency-key-reused")
And Conflict("order-over"): the ledger would not book the new order after all; then the old ticket was given back whole.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, balances, wallet_key
from app.conditions.service import known_of
from app.currencies.service import currencies
from app.events import orders
from app.events.orders import Ask, Order, order_named
from app.events.paying import operations_of
from app.events.rules import Event, Price, fee_of, sellable
from app.events.service import events
from app.events.tables import event, ticket_exchange, ticket_order
from app.events.tables import ticket as ticket_table
from app.ledger.rules.operations import Entry, Held, Hold, Outcome, Refused, Release
from app.ledger.service import REFUSALS, Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid
from app.returns.tickets import Offer, Returned, book_tickets, offer_for, operation_of, returned, write_in
from app.rules.entitlement import entitled
from app.rules.ids import derived

_log = structlog.get_logger("comptoir.exchanges")

EVERY_S: Final = 5.0
# Whoever dies comes back by then; what is set aside for longer is the holder's again.
_HELD_FOR_US: Final = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What a ticket may be exchanged for. `more`: minor units to pay on top; below zero, what comes back. `fee`: what
    is kept of the old one."""

    event: Event
    price: Price
    more: int
    fee: int


async def choices_for(ledger: Ledger, of: UUID, card: Card) -> tuple[Offer, list[Choice]]:
    """Raises as `offer_for`. The earliest first."""
    async with ledger.reader.connect() as connection:
        offer = await offer_for(connection, of, card.wallet, now := now_us())
        near = await _near(connection, offer.event)
    found = []
    for at in near:
        known = await known_of(ledger, card, at)
        found += [
            Choice(at, price, price.amount - offer.amount + (fee := _fee(offer, price)), fee)
            for price in at.prices
            if _fits(offer, at, price, now)
            and entitled(price.condition, price.least, known)
            and (at.left_at(price) > 0 or _own_place(offer, at, price))
        ]
    return offer, found


async def exchange(ledger: Ledger, id_: UUID, of: UUID, price: UUID, card: Card) -> Order:
    """The new order, paid. `id_`: made by whoever asks, and the order's: the same again is the same."""
    async with ledger.reader.connect() as connection:
        known = await _exchanged(connection, id_)
        if known is not None:
            return await _same(ledger, known, of, price, card)
        offer = await offer_for(connection, of, card.wallet, now_us())
        chosen = next(
            ((at, it) for at in await _near(connection, offer.event) for it in at.prices if it.id == price), None
        )
    if chosen is None or not _fits(offer, *chosen, now_us()):
        raise Conflict("The ticket is not exchanged for this.", "not-exchanged-for")
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    at, wanted = chosen
    ask = Ask(id_, at.id, card, {price: 1}, paying=True, known=await known_of(ledger, card, at))
    # Nobody overtakes those in line, but a place that only changes its price was never theirs.
    ask = replace(ask, first=_own_place(offer, at, wanted))
    await _set_aside(ledger, id_, offer, wanted.amount - offer.amount + _fee(offer, wanted))
    try:
        made, new = await _write_down(ledger, ask, of)
    except BaseException:
        # Another press may have written it down meanwhile, and count on what is set aside.
        async with ledger.engine.connect() as connection:
            known = await _exchanged(connection, id_)
        if known is None:
            await ledger.post([Release(_hold_of(id_))])
        raise
    return await finish(ledger, made, new)


async def finish(ledger: Ledger, made: Returned, new: Order) -> Order:
    """Both booked in one request, and the new ticket issued; as often as anyone likes."""
    back = await operation_of(ledger, made) if made.back else None
    entries: list[Entry] = [] if back is None else [back]
    if new.amount:
        (paid,) = await operations_of(ledger, [new])
        if await _still_set_aside(ledger, made, new):
            paid = replace(paid, captures=_hold_of(new.id), beyond_hold=True)
        entries.append(paid)
    outcomes = await ledger.post(entries)
    if new.amount and isinstance(refused := outcomes[-1], Refused):
        _log.error("a ticket was given back, and not exchanged", ticket=str(made.ticket), reason=refused.reason)
        await orders.release(ledger.engine, new, refused=True)
    else:
        await orders.issue(ledger.engine, new)
    await book_tickets(ledger, [made])
    async with ledger.engine.connect() as connection:
        now = await order_named(connection, new.id)
    if now.state == "released":
        raise Conflict("The ticket was given back, and not exchanged.", "order-over")
    return now


async def tend_exchanges(ledger: Ledger) -> int:
    """One round over those that nobody finished: how many came to an end."""
    query = sa.select(ticket_exchange).join(ticket_order, ticket_order.c.id == ticket_exchange.c.order_id)
    async with ledger.reader.connect() as connection:
        rows = list(await connection.execute(query.where(ticket_order.c.state == "paying")))
        open_ = [(await returned(connection, row.ticket), await order_named(connection, row.order_id)) for row in rows]
    done = 0
    for made, new in open_:
        try:
            if made is not None:
                await finish(ledger, made, new)
                done += 1
        except Exception:
            _log.exception("a ticket could not be exchanged", order=str(new.id))
    return done


async def exchange_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await tend_exchanges(ledger)
        except Exception:
            _log.exception("exchanges could not be looked after")
        await asyncio.sleep(every_s)


async def _near(connection: AsyncConnection, at: Event) -> list[Event]:
    """The event itself, and the other dates of its series."""
    if at.series is None:
        return [at]
    dates = sa.select(event.c.id).where(event.c.series == at.series, event.c.venue == at.venue)
    ids = {at.id, *(await connection.execute(dates)).scalars()}
    return list((await events(connection, ids=ids, statuses=["published"], ends_after_us=now_us())).values())


def _fits(offer: Offer, at: Event, price: Price, now: int) -> bool:
    another = price.id != offer.ticket.price and price.currency == offer.order.currency
    return another and at.venue == offer.event.venue and sellable(at, price, "online", now)


def _fee(offer: Offer, price: Price) -> int:
    return fee_of(max(0, offer.amount - price.amount), offer.event.refund_fee)


def _own_place(offer: Offer, at: Event, price: Price) -> bool:
    """Whether it is the ticket's own place that is sold at another price, for which nobody waits."""
    quota_left = price.left is None or price.left > 0
    return at.id == offer.event.id and not price.waiting and quota_left


async def _write_down(ledger: Ledger, ask: Ask, of: UUID) -> tuple[Returned, Order]:
    async with ledger.engine.begin() as connection:
        whose = sa.select(ticket_table.c.order_id, ticket_table.c.event).where(ticket_table.c.id == of)
        order_id, from_ = (await connection.execute(whose)).one()
        locked = sa.select(ticket_order.c.id).where(ticket_order.c.id == order_id)
        await connection.execute(locked.with_for_update())
        for id_ in sorted({from_, ask.event}):
            await connection.execute(sa.select(event.c.id).where(event.c.id == id_).with_for_update())
        if (known := await _exchanged(connection, ask.id)) is not None:
            # The same form, sent twice at once.
            if known != of:
                raise _reused()
            made = await returned(connection, of)
            if made is not None:
                return made, await order_named(connection, ask.id)
        offer = await offer_for(connection, of, ask.card.wallet, now := now_us())
        (at,) = (await events(connection, ids=[ask.event])).values()
        (wanted,) = [it for it in at.prices if it.id in ask.wanted]
        fee = _fee(offer, wanted)
        made = await write_in(connection, Returned(of, offer.amount, fee, offer.order.owner, now))
        (new,) = await orders.hold_in(connection, [ask])
        if isinstance(new, DomainError):
            raise new
        if new.state != "paying" or new.made_at_us < now:
            # An order that nobody exchanges a ticket for.
            raise _reused()
        await connection.execute(sa.insert(ticket_exchange).values(order_id=new.id, ticket=of))
    return made, new


async def _same(ledger: Ledger, known: UUID, of: UUID, price: UUID, card: Card) -> Order:
    async with ledger.engine.connect() as connection:
        query = sa.select(ticket_exchange.c.order_id).where(ticket_exchange.c.ticket == known)
        id_ = (await connection.execute(query)).scalar_one()
        made, new = await returned(connection, known), await order_named(connection, id_)
    if (known, new.lines[0].price, new.wallet) != (of, price, card.wallet):
        raise _reused()
    if new.state == "paying" and made is not None:
        return await finish(ledger, made, new)
    if new.state == "released":
        raise Conflict("The ticket was given back, and not exchanged.", "order-over")
    return new


async def _exchanged(connection: AsyncConnection, order: UUID) -> UUID | None:
    """The ticket that this order is exchanged for, where it is one of those."""
    query = sa.select(ticket_exchange.c.ticket).where(ticket_exchange.c.order_id == order)
    found: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _set_aside(ledger: Ledger, id_: UUID, offer: Offer, more: int) -> None:
    """What is to be paid on top. Raises DomainError("insufficient-funds")."""
    async with ledger.reader.connect() as connection:
        known = await currencies(connection)
    free = (await balances(ledger, offer.order.owner, known))[offer.order.currency]
    if free < more:
        raise DomainError("insufficient-funds", REFUSALS["insufficient-funds"], missing=more - free)
    if more <= 0:
        return
    outcome = await _hold(ledger, id_, offer.ticket.id, offer.order, more)
    if isinstance(outcome, Refused):
        raise DomainError(outcome.reason, REFUSALS[outcome.reason], missing=more)
    if not isinstance(outcome, Held) or outcome.ended not in {None, "captured"}:
        raise _reused()


async def _still_set_aside(ledger: Ledger, made: Returned, new: Order) -> bool:
    """Whether what is paid on top may be taken from there."""
    more = new.amount - made.back
    if more <= 0 or now_us() > made.at_us + _HELD_FOR_US // 2:
        return False
    outcome = await _hold(ledger, new.id, made.ticket, new, more)
    return isinstance(outcome, Held) and outcome.ended is None


async def _hold(ledger: Ledger, id_: UUID, of: UUID, order: Order, more: int) -> Outcome:
    """On the wallet of this order. As often as anyone likes."""
    async with ledger.reader.connect() as connection:
        known = await currencies(connection)
    (wallet,) = await ledger.accounts([wallet_key(order.owner, known[order.currency])])
    asked = sha256(f"{id_} {of} {more}".encode()).digest()
    until = now_us() + _HELD_FOR_US
    (outcome,) = await ledger.post([Hold(_hold_of(id_), asked, wallet, more, until, order.owner)])
    return outcome


def _hold_of(order: UUID) -> UUID:
    return derived("ticket-exchange", order)


def _reused() -> Invalid:
    return Invalid("This id was used for other content.", "idempotency-key-reused")
