"""From a sale to its operation: the one place that knows which accounts a sale moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from app.cards.service import Card, overdraft_key, wallet_key
from app.currencies.service import Currency, rates
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.platform.clock import now_us
from app.rules.business_day import day_that_counts
from app.sales.rulebook import Rulebook, Rules
from app.terminals.rows import Place
from app.venues.service import Venue
from app.wire import Sale

KIND = "sale"


@dataclass(frozen=True, slots=True)
class Counter(Place):
    """Where a sale is made: a place, and the rules of its currencies there."""

    rulebook: Rulebook


def claim_key(venue: Venue, currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "claim", venue.owner)


def fund_key(currency: Currency, beneficiary: str) -> AccountKey:
    """Where round-ups for a beneficiary gather, in the money they were given in."""
    return AccountKey(currency_book(currency.issuer, currency.code), "fund", beneficiary)


def suspense_key(currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "suspense")


class Move(NamedTuple):
    """`amount` minor units of `currency` from a card: to the venue's claim, or to the fund of a `beneficiary`."""

    card: str
    currency: str
    amount: int
    beneficiary: str | None = None


def _moves(sale: Sale, rules: Rules) -> list[Move]:
    found = [Move(it.card or sale.card, it.currency, it.amount) for it in sale.tenders]
    more = sale.round_up
    if more is not None and (beneficiary := rules.beneficiary(more.currency)):
        found.append(Move(sale.card, more.currency, more.amount, beneficiary))
    return found


def online_sale(
    counter: Counter,
    sale: Sale,
    rules: Rules,
    wallets: Mapping[str, Mapping[str, int]],
    claims: Mapping[str, int],
    funds: Mapping[tuple[str, str], int],
    revision: int,
) -> Operation:
    """Wallets to claims, refused by the ledger when a wallet does not hold it, or has paid all that it may for now.

    Account ids: `wallets` by card and currency, `claims` by currency, `funds` by currency and beneficiary.
    """
    postings = [
        Posting(wallets[it.card or sale.card][it.currency], claims[it.currency], it.amount) for it in sale.tenders
    ]
    if sale.round_up is not None:
        code = sale.round_up.currency
        fund = funds[code, rules.beneficiary(code) or ""]
        postings.append(Posting(wallets[sale.card][code], fund, sale.round_up.amount))
    limited = {
        (wallets[it.card or sale.card][it.currency], it.currency)
        for it in sale.tenders
        if it.currency not in rules.plain
    }
    day = _day(counter, sale, now_us())
    return _operation(counter, sale, day, rules, tuple(postings), revision=revision, limited=limited)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Sales that were made already, as operations, and the accounts whose debit a person should look at: overdrafts
    with their owner and currency."""

    operations: tuple[Operation, ...]
    suspense: frozenset[int]
    overdrafts: Mapping[int, tuple[str, str]]


async def delivered_sales(
    ledger: Ledger, counter: Counter, sales: Sequence[Sale], cards: Mapping[str, Card]
) -> Delivered:
    """The beer was poured: what a wallet does not hold is taken from its overdraft; what an unknown or blocked card was
    to pay, from suspense, until staff settle it. All accounts are asked for in one go.

    What a wallet may pay on one day, in a week or in a month stops nothing here: without network, a terminal cannot
    know what was paid elsewhere.
    """
    now = now_us()
    made = [
        (sale, day, rules, _moves(sale, rules))
        for sale in sales
        for day in [_day(counter, sale, now)]
        for rules in [counter.rulebook.at(now if day[1] else sale.occurred_at_us)]
    ]
    wanted: dict[tuple[str, str, str], AccountKey] = {}
    for move in (move for *_, moves in made for move in moves):
        code, card = move.currency, cards.get(move.card)
        currency = counter.currencies[code]
        if ("suspense", "", code) not in wanted:
            wanted["suspense", "", code] = suspense_key(currency)
        if move.beneficiary is not None:
            wanted["fund", move.beneficiary, code] = fund_key(currency, move.beneficiary)
        elif ("claim", "", code) not in wanted:
            wanted["claim", "", code] = claim_key(counter.venue, currency)
        if card is not None and ("wallet", card.owner, code) not in wanted:
            wanted["wallet", card.owner, code] = wallet_key(card.owner, currency)
            # Of a blocked card too: it may have been debited before, when this row was first taken in.
            wanted["overdraft", card.owner, code] = overdraft_key(card.owner, currency)
    numbers = await ledger.accounts(list(wanted.values()), rates(counter.currencies))
    ids = dict(zip(wanted, numbers, strict=True))
    operations = []
    for sale, day, rules, moves in made:
        postings = []
        for move in moves:
            code, card = move.currency, cards.get(move.card)
            if card is not None and card.status == "active":
                debit, overflow = ids["wallet", card.owner, code], ids["overdraft", card.owner, code]
            elif move.beneficiary is None:
                debit, overflow = ids["suspense", "", code], None
            else:
                # Nobody gives to others what the venue itself is still waiting for.
                continue
            to = ("claim", "") if move.beneficiary is None else ("fund", move.beneficiary)
            postings.append(Posting(debit, ids[(*to, code)], move.amount, debit_overflow=overflow))
        operations.append(_operation(counter, sale, day, rules, tuple(postings), overrides_refusal=True))
    return Delivered(
        tuple(operations),
        frozenset(id_ for (kind, _, _), id_ in ids.items() if kind == "suspense"),
        {id_: (owner, code) for (kind, owner, code), id_ in ids.items() if kind == "overdraft"},
    )


def rules_of(counter: Counter, sale: Sale) -> Rules:
    """What held when it was made; of a clock that cannot be right, what holds now."""
    now = now_us()
    _, late = _day(counter, sale, now)
    return counter.rulebook.at(now if late else sale.occurred_at_us)


def fingerprint(terminal: UUID, sale: Sale) -> bytes:
    """The content of a sale and who made it; not how it was decided, so that an offline sale can follow a refusal."""
    return sha256(terminal.bytes + sale.fingerprint()).digest()


def _day(counter: Counter, sale: Sale, now: int) -> tuple[date, bool]:
    venue = counter.venue
    return day_that_counts(venue.day_of(sale.occurred_at_us), sale.occurred_at_us, venue.day_of(now), now)


def _operation(
    counter: Counter,
    sale: Sale,
    counts: tuple[date, bool],
    rules: Rules,
    postings: tuple[Posting, ...],
    *,
    overrides_refusal: bool = False,
    revision: int | None = None,
    limited: Collection[tuple[int, str]] = (),
) -> Operation:
    """`counts`: the business day, and whether it is another than that on which it happened. `limited`: (wallet,
    currency) of those that may pay only so much in some time."""
    day, late = counts
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
        policy=rules.label(sale),
        details=to_json(_details(counter, sale)).decode(),
        overrides_refusal=overrides_refusal,
        revision=revision,
        conditions=tuple(cap for wallet, code in sorted(limited) for cap in rules.caps(code, wallet, day)),
    )


def _details(counter: Counter, sale: Sale) -> dict[str, object]:
    """What is kept of a sale beside its transfers. How it was paid is told only where the transfers alone do not say
    it: "tenders" (what covers what, and which card paid), "rest" (what the venue's own till took), "round_up"."""
    details: dict[str, object] = {
        "card": sale.card,
        "cashier": str(sale.cashier) if sale.cashier else None,
        "terminal_name": counter.terminal.name,
        "lines": sale.lines,
    }
    if sale.rest or any(it.covers is not None or it.card is not None for it in sale.tenders):
        details["tenders"] = sale.tenders
    if sale.rest:
        details["rest"] = sale.rest
    if sale.round_up is not None:
        details["round_up"] = sale.round_up
    return details
