"""What is missing on the card for a pass is topped up online in the same basket; the pass completes by itself once it
is there. Where the payment comes after its places were given to others, the money stays on the card."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from app.boxoffice.service import PAYMENT_US
from app.cards.service import Card
from app.currencies.service import Currency
from app.ledger.service import Ledger
from app.passes import sales
from app.passes.paying import missing_for, pay
from app.passes.sales import Sale
from app.passes.tables import pass_sale
from app.passes.tending import tend
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, NotFound, Unavailable
from app.rules.ids import derived
from app.topups import service as topups
from app.topups.provider import Provider
from app.venues.service import Network

_log = structlog.get_logger("comptoir.passes")

EVERY_S: Final = 5.0


def topup_of(sale: UUID) -> UUID:
    """The id of the top-up that brings what is missing for a pass."""
    return derived("pass-topup", sale)


async def begin_payment(
    ledger: Ledger, provider: Provider, network: Network, card: Card, currency: Currency, it: Sale, return_url: str
) -> tuple[UUID, str]:
    """(top-up, its payment page) for what is missing on the card. `return_url`: where the holder comes back to.

    Raises as `topups.check_room` and `topups.begin`; then the places stay held until their time is over.
    """
    least, _ = network.settings.top_up_limits(currency.cents_per_unit)
    amount, id_ = max(await missing_for(ledger, it), least), topup_of(it.id)
    known = await _topup(ledger, id_)
    if known is None:
        await topups.check_room(ledger, network, card, currency, amount)
    elif known.status == "pending":
        amount = known.amount
    if not await sales.link_topup(ledger.engine, it, id_, now_us() + PAYMENT_US):
        raise Conflict("The places are no longer kept for you.", "order-over")
    begun, url = await topups.begin(ledger.engine, provider, network, card, currency, amount, return_url, id_)
    return begun.id, url


async def complete(ledger: Ledger, id_: UUID) -> Sale:
    """Pay a pass whose money has come; as often as anyone likes. How it stands then."""
    it = await _sale(ledger, id_)
    if it.topup is None or it.state not in {"held", "released"}:
        return it
    paid = await _topup(ledger, it.topup)
    if paid is not None and paid.status == "pending":
        return it
    if paid is not None and paid.status == "credited" and it.state == "held":
        try:
            return await pay(ledger, it)
        except Unavailable:
            raise
        except DomainError as error:
            # Whatever refuses it now, the money is on the card, where its holder sees it.
            _log.info("pass not completed", id=str(id_), code=error.code)
    await sales.unlink_topup(ledger.engine, it)
    return await _sale(ledger, id_)


async def complete_all(ledger: Ledger) -> None:
    """One round."""
    async with ledger.reader.connect() as connection:
        states = pass_sale.c.state.in_(["held", "released"])
        waiting = await sales.sales(connection, pass_sale.c.topup.is_not(None), states)
    for it in waiting:
        try:
            await complete(ledger, it.id)
        except Exception:
            _log.exception("pass not completed", id=str(it.id))


async def see_to_passes_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await complete_all(ledger)
            await tend(ledger)
        except Exception:
            _log.exception("passes could not be seen to")
        await asyncio.sleep(every_s)


async def _sale(ledger: Ledger, id_: UUID) -> Sale:
    async with ledger.reader.connect() as connection:
        return await sales.sale_named(connection, id_)


async def _topup(ledger: Ledger, id_: UUID) -> topups.Topup | None:
    try:
        return await topups.named(ledger.engine, id_)
    except NotFound:
        return None
