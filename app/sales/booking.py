"""From a sale to its operation: the one place that knows which accounts a sale moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from pydantic_core import to_json

from app.cards.service import Card, overdraft_key, wallet_key
from app.currencies.service import Currency, rates
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.platform.clock import now_us
from app.sales.rules import day_that_counts
from app.terminals.service import Terminal
from app.venues.service import Venue
from app.wire import Sale

KIND = "sale"


@dataclass(frozen=True, slots=True)
class Counter:
    """Where a sale is made: the terminal, its venue, and the network's currencies."""

    terminal: Terminal
    venue: Venue
    currencies: Mapping[str, Currency]

    @property
    def actor(self) -> str:
        return f"terminal:{self.terminal.id}"


def claim_key(venue: Venue, currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "claim", venue.owner)


def suspense_key(currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "suspense")


def online_sale(
    counter: Counter, sale: Sale, wallets: Mapping[str, int], claims: Mapping[str, int], revision: int
) -> Operation:
    """Wallet to claim (account ids by currency), and refused by the ledger when the wallet does not hold it."""
    postings = tuple(Posting(wallets[it.currency], claims[it.currency], it.amount) for it in sale.tenders)
    return _operation(counter, sale, postings, overrides_refusal=False, revision=revision)


async def delivered_sale(ledger: Ledger, counter: Counter, sale: Sale, card: Card | None) -> Operation:
    """The beer was poured: what the wallet does not hold is taken from its overdraft; with a card that is unknown or
    blocked, all of it from suspense, until staff settle it."""
    postings = []
    for tender in sale.tenders:
        currency = counter.currencies[tender.currency]
        claim = claim_key(counter.venue, currency)
        if card is None or card.status != "active":
            suspense, credit = await ledger.accounts([suspense_key(currency), claim], rates(counter.currencies))
            postings.append(Posting(suspense, credit, tender.amount))
            continue
        keys = [wallet_key(card.owner, currency), overdraft_key(card.owner, currency), claim]
        wallet, overdraft, credit = await ledger.accounts(keys, rates(counter.currencies))
        postings.append(Posting(wallet, credit, tender.amount, debit_overflow=overdraft))
    return _operation(counter, sale, tuple(postings), overrides_refusal=True)


def fingerprint(terminal: UUID, sale: Sale) -> bytes:
    """The content of a sale and who made it; not how it was decided, so that an offline sale can follow a refusal."""
    return sha256(terminal.bytes + sale.fingerprint()).digest()


def _operation(
    counter: Counter,
    sale: Sale,
    postings: tuple[Posting, ...],
    *,
    overrides_refusal: bool,
    revision: int | None = None,
) -> Operation:
    now = now_us()
    day, late = day_that_counts(
        counter.venue.day_of(sale.occurred_at_us), sale.occurred_at_us, counter.venue.day_of(now), now
    )
    details = {
        "card": sale.card,
        "cashier": str(sale.cashier) if sale.cashier else None,
        "terminal_name": counter.terminal.name,
        "lines": sale.lines,
    }
    return Operation(
        id=sale.id,
        kind=KIND,
        fingerprint=fingerprint(counter.terminal.id, sale),
        postings=postings,
        actor=counter.actor,
        occurred_at_us=sale.occurred_at_us,
        business_day=day,
        late=late,
        venue=counter.venue.id,
        terminal=counter.terminal.id,
        details=to_json(details).decode(),
        overrides_refusal=overrides_refusal,
        revision=revision,
    )
