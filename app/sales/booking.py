"""From a sale to its operation: the one place that knows which accounts a sale moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Delivered:
    """Sales that were made already, as operations, and the accounts whose debit a person should look at."""

    operations: tuple[Operation, ...]
    suspense: frozenset[int]
    overdrafts: frozenset[int]


async def delivered_sales(ledger: Ledger, counter: Counter, sales: Sequence[tuple[Sale, Card | None]]) -> Delivered:
    """The beer was poured: what a wallet does not hold is taken from its overdraft; with a card that is unknown or
    blocked, all of it from suspense, until staff settle it. All accounts are asked for in one go."""
    wanted: dict[tuple[str, str, str], AccountKey] = {}
    for code in {tender.currency for sale, _ in sales for tender in sale.tenders}:
        wanted["claim", "", code] = claim_key(counter.venue, counter.currencies[code])
        wanted["suspense", "", code] = suspense_key(counter.currencies[code])
    for sale, card in sales:
        if card is None:
            continue
        for tender in sale.tenders:
            currency = counter.currencies[tender.currency]
            if ("wallet", card.owner, currency.code) not in wanted:
                wanted["wallet", card.owner, currency.code] = wallet_key(card.owner, currency)
                # Of a blocked card too: it may have been debited before, when this row was first taken in.
                wanted["overdraft", card.owner, currency.code] = overdraft_key(card.owner, currency)
    numbers = await ledger.accounts(list(wanted.values()), rates(counter.currencies))
    ids = dict(zip(wanted, numbers, strict=True))
    operations = []
    for sale, card in sales:
        owner = card.owner if card is not None and card.status == "active" else None
        postings = tuple(
            Posting(ids["suspense", "", code], ids["claim", "", code], tender.amount)
            if owner is None
            else Posting(
                ids["wallet", owner, code],
                ids["claim", "", code],
                tender.amount,
                debit_overflow=ids["overdraft", owner, code],
            )
            for tender in sale.tenders
            for code in [tender.currency]
        )
        operations.append(_operation(counter, sale, postings, overrides_refusal=True))
    of_kind = {
        kind: frozenset(id_ for (it, _, _), id_ in ids.items() if it == kind) for kind in ("suspense", "overdraft")
    }
    return Delivered(tuple(operations), of_kind["suspense"], of_kind["overdraft"])


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
