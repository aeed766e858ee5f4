"""One basket: what is missing on the card is topped up online, and the order completes by itself once it is there.

The order and its top-up each have an id of their own, made once, so each happens once. Where the payment comes after
the places were given to others, they are placed again if there are any; if not, the money stays on the card.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from app.cards.service import Card, card_by_id
from app.conditions.service import known_of
from app.currencies.service import Currency
from app.events import orders
from app.events.orders import Ask, Order
from app.events.paying import missing_for, pay
from app.events.service import event_named
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import DomainError, NotFound, Unavailable
from app.rules.ids import derived
from app.topups import service as topups
from app.topups.provider import Provider
from app.venues.service import Network

_log = structlog.get_logger("comptoir.boxoffice")

EVERY_S: Final = 5.0
# As long as somebody may need on the payment page.
PAYMENT_US: Final = 20 * 60 * 1_000_000


def topup_of(order: UUID) -> UUID:
    """The id of the top-up that brings what is missing for an order."""
    return derived("ticket-topup", order)


def again_of(order: UUID) -> UUID:
    """The id of the order that takes its place where it was paid too late."""
    return derived("ticket-again", order)


async def begin_payment(
    ledger: Ledger, provider: Provider, network: Network, card: Card, currency: Currency, it: Order, return_url: str
) -> tuple[UUID, str]:
    """(top-up, its payment page) for what is missing on the card. `return_url`: where the holder comes back to.

    Raises as `topups.check_room` and `topups.begin`; then the places stay held until their time is over.
    """
    missing = await missing_for(ledger, it)
    least, _ = network.settings.top_up_limits(currency.cents_per_unit)
    amount = max(missing, least)
    id_ = topup_of(it.id)
    # Places that are kept long enough are paid for again where a payment failed.
    while (known := await _topup(ledger, id_)) is not None and known.status in {"failed", "cancelled"}:
        id_ = topup_of(id_)
    if known is None:
        await topups.check_room(ledger, network, card, currency, amount)
    elif known.status == "pending":
        amount = known.amount
    kept_until = max(it.hold_until_us, now_us() + PAYMENT_US)
    if not await orders.link_topup(ledger.engine, it, id_, kept_until):
        raise DomainError("order-over", "The places are no longer kept for you.")
    begun, url = await topups.begin(ledger.engine, provider, network, card, currency, amount, return_url, id_)
    return begun.id, url


async def complete(ledger: Ledger, id_: UUID) -> Order:
    """Pay an order whose money has come, or place it again; as often as anyone likes. How it stands then."""
    it = await _order(ledger, id_)
    if it.topup is None or it.state not in {"held", "released"}:
        return await _newest(ledger, it)
    paid = await _topup(ledger, it.topup)
    if paid is None or paid.status in {"failed", "cancelled"}:
        await orders.unlink_topup(ledger.engine, it)
        return it
    if paid.status != "credited":
        return it
    try:
        if it.state == "held":
            return await pay(ledger, it)
        return await _place_again(ledger, it)
    except Unavailable:
        raise
    except DomainError as error:
        # Whatever refuses it now, the money is on the card, where its holder sees it.
        _log.info("order not completed", order=str(id_), code=error.code)
        now = await _order(ledger, id_)
        # Given to others at this very moment: the next look places it again.
        if now.state == it.state:
            await orders.unlink_topup(ledger.engine, now)
        return now


async def complete_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await complete_all(ledger)
        except Exception:
            _log.exception("orders could not be completed")
        await asyncio.sleep(every_s)


async def complete_all(ledger: Ledger) -> None:
    """One round."""
    async with ledger.reader.connect() as connection:
        waiting = await orders.awaited(connection)
    for it in waiting:
        try:
            await complete(ledger, it.id)
        except Exception:
            _log.exception("order not completed", order=str(it.id))


async def _place_again(ledger: Ledger, it: Order) -> Order:
    if it.card is None:
        raise NotFound("There is no card.")
    async with ledger.reader.connect() as connection:
        card = await card_by_id(connection, it.card)
        at = await event_named(connection, it.event)
    wanted, known = {line.price: line.quantity for line in it.lines}, await known_of(ledger, card, at)
    made = await orders.hold(ledger.engine, Ask(again_of(it.id), it.event, card, wanted, it.channel, known=known))
    done = await pay(ledger, made)
    # Cancelled later, it goes back to the payment that brought it.
    await orders.carry_topup(ledger.engine, it, done)
    return done


async def _newest(ledger: Ledger, it: Order) -> Order:
    """What took its place, where something did."""
    if it.state != "released":
        return it
    try:
        return await _order(ledger, again_of(it.id))
    except NotFound:
        return it


async def _order(ledger: Ledger, id_: UUID) -> Order:
    async with ledger.reader.connect() as connection:
        return await orders.order_named(connection, id_)


async def _topup(ledger: Ledger, id_: UUID) -> topups.Topup | None:
    try:
        return await topups.named(ledger.engine, id_)
    except NotFound:
        return None
