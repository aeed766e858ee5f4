"""Sales while the terminal waits for an answer, and voids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.cards.service import balances, card_by_uid
from app.currencies.service import currencies
from app.ledger.rules.operations import Posted, Stale
from app.ledger.service import BookedOperation, Busy, Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.sales import booking
from app.sales.booking import Counter, fingerprint, online_sale
from app.sales.directory import Desk, Directory, Purse
from app.sales.rules import changed_prices, day_that_counts
from app.terminals.service import admitted, require_active
from app.venues.service import Venue, venue_named
from app.wire import Sale, SaleReply

# Each look finds the newest facts; only a network that changes faster than it can be read needs a third.
LOOKS_MAX = 5


async def counter_of(reader: AsyncEngine, device: UUID, epoch: int) -> Counter:
    """The counter at which a paired device stands. NotSignedIn if it may no longer sell."""
    async with reader.connect() as connection:
        terminal = await admitted(connection, device, epoch)
        return Counter(terminal, await venue_named(connection, terminal.venue), await currencies(connection))


async def sell(ledger: Ledger, directory: Directory, device: UUID, epoch: int, sale: Sale) -> tuple[SaleReply, bool]:
    """Book a sale now, or say why not. (reply, whether it was booked before).

    Raises Conflict("price-changed"), NotFound("card-unknown"), Forbidden("card-blocked"), Invalid
    ("currency-not-accepted"): none of them remembered under the id. DomainError("insufficient-funds") and
    DomainError("cancelled") are. NotSignedIn for a terminal that may no longer sell; what `Ledger.post` raises.
    """
    for _ in range(LOOKS_MAX):
        desk = await directory.desk(device, epoch)
        purse = await directory.purse(sale.card, desk)
        require_active(desk.counter.terminal)
        try:
            paying = _checked(desk, purse, sale)
        except DomainError:
            # Only what still holds is a reason to refuse.
            if await directory.outdated():
                continue
            # Prices, cards and venues change; a sale that was booked before that stays booked, and is told again.
            if (reply := await _told_again(ledger, desk, purse, sale)) is not None:
                return reply, True
            raise
        if paying.revision != desk.revision:
            # Something changed between the two looks; each holds, but perhaps not together.
            directory.forget()
            continue
        operation = online_sale(desk.counter, sale, paying.wallets, desk.claims, desk.revision)
        (outcome,) = await ledger.post([operation])
        if not isinstance(outcome, Stale):
            booked = posted(outcome)
            return _reply(sale, paying, booked), booked.replayed
        directory.forget()
    raise Busy


def _checked(desk: Desk, purse: Purse | None, sale: Sale) -> Purse:
    venue = desk.counter.venue
    foreign = [tender.currency for tender in sale.tenders if tender.currency not in desk.claims]
    if foreign:
        raise Invalid(f"{venue.name} does not accept {', '.join(foreign)}.", "currency-not-accepted")
    changed = changed_prices(((x.product, x.unit_price, x.currency) for x in sale.lines), desk.prices)
    if changed:
        names = ", ".join(x.name for x in sale.lines if x.product in changed)
        now = {str(product): dict(desk.prices.get(product, {})) for product in changed}
        raise Conflict(f"The price has changed: {names}.", "price-changed", prices=now)
    if purse is None:
        raise NotFound("This card is not known in this network.", "card-unknown")
    if purse.card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    return purse


async def _told_again(ledger: Ledger, desk: Desk, purse: Purse | None, sale: Sale) -> SaleReply | None:
    found = (await ledger.booked([sale.id])).get(sale.id)
    if found is None or found.fingerprint != fingerprint(desk.counter.terminal.id, sale):
        return None
    return _reply(sale, purse, Posted(found.seq, found.transfers))


def _reply(sale: Sale, purse: Purse | None, booked: Posted) -> SaleReply:
    """The first answer, word for word, however often it is asked for: balances are those right after the booking.

    A sale that the journal brought first may have been paid from suspense or on credit: then none is told."""
    after = {t.debit: t.debit_after for t in booked.transfers}
    wallets = {it.currency: purse.wallets[it.currency] for it in sale.tenders} if purse else {}
    left = {currency: after[wallet] for currency, wallet in wallets.items() if wallet in after}
    return SaleReply(id=sale.id, status="booked", booked=booked.seq, balances=left)


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
