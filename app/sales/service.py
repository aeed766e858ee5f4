"""Sales while the terminal waits for an answer, and voids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.cards.service import balances, card_by_uid, wallet_key
from app.currencies.service import currencies
from app.ledger.rules.operations import Operation, Posted
from app.ledger.service import BookedOperation, Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.sales import booking
from app.sales.booking import Counter, fingerprint
from app.sales.rules import changed_prices, day_that_counts
from app.terminals.service import admitted, require_active
from app.venues.service import Venue, products, venue_named
from app.wire import Sale, SaleReply


async def counter_of(reader: AsyncEngine, device: UUID, epoch: int) -> Counter:
    """The counter at which a paired device stands. NotSignedIn if it may no longer sell."""
    async with reader.connect() as connection:
        terminal = await admitted(connection, device, epoch)
        return Counter(terminal, await venue_named(connection, terminal.venue), await currencies(connection))


async def sell(ledger: Ledger, counter: Counter, sale: Sale) -> tuple[SaleReply, bool]:
    """Book a sale now, or say why not. (reply, whether it was booked before).

    Raises Conflict("price-changed"), NotFound("card-unknown"), Forbidden("card-blocked"), Invalid
    ("currency-not-accepted"): none of them remembered under the id. DomainError("insufficient-funds") and
    Conflict("cancelled") are. Unavailable when the outcome is unknown or the queue is full.
    """
    require_active(counter.terminal)
    try:
        operation = await _checked(ledger, counter, sale)
    except DomainError:
        # Prices, cards and venues change; a sale that was booked before that stays booked, and is told again.
        if (reply := await _told_again(ledger, counter, sale)) is not None:
            return reply, True
        raise
    posted = await ledger.post_one(operation)
    return await _reply(ledger, counter, sale, posted), posted.replayed


async def _checked(ledger: Ledger, counter: Counter, sale: Sale) -> Operation:
    foreign = [tender.currency for tender in sale.tenders if tender.currency not in counter.venue.accepted]
    if foreign:
        raise Invalid(f"{counter.venue.name} does not accept {', '.join(foreign)}.", "currency-not-accepted")
    async with ledger.reader.connect() as connection:
        prices = {it.id: it.prices for it in await products(connection, counter.venue.id)}
        changed = set(changed_prices(((x.product, x.unit_price, x.currency) for x in sale.lines), prices))
        if changed:
            now = {str(x.product): prices.get(x.product, {}) for x in sale.lines if x.product in changed}
            names = ", ".join(x.name for x in sale.lines if x.product in changed)
            raise Conflict(f"The price has changed: {names}.", "price-changed", prices=now)
        card = await card_by_uid(connection, sale.card)
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    return await booking.online_sale(ledger, counter, sale, card)


async def _told_again(ledger: Ledger, counter: Counter, sale: Sale) -> SaleReply | None:
    found = (await ledger.booked([sale.id])).get(sale.id)
    if found is None or found.fingerprint != fingerprint(counter.terminal.id, sale):
        return None
    return await _reply(ledger, counter, sale, Posted(found.seq, found.transfers, replayed=True))


async def _reply(ledger: Ledger, counter: Counter, sale: Sale, posted: Posted) -> SaleReply:
    """The first answer, word for word, however often it is asked for: balances are those right after the booking."""
    left: dict[str, int] = {}
    by_account = {t.debit: t.debit_after for t in posted.transfers}
    async with ledger.reader.connect() as connection:
        card = await card_by_uid(connection, sale.card)
    for tender in sale.tenders:
        currency = counter.currencies[tender.currency]
        (wallet,) = await ledger.accounts([wallet_key(card.owner, currency)])
        left[tender.currency] = by_account.get(wallet, 0)
    return SaleReply(id=sale.id, status="booked", booked=posted.seq, balances=left)


async def reverse(
    ledger: Ledger,
    venue: Venue,
    original: BookedOperation,
    id_: UUID,
    *,
    actor: str,
    occurred_at_us: int,
    terminal: UUID | None,
    details: Mapping[str, object],
) -> Posted:
    """Take a booked sale back whole, as operation `id_`. DomainError("already-reversed")."""
    now = now_us()
    day, late = day_that_counts(venue.day_of(occurred_at_us), occurred_at_us, venue.day_of(now), now)
    operation = await ledger.reversal(
        original,
        id_,
        actor=actor,
        occurred_at_us=occurred_at_us,
        business_day=day,
        late=late,
        terminal=terminal,
        details=json.dumps({**json.loads(original.details), **details}, ensure_ascii=False, separators=(",", ":")),
    )
    return await ledger.post_one(operation)


async def void(ledger: Ledger, venue: Venue, sale: UUID, id_: UUID, *, actor: str, reason: str) -> Posted:
    """Staff undo a sale at their venue, by hand and not at the terminal. NotFound, DomainError("already-reversed")."""
    original = (await ledger.booked([sale])).get(sale)
    if original is None or original.kind != booking.KIND or original.venue != venue.id:
        raise NotFound("There is no such sale at this venue.")
    return await reverse(
        ledger, venue, original, id_, actor=actor, occurred_at_us=now_us(), terminal=None, details={"reason": reason}
    )


async def card_balances(ledger: Ledger, uid: str) -> dict[str, int]:
    """What a card holds, in minor units by currency."""
    async with ledger.reader.connect() as connection:
        card = await card_by_uid(connection, uid)
        known = await currencies(connection)
    return await balances(ledger, card.owner, known)
