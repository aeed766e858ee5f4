"""Top-ups and refunds at a terminal: asked for while the card lies on the reader, or delivered by a journal.

A venue takes cash for the issuer and owes it from then on; what it pays out to a holder lowers what it owes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from app.cards.service import Card, card_by_uid, cards_by_uid, overdraft_key, wallet_key
from app.currencies.service import Currency, rates
from app.identity.staff import Staff
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Condition, Conflict, Operation, Outcome, Posted, Posting
from app.ledger.service import Ledger, currency_book, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Forbidden, Invalid
from app.terminals.away import require_all_heard
from app.terminals.rows import Asks, Exceptions, HandlersOf, Place, day_of
from app.topups import booking, service
from app.topups.amounts import limits_of
from app.venues.service import the_network
from app.wire import RefundRow, TopUpRow

REFUND = "refund.cash"


async def ask_top_up(ledger: Ledger, place: Place, staff: Staff, row: TopUpRow) -> Posted:
    """Credit a card now, or say why not. Forbidden("forbidden", "card-blocked"), NotFound("card-unknown"), Invalid(
    "currency-not-accepted", "amount-out-of-range", "too-much-at-once"), DomainError("daily-cap", "over-ceiling")."""
    staff.require("top_up")
    currency = _bought(place, row.currency)
    async with ledger.reader.connect() as connection:
        card, network = await card_by_uid(connection, row.card), await the_network(connection)
    version = await service.rules_of(ledger, currency)
    if not await ledger.booked([row.id]):
        if not staff.principal.holds_role(version.policy.issue.roles, place.venue.id):
            raise Forbidden(f"The rules of {currency.code} do not let you sell it here.")
        _check_card(card)
        limits = limits_of(network.settings, currency)
        if not limits.within(row.amount):
            raise Invalid(
                "This amount is not among those that can be topped up.",
                "amount-out-of-range",
                least=limits.least,
                most=limits.most,
            )
        service.check_amount(version, row.amount)
    accounts = tuple(await ledger.accounts([overdraft_key(card.owner, currency), wallet_key(card.owner, currency)]))
    conditions = booking.conditions_of(version, accounts, place.venue.day_of(now_us()))
    return await ledger.post_one(await _top_up(ledger, place, row, currency, card, version.label, conditions))


async def book_top_ups(ledger: Ledger, place: Place, rows: Sequence[TopUpRow], exceptions: Exceptions) -> None:
    """The cash is in the till: it is booked. Of a card that nobody knows to suspense, until staff settle it."""
    async with ledger.reader.connect() as connection:
        cards = await cards_by_uid(connection, {row.card for row in rows})
    for row in rows:
        currency = place.currencies.get(row.currency)
        if currency is None or currency.cents_per_unit is None:
            exceptions.add(row.id, "currency-unknown", card=row.card, currency=row.currency, amount=row.amount)
            continue
        card = cards.get(row.card)
        version = await service.rules_of(ledger, currency)
        operation = await _top_up(ledger, place, row, currency, card, version.label, delivered=True)
        (outcome,) = await ledger.post([operation])
        if _booked(outcome, row, exceptions) and (card is None or card.status != "active"):
            exceptions.add(row.id, "unknown-card" if card is None else "blocked-card", card=row.card)


async def ask_refund(ledger: Ledger, place: Place, staff: Staff, row: RefundRow) -> Posted:
    """Take what the holder gets in cash off the card now, or say why not.

    Raises as `ask_top_up` does, Invalid("not-allowed") where the currency's rules pay holders nothing or not without a
    fee, Conflict("terminals-away") while a terminal without network may have sold to the card, and
    DomainError("insufficient-funds").
    """
    staff.require("refund")
    currency = _bought(place, row.currency)
    version = await service.rules_of(ledger, currency)
    async with ledger.reader.connect() as connection:
        card = await card_by_uid(connection, row.card)
    if not await ledger.booked([row.id]):
        _check_card(card)
        redeem = version.policy.redeem
        charged = redeem.fee.payer == "holder" and (redeem.fee.basis_points or redeem.fee.minimum)
        charged = charged or version.policy.refund.fixed or version.policy.refund.basis_points
        if "holders" not in redeem.who or charged:
            raise Invalid(f"{currency.code} is not paid out at a till.", "not-allowed")
        async with ledger.reader.connect() as connection:
            await require_all_heard(connection, place.terminal)
    return await ledger.post_one(await _refund(ledger, place, row, currency, card, version.label))


async def book_refunds(ledger: Ledger, place: Place, rows: Sequence[RefundRow], exceptions: Exceptions) -> None:
    """The cash is out of the till. Terminals pay nothing out without having asked, so this is booked already, or the
    holder owes it."""
    async with ledger.reader.connect() as connection:
        cards = await cards_by_uid(connection, {row.card for row in rows})
    for row in rows:
        currency = place.currencies.get(row.currency)
        if currency is None or currency.cents_per_unit is None:
            exceptions.add(row.id, "currency-unknown", card=row.card, currency=row.currency, amount=row.amount)
            continue
        version = await service.rules_of(ledger, currency)
        card = cards.get(row.card)
        operation = await _refund(ledger, place, row, currency, card, version.label, delivered=True)
        (outcome,) = await ledger.post([operation])
        if _booked(outcome, row, exceptions) and card is None:
            exceptions.add(row.id, "unknown-card", card=row.card)


HANDLERS: HandlersOf = {TopUpRow: book_top_ups, RefundRow: book_refunds}
ASKS: Asks = {TopUpRow: ask_top_up, RefundRow: ask_refund}


def _bought(place: Place, code: str) -> Currency:
    currency = place.currencies.get(code)
    if currency is None or currency.cents_per_unit is None or code not in place.venue.accepted:
        raise Invalid(f"{code} is not sold at {place.venue.name}.", "currency-not-accepted")
    return currency


def _check_card(card: Card) -> None:
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")


def _booked(outcome: Outcome, row: TopUpRow | RefundRow, exceptions: Exceptions) -> bool:
    if isinstance(outcome, Posted):
        return True
    reason = "id-reused" if isinstance(outcome, Conflict) else str(outcome)
    exceptions.add(row.id, "not-booked", card=row.card, amount=row.amount, currency=row.currency, reason=reason)
    return False


async def _accounts(ledger: Ledger, place: Place, currency: Currency, card: Card | None) -> Mapping[str, int]:
    book, reserve = currency_book(currency.issuer, currency.code), reserve_book(currency.issuer)
    keys = {
        "due_from": AccountKey(reserve, "due_from", place.venue.owner),
        "liability": AccountKey(reserve, "liability", currency.code),
        "issuance": AccountKey(book, "issuance"),
        "suspense": AccountKey(book, "suspense"),
    }
    if card is not None:
        keys |= {"overdraft": overdraft_key(card.owner, currency), "wallet": wallet_key(card.owner, currency)}
    return dict(zip(keys, await ledger.accounts(list(keys.values()), rates(place.currencies)), strict=True))


async def _top_up(
    ledger: Ledger,
    place: Place,
    row: TopUpRow,
    currency: Currency,
    card: Card | None,
    policy: str,
    conditions: tuple[Condition, ...] = (),
    *,
    delivered: bool = False,
) -> Operation:
    """Reserve book: due from the venue / liability. Currency book: issuance / what the wallet owes, then the wallet."""
    ids = await _accounts(ledger, place, currency, card)
    credit = (
        Posting(ids["issuance"], ids["suspense"], row.amount)
        if card is None
        else Posting(ids["issuance"], ids["overdraft"], row.amount, credit_overflow=ids["wallet"])
    )
    euros = row.amount * (currency.cents_per_unit or 0)
    postings = (Posting(ids["due_from"], ids["liability"], euros), credit)
    return _operation(place, row, booking.CASH, postings, policy, conditions, delivered=delivered)


async def _refund(
    ledger: Ledger,
    place: Place,
    row: RefundRow,
    currency: Currency,
    card: Card | None,
    policy: str,
    *,
    delivered: bool = False,
) -> Operation:
    """A cash top-up the other way round. What was paid out without being on the card, its overdraft bears."""
    ids = await _accounts(ledger, place, currency, card)
    if card is None:
        debit = Posting(ids["suspense"], ids["issuance"], row.amount)
    else:
        overflow = ids["overdraft"] if delivered else None
        debit = Posting(ids["wallet"], ids["issuance"], row.amount, debit_overflow=overflow)
    euros = row.amount * (currency.cents_per_unit or 0)
    postings = (debit, Posting(ids["liability"], ids["due_from"], euros))
    return _operation(place, row, REFUND, postings, policy, delivered=delivered)


def _operation(
    place: Place,
    row: TopUpRow | RefundRow,
    kind: str,
    postings: tuple[Posting, ...],
    policy: str,
    conditions: tuple[Condition, ...] = (),
    *,
    delivered: bool,
) -> Operation:
    day, late = day_of(place, row.at_us)
    return Operation(
        id=row.id,
        kind=kind,
        fingerprint=sha256(place.terminal.id.bytes + row.content().encode()).digest(),
        postings=postings,
        actor=place.actor,
        occurred_at_us=row.at_us,
        business_day=day,
        late=late,
        venue=place.venue.id,
        terminal=place.terminal.id,
        policy=policy,
        details=row.content(),
        overrides_refusal=delivered,
        conditions=conditions,
    )
