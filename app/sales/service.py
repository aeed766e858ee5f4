"""Sales while the terminal waits for an answer, and voids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card, balances, card_by_uid
from app.currencies.policies import policies
from app.currencies.service import currencies
from app.leases import selling
from app.ledger.rules.operations import Operation, Posted, Refused, Stale
from app.ledger.service import REFUSALS, BookedOperation, Busy, Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.rules.business_day import day_that_counts
from app.rules.offline import Assurance
from app.rules.prices import GRACE_US
from app.rules.proven import pays_online, stricter
from app.sales import booking, deposits
from app.sales.booking import Counter, fingerprint, online_sale
from app.sales.directory import Desk, Directory, Purse
from app.sales.rulebook import Rulebook, Rules
from app.sales.rules import changed_prices, sells
from app.terminals.service import admitted, of_epoch, require_active
from app.venues.service import Venue, the_network, venue_named
from app.wire import Sale, SaleLine, SaleReply

# Each look finds the newest facts. A row of changes may overtake several of them on a busy machine, and no customer
# should be sent away for that.
LOOKS_MAX = 25


async def counter_of(reader: AsyncEngine, device: UUID, epoch: int) -> Counter:
    """The counter at which a paired device stands. NotSignedIn if it may no longer sell."""
    async with reader.connect() as connection:
        terminal = await admitted(connection, device, epoch)
        venue, known = await venue_named(connection, terminal.venue), await currencies(connection)
        return Counter(terminal, venue, known, Rulebook(venue, known, await policies(connection)))


async def counter_of_epoch(reader: AsyncEngine, device: UUID, epoch: int) -> Counter:
    """The counter at which an epoch's rows were written: its sales are those of the venue of then."""
    async with reader.connect() as connection:
        of = await of_epoch(connection, device, epoch)
        venue, known = await venue_named(connection, of.venue), await currencies(connection)
        return Counter(of, venue, known, Rulebook(venue, known, await policies(connection)))


async def sell(ledger: Ledger, directory: Directory, device: UUID, epoch: int, sale: Sale) -> tuple[SaleReply, bool]:
    """Book a sale now, or say why not. (reply, whether it was booked before).

    Raises Conflict("price-changed"), NotFound("card-unknown"), Forbidden("card-blocked", "card-not-proven"), Invalid
    ("currency-not-accepted", "tender-not-allowed"), DomainError("deposit-not-held"): none of them remembered under the
    id. DomainError ("insufficient-funds", "spending-limit", "cancelled") are. NotSignedIn for a terminal that may no
    longer sell; what `Ledger.post` raises.
    """
    if not sale.card:
        raise Invalid("A sale without a card comes with the terminal's journal.")
    for _ in range(LOOKS_MAX):
        desk = await directory.desk(device, epoch)
        found = {uid: await directory.purse(uid, desk) for uid in sale.cards}
        require_active(desk.counter.terminal)
        rules = desk.counter.rulebook.at(now_us())
        try:
            purses = _checked(desk, found, rules, sale)
            if selling.lines_of(sale):
                async with ledger.reader.connect() as connection:
                    await selling.check(connection, device, sale)
        except DomainError:
            # Only what still holds is a reason to refuse.
            if await directory.outdated():
                continue
            # Prices, cards and venues change; a sale that was booked before that stays booked, and is told again.
            if (reply := await told_again(ledger, desk, found, sale)) is not None:
                return reply, True
            raise
        if any(purse.revision != desk.revision for purse in purses.values()):
            # Something changed between the two looks; each holds, but perhaps not together.
            directory.forget()
            continue
        wallets = {uid: purse.wallets for uid, purse in purses.items()}
        per_day = {account: most for purse in purses.values() for account, most in purse.per_day.items()}
        if sale.plain:
            at = desk.revision
            operation = online_sale(desk.counter, sale, rules, wallets, desk.claims, desk.funds, at, per_day)
            (outcome,) = await ledger.post([operation])
        else:
            cards = {uid: purse.card for uid, purse in purses.items()}
            outcome = await deposits.sell(ledger, desk.counter, sale, rules, cards, wallets, desk.revision, per_day)
        if isinstance(outcome, Refused):
            raise await refusal(ledger, desk, purses, sale, outcome)
        if not isinstance(outcome, Stale):
            booked = posted(outcome)
            return reply_of(sale, purses, booked), booked.replayed
        directory.forget()
    raise Busy


def _checked(desk: Desk, found: Mapping[str, Purse | None], rules: Rules, sale: Sale) -> dict[str, Purse]:
    """The purses of the cards that pay."""
    venue = desk.counter.venue
    foreign = [tender.currency for tender in sale.tenders if tender.currency not in desk.claims]
    if foreign:
        raise Invalid(f"{venue.name} does not accept {', '.join(foreign)}.", "currency-not-accepted")
    if special := changed_prices((it for it in sale.lines if not it.tickets), desk.prices):
        _check_special(desk, sale, special)
    if not rules.needs_no_look(sale) and (objections := rules.objections(sale, venue, desk.categories)):
        raise Invalid("The basket cannot be paid this way.", "tender-not-allowed", reasons=objections)
    purses: dict[str, Purse] = {}
    for uid, purse in found.items():
        which = {} if uid == sale.card else {"card": uid}
        if purse is None:
            raise NotFound("This card is not known in this network.", "card-unknown", **which)
        if purse.card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked", **which)
        if not pays_online(desk.demand, sale.read_as(uid), purse.card.assurance):
            raise not_proven(**which)
        purses[uid] = purse
    return purses


def not_proven(**which: str) -> Forbidden:
    return Forbidden("This venue takes only cards that prove themselves.", "card-not-proven", **which)


async def require_proven(connection: AsyncConnection, venue: Venue, card: Card, read: Assurance) -> None:
    """Forbidden("card-not-proven") where money leaves a card that the terminal could only `read` so surely."""
    demand = stricter((await the_network(connection)).settings.proven_cards, venue.proven_cards)
    if not pays_online(demand, read, card.assurance):
        raise not_proven()


def _check_special(desk: Desk, sale: Sale, lines: Iterable[SaleLine]) -> None:
    now, zone = now_us(), desk.counter.venue.zone
    # A clock that is further off than a terminal's may be says nothing about prices.
    at_us = sale.occurred_at_us if abs(sale.occurred_at_us - now) <= GRACE_US else now
    changed = [it for it in lines if not sells(desk.articles.get(it.product), it, at_us, zone)]
    if changed:
        names = ", ".join(it.name for it in changed)
        articles = {it.product: desk.articles.get(it.product) for it in changed}
        prices = {str(id_): {} if it is None else dict(it.at(now, zone)) for id_, it in articles.items()}
        raise Conflict(f"The price has changed: {names}.", "price-changed", prices=prices)


async def refusal(ledger: Ledger, desk: Desk, purses: Mapping[str, Purse], sale: Sale, refused: Refused) -> DomainError:
    """With what the terminal needs to decide again: what the cards hold, in minor units by currency, and which card and
    currency it was (not when an old refusal is told again)."""
    holders = {
        number: {"card": uid, "currency": code}
        for uid, purse in purses.items()
        for code, number in purse.wallets.items()
    }
    held = {uid: await balances(ledger, it.card.owner, desk.counter.currencies) for uid, it in purses.items()}
    which = holders.get(refused.account, {}) if refused.account is not None else {}
    return DomainError(
        refused.reason, REFUSALS[refused.reason], balances=held.pop(sale.card), other_cards=held, **which
    )


async def told_again(ledger: Ledger, desk: Desk, purses: Mapping[str, Purse | None], sale: Sale) -> SaleReply | None:
    found = (await ledger.booked([sale.id])).get(sale.id)
    if found is None or found.fingerprint != fingerprint(desk.counter.terminal.id, sale):
        return None
    return reply_of(sale, purses, Posted(found.seq, found.transfers))


def reply_of(sale: Sale, purses: Mapping[str, Purse | None], booked: Posted) -> SaleReply:
    """The first answer, word for word, however often it is asked for: balances are those right after the booking.

    A sale that the journal brought first may have been paid from suspense or on credit: then none is told."""
    after = {t.debit: t.debit_after for t in booked.transfers}
    left: dict[str, dict[str, int]] = {uid: {} for uid in purses}
    if not sale.plain:
        # Of deposits that come back, what the wallet was last given or gave.
        for t in booked.transfers:
            after |= {t.debit: t.debit_after, t.credit: t.credit_after}
    for it in sale.tenders:
        uid = it.card or sale.card
        purse = purses[uid]
        if purse is not None and (wallet := purse.wallets[it.currency]) in after:
            left[uid][it.currency] = after[wallet]
    own = left.pop(sale.card)
    return SaleReply(id=sale.id, status="booked", booked=booked.seq, balances=own, other_cards=left)


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
    kind: str | None = None,
) -> Posted:
    """Take a booked sale back whole, as operation `id_`. `kind` as in Ledger.reversal.
    DomainError("already-reversed")."""
    now = now_us()
    day, late = day_that_counts(venue.day_of(occurred_at_us), occurred_at_us, venue.day_of(now), now)
    told = json.dumps({**json.loads(original.details), **details}, ensure_ascii=False, separators=(",", ":"))
    tried: Operation | None = None
    while True:
        operation = await ledger.reversal(
            original,
            id_,
            actor=actor,
            occurred_at_us=occurred_at_us,
            business_day=day,
            late=late,
            terminal=terminal,
            details=told,
            kind=kind,
        )
        try:
            # What was refused for want of a correction that came in between may be booked under its id all the same.
            done = await ledger.post_one(replace(operation, overrides_refusal=tried is not None))
        except DomainError as error:
            if error.code != "already-reversed" or (tried is not None and tried.postings == operation.postings):
                raise
        else:
            if selling.has_tickets(original.details):
                await selling.take_back(ledger.engine, [original.id])
            return done
        tried = operation


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
