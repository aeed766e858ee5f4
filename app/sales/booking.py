"""From a sale to its operation: the one place that knows which accounts a sale moves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from pydantic_core import to_json

from app.cards.service import Card, overdraft_key, wallet_key
from app.currencies.service import Currency, rates
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Cap, Flow, Operation, Posting
from app.ledger.service import Ledger, currency_book, reserve_book
from app.platform.clock import now_us
from app.rules.business_day import day_that_counts
from app.sales.parts import Move, moves_of
from app.sales.rulebook import PAYMENTS, Rulebook, Rules
from app.terminals.rows import Place
from app.venues.service import Venue
from app.wire import Sale

KIND = "sale"

Shortage = Mapping[str, int]
"""Minor units by currency."""


@dataclass(frozen=True, slots=True)
class Counter(Place):
    """Where a sale is made: a place, and the rules of its currencies there."""

    rulebook: Rulebook


def claim_key(venue: Venue, currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "claim", venue.owner)


def fund_key(currency: Currency, beneficiary: str) -> AccountKey:
    """Where round-ups for a beneficiary gather, in the money they were given in."""
    return AccountKey(currency_book(currency.issuer, currency.code), "fund", beneficiary)


def deposit_key(currency: Currency) -> AccountKey:
    """What is set aside for cups, until they come back."""
    return AccountKey(currency_book(currency.issuer, currency.code), "deposit")


def suspense_key(currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "suspense")


def online_sale(
    counter: Counter,
    sale: Sale,
    rules: Rules,
    wallets: Mapping[str, Mapping[str, int]],
    claims: Mapping[str, int],
    funds: Mapping[tuple[str, str], int],
    revision: int,
    per_day: Mapping[int, int],
) -> Operation:
    """A sale of plain products: wallets to claims, refused by the ledger when a wallet does not hold it, or has paid
    all that it may for now.

    Account ids: `wallets` by card and currency, `claims` by currency, `funds` by currency and beneficiary. `per_day`:
    what holders let some of the wallets pay on one day, by account.
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
    day = day_of(counter, sale.occurred_at_us, now_us())
    return _operation(counter, sale, day, rules, tuple(postings), revision=revision, limited=limited, per_day=per_day)


async def special_sale(
    ledger: Ledger,
    counter: Counter,
    sale: Sale,
    rules: Rules,
    cards: Mapping[str, Card],
    wallets: Mapping[str, Mapping[str, int]],
    revision: int,
    short: Shortage,
    per_day: Mapping[int, int],
    *,
    overrides_refusal: bool,
) -> Operation:
    """As `online_sale`, with lines that are no plain product. `short`: what of the deposits that come back nobody set
    aside, by currency."""
    moves = moves_of(sale, counter.venue.tips_to, _beneficiary(sale, rules))
    ids = await _numbers(ledger, counter, [(moves, short)], cards)
    postings = [it for move in moves for it in _postings(counter, ids, move, cards, short, online=True)]
    limited = {(wallets[it.card][it.currency], it.currency) for it in moves if it.currency not in rules.plain}
    return _operation(
        counter,
        sale,
        day_of(counter, sale.occurred_at_us, now_us()),
        rules,
        tuple(postings),
        revision=revision,
        limited=limited,
        per_day=per_day,
        overrides_refusal=overrides_refusal,
    )


@dataclass(frozen=True, slots=True)
class Delivered:
    """Sales that were made already, as operations, and the accounts whose debit a person should look at: overdrafts
    with their owner and currency."""

    operations: tuple[Operation, ...]
    suspense: frozenset[int]
    overdrafts: Mapping[int, tuple[str, str]]


async def delivered_sales(
    ledger: Ledger, counter: Counter, sales: Sequence[Sale], cards: Mapping[str, Card], short: Shortage | None = None
) -> Delivered:
    """The beer was poured: what a wallet does not hold is taken from its overdraft; what an unknown or blocked card was
    to pay, from suspense, until staff settle it. All accounts are asked for in one go.

    What a wallet may pay on one day, in a week or in a month stops nothing here: without network, a terminal cannot
    know what was paid elsewhere.
    """
    now = now_us()
    made = [
        (sale, day, rules, moves_of(sale, counter.venue.tips_to, _beneficiary(sale, rules)))
        for sale in sales
        for day in [day_of(counter, sale.occurred_at_us, now)]
        for rules in [counter.rulebook.at(now if day[1] else sale.occurred_at_us)]
    ]
    ids = await _numbers(ledger, counter, [(moves, short or {}) for *_, moves in made], cards)
    operations = []
    for sale, day, rules, moves in made:
        postings = [it for move in moves for it in _postings(counter, ids, move, cards, short or {}, online=False)]
        operations.append(_operation(counter, sale, day, rules, tuple(postings), overrides_refusal=True))
    return Delivered(
        tuple(operations),
        frozenset(id_ for (kind, _, _), id_ in ids.items() if kind == "suspense"),
        {id_: (owner, code) for (kind, owner, code), id_ in ids.items() if kind == "overdraft"},
    )


def _beneficiary(sale: Sale, rules: Rules) -> str | None:
    return rules.beneficiary(sale.round_up.currency) if sale.round_up is not None else None


async def _numbers(
    ledger: Ledger, counter: Counter, made: Iterable[tuple[Iterable[Move], Shortage]], cards: Mapping[str, Card]
) -> dict[tuple[str, str, str], int]:
    """Every account that moves may touch, by (kind, owner, currency)."""
    wanted: dict[tuple[str, str, str], AccountKey] = {}
    for move, short in ((move, short) for moves, short in made for move in moves):
        code, card = move.currency, cards.get(move.card)
        currency = counter.currencies[code]
        if ("suspense", "", code) not in wanted:
            wanted["suspense", "", code] = suspense_key(currency)
        if move.to == "fund":
            wanted["fund", move.fund, code] = fund_key(currency, move.fund)
        elif move.to == "claim" or (move.to == "back" and code in short):
            wanted["claim", "", code] = claim_key(counter.venue, currency)
        if move.to in {"deposit", "back"}:
            wanted["deposit", "", code] = deposit_key(currency)
        if move.to == "back" and code in short and currency.cents_per_unit:
            reserve = reserve_book(currency.issuer)
            wanted["due_from", "", code] = AccountKey(reserve, "due_from", counter.venue.owner)
            wanted["liability", "", code] = AccountKey(reserve, "liability", code)
            wanted["issuance", "", code] = AccountKey(currency_book(currency.issuer, code), "issuance")
        if card is not None and ("wallet", card.owner, code) not in wanted:
            wanted["wallet", card.owner, code] = wallet_key(card.owner, currency)
            # Of a blocked card too: it may have been debited before, when this row was first taken in.
            wanted["overdraft", card.owner, code] = overdraft_key(card.owner, currency)
    numbers = await ledger.accounts(list(wanted.values()), rates(counter.currencies))
    return dict(zip(wanted, numbers, strict=True))


def _postings(
    counter: Counter,
    ids: Mapping[tuple[str, str, str], int],
    move: Move,
    cards: Mapping[str, Card],
    short: Shortage,
    *,
    online: bool,
) -> Iterator[Posting]:
    code, card = move.currency, cards.get(move.card)
    if card is not None and card.status == "active":
        wallet, overdraft = ids["wallet", card.owner, code], ids["overdraft", card.owner, code]
        debit, overflow = wallet, None if online else overdraft
        credit, credit_overflow = overdraft, wallet
    elif move.to == "fund":
        # Nobody gives to others what the venue itself is still waiting for.
        return
    else:
        debit = credit = ids["suspense", "", code]
        overflow = credit_overflow = None
    if move.to != "back":
        to = ids[move.to, move.fund, code]
        yield Posting(debit, to, move.amount, debit_overflow=overflow)
        return
    missing = min(move.amount, short.get(code, 0))
    if move.amount > missing:
        yield Posting(ids["deposit", "", code], credit, move.amount - missing, credit_overflow=credit_overflow)
    if not missing:
        return
    cents = counter.currencies[code].cents_per_unit
    if cents:
        # The venue took cash for this cup: giving it back to a card is a top-up in cash, which the venue owes.
        yield Posting(ids["due_from", "", code], ids["liability", "", code], missing * cents)
        yield Posting(ids["issuance", "", code], credit, missing, credit_overflow=credit_overflow)
    else:
        # No cash ever paid for it, so it is the venue that gives it.
        yield Posting(ids["claim", "", code], credit, missing, credit_overflow=credit_overflow)


def rules_of(counter: Counter, sale: Sale) -> Rules:
    """What held when it was made; of a clock that cannot be right, what holds now."""
    now = now_us()
    _, late = day_of(counter, sale.occurred_at_us, now)
    return counter.rulebook.at(now if late else sale.occurred_at_us)


def fingerprint(terminal: UUID, sale: Sale) -> bytes:
    """The content of a sale and who made it; not how it was decided, so that an offline sale can follow a refusal."""
    return sha256(terminal.bytes + sale.fingerprint()).digest()


def day_of(counter: Counter, at_us: int, now: int) -> tuple[date, bool]:
    """(business day, whether it is another than that on which it happened)."""
    venue = counter.venue
    return day_that_counts(venue.day_of(at_us), at_us, venue.day_of(now), now)


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
    per_day: Mapping[int, int] | None = None,
) -> Operation:
    """`counts`: the business day, and whether it is another than that on which it happened. `limited`: (wallet,
    currency) of those that may pay only so much in some time."""
    day, late = counts
    conditions = [cap for wallet, code in sorted(limited) for cap in rules.caps(code, wallet, day)]
    conditions += [
        Cap(Flow((wallet,), False, PAYMENTS, day, day), per_day[wallet], "spending-limit")
        for wallet in sorted({it.debit for it in postings} & set(per_day or ()))
        if per_day
    ]
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
        details=to_json(details_of(counter, sale)).decode(),
        overrides_refusal=overrides_refusal,
        revision=revision,
        conditions=tuple(conditions),
    )


def details_of(counter: Counter, sale: Sale) -> dict[str, object]:
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
    if sale.bill is not None:
        details["bill"] = sale.bill
    if sale.reason is not None:
        details["reason"] = sale.reason
    return details
