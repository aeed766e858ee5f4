"""Hours, gifts and points credited at a terminal: asked for with the card on the reader, or delivered by a journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from app.cards.service import Card, card_by_uid, cards_by_uid
from app.identity.staff import Staff
from app.issuing.service import ISSUED_AS, check_amount, issue_operations, terms_of
from app.ledger.rules.operations import Conflict, Operation, Posted
from app.ledger.service import Ledger
from app.platform.errors import Forbidden, Invalid
from app.terminals.rows import Asks, Exceptions, HandlersOf, Place, day_of
from app.venues.service import the_network
from app.wire import CreditRow


async def ask_credit(ledger: Ledger, place: Place, staff: Staff, row: CreditRow) -> Posted:
    """Credit a card now, or say why not. Forbidden, NotFound("card-unknown"), Invalid("currency-not-accepted",
    "too-much-at-once"), DomainError("daily-cap", "over-ceiling")."""
    staff.require("credit")
    currency = place.currencies.get(row.currency)
    if currency is None or currency.kind not in ISSUED_AS:
        raise Invalid(f"{row.currency} is not credited at a till.", "currency-not-accepted")
    async with ledger.reader.connect() as connection:
        card, network = await card_by_uid(connection, row.card), await the_network(connection)
    terms = await terms_of(ledger, network, place.venue, currency)
    if not await ledger.booked([row.id]):
        here = currency.issuer in {"network", f"venue:{place.venue.id}"}
        if not here or not staff.principal.holds_role(terms.policy.issue.roles, place.venue.id):
            raise Forbidden(f"The rules of {currency.code} do not let you issue it here.")
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        check_amount(terms, row.amount)
    (operation,) = await issue_operations(ledger, terms, [(row.id, card, row.amount, {})], actor=place.actor)
    return await ledger.post_one(_at(place, row, operation))


async def book_credits(ledger: Ledger, place: Place, rows: Sequence[CreditRow], exceptions: Exceptions) -> None:
    """Staff said so, and the card holder was told: it is credited. Beyond the day's cap, somebody should know."""
    async with ledger.reader.connect() as connection:
        cards, network = await cards_by_uid(connection, {row.card for row in rows}), await the_network(connection)
    for row in rows:
        currency, card = place.currencies.get(row.currency), cards.get(row.card)
        if currency is None or currency.kind not in ISSUED_AS or card is None:
            kind = "unknown-card" if card is None else "currency-unknown"
            exceptions.add(row.id, kind, card=row.card, currency=row.currency, amount=row.amount)
            continue
        terms = await terms_of(ledger, network, place.venue, currency)
        (operation,) = await issue_operations(ledger, terms, [(row.id, card, row.amount, {})], actor=place.actor)
        delivered = replace(_at(place, row, operation), conditions=(), overrides_refusal=True)
        (outcome,) = await ledger.post([delivered])
        if not isinstance(outcome, Posted):
            reason = "id-reused" if isinstance(outcome, Conflict) else str(outcome)
            exceptions.add(row.id, "not-booked", card=row.card, amount=row.amount, currency=row.currency, reason=reason)
        elif row.mode == "offline":
            _look_at(row, card, terms.policy.issue.per_operation, exceptions)


HANDLERS: HandlersOf = {CreditRow: book_credits}
ASKS: Asks = {CreditRow: ask_credit}


def _look_at(row: CreditRow, card: Card, most: int | None, exceptions: Exceptions) -> None:
    if card.status != "active":
        exceptions.add(row.id, "blocked-card", card=row.card)
    if most is not None and row.amount > most:
        exceptions.add(row.id, "against-policy", card=row.card, reasons=["too-much-at-once"])


def _at(place: Place, row: CreditRow, operation: Operation) -> Operation:
    """The operation as this row tells it: where, when, and under which content."""
    day, late = day_of(place, row.at_us)
    return replace(
        operation,
        fingerprint=sha256(place.terminal.id.bytes + row.content().encode()).digest(),
        occurred_at_us=row.at_us,
        business_day=day,
        late=late,
        terminal=place.terminal.id,
        details=row.content(),
    )
