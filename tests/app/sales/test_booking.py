"""Whatever a terminal sends and the server takes: what is moved is what the basket comes to, each money in its book."""

from __future__ import annotations

from datetime import time
from typing import Any
from uuid import UUID

from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.currencies.policies import PolicyVersion, unwritten
from app.currencies.service import Currency
from app.ledger.rules.operations import Operation
from app.money import Unit
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.paying import Item, Payment, Purse, pay
from app.rules.policy import Limits, Policy, Spending
from app.sales.booking import Counter, online_sale
from app.sales.rulebook import Rulebook, Rules
from app.terminals.service import Terminal
from app.venues.service import Venue
from app.wire import Sale
from tests.support.network import ECU, GIFT, POINTS, RAF, TEMPS

MUTUAL = Currency("BAR", "network", "mutual", Unit.CENT, "Barter", "Barter", "b", None, 5)
CURRENCIES = {it.code: it for it in (RAF, TEMPS, GIFT, POINTS, ECU, MUTUAL)}
EURO_CENTS = {"RAF": 1, "ECU": 2, "GIFT": 1}
CATEGORIES = ("Bar", "Repas")
CARDS = ("04A0000000A001", "04A0000000A002")
VENUE = Venue(uuid7(), "raffinerie", "Raffinerie", "Europe/Paris", time(6), tuple(CURRENCIES))
TERMINAL = Terminal(uuid7(), VENUE.id, "Bar", b"", "active", 1, 0)

# Account ids that tell what they are: the card's number, then the currency's.
NUMBERS = {code: number for number, code in enumerate(CURRENCIES)}
WALLETS = {card: {code: 100 * (1 + i) + n for code, n in NUMBERS.items()} for i, card in enumerate(CARDS)}
CLAIMS = {code: 300 + n for code, n in NUMBERS.items()}
FUNDS = {("RAF", "secours"): 400 + NUMBERS["RAF"], ("ECU", "secours"): 400 + NUMBERS["ECU"]}


def counter(policies: dict[str, Policy]) -> Counter:
    versions = {
        code: [unwritten(code, it.kind), *([PolicyVersion(code, 1, 0, policies[code])] if code in policies else [])]
        for code, it in CURRENCIES.items()
    }
    return Counter(TERMINAL, VENUE, CURRENCIES, Rulebook(VENUE, CURRENCIES, versions))


limits = st.builds(Limits, per_payment=st.none() | st.integers(1, 2000), per_day=st.none() | st.integers(1, 5000))
spendings = st.builds(
    Spending,
    venues=st.sampled_from([(), (VENUE.slug,), ("canal",)]),
    categories=st.sampled_from([(), ("Bar",)]),
    round_up=st.none() | st.just("secours"),
)
counters = st.dictionaries(
    st.sampled_from(sorted(CURRENCIES)), st.builds(Policy, limits=limits, spending=spendings), max_size=3
).map(counter)

items = st.lists(
    st.builds(
        Item,
        product=st.uuids().map(str),
        category=st.sampled_from(CATEGORIES),
        quantity=st.integers(1, 5),
        prices=st.builds(
            lambda euro, price, others: {**others, euro: price},
            st.sampled_from(["RAF", "RAF", "ECU", "GIFT", "TEMPS"]),
            st.integers(1, 400),
            st.dictionaries(st.sampled_from(sorted(CURRENCIES)), st.integers(1, 400), max_size=2),
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda it: it.product,
)
purses = st.lists(
    st.builds(Purse, st.fixed_dictionaries({code: st.integers(0, 1500) for code in sorted(CURRENCIES)})),
    min_size=1,
    max_size=2,
)


def sent(payment: Payment) -> dict[str, Any]:
    """The sale as a terminal sends what it decided."""
    return {
        "id": str(uuid7()),
        "card": CARDS[0],
        "lines": [
            {
                "product": it.item.product,
                "name": "Demi",
                "quantity": it.item.quantity,
                "unit_price": it.unit_price,
                "currency": it.currency,
            }
            for it in payment.lines
        ],
        "tenders": [
            {
                "currency": it.currency,
                "amount": it.amount,
                "covers": it.covers,
                "covered": it.covered,
                "card": CARDS[it.purse] if it.purse else None,
            }
            for it in payment.tenders
        ],
        "rest": [{"means": "cash", "covers": it.covers, "amount": it.amount} for it in payment.rest],
        "round_up": payment.round_up and {"currency": payment.round_up.currency, "amount": payment.round_up.amount},
        "occurred_at_us": now_us(),
    }


def check(sale: Sale, operation: Operation, rules: Rules) -> None:
    """Every posting stays in its currency's book, and all of them together come to the basket's total."""
    moved: dict[str, int] = {}
    given = 0
    for posting in operation.postings:
        of_debit, of_credit = posting.debit % 100, posting.credit % 100
        assert of_debit == of_credit, "money changed its book on the way"
        assert posting.debit < 300 <= posting.credit
        code = list(CURRENCIES)[of_debit]
        if posting.credit >= 400:
            given += posting.amount * EURO_CENTS[code]
        else:
            moved[code] = moved.get(code, 0) + posting.amount
    owed: dict[str, int] = {}
    for line in sale.lines:
        owed[line.currency] = owed.get(line.currency, 0) + line.quantity * line.unit_price
    for code in set(CURRENCIES) - set(EURO_CENTS):
        assert moved.get(code, 0) == owed.get(code, 0), "hours, points and credit pay their own prices, to the unit"
    euros = {code: cents for code, cents in EURO_CENTS.items() if code in owed or code in moved}
    in_cash = sum(it.amount * EURO_CENTS[it.covers] for it in sale.rest)
    charged = sum(moved.get(code, 0) * cents for code, cents in euros.items())
    total = sum(owed.get(code, 0) * cents for code, cents in euros.items())
    assert charged + in_cash == total
    assert 0 <= given < 100
    assert (given > 0) == (sale.round_up is not None)
    assert not given or (total + given) % 100 == 0
    used = {it.currency for it in sale.tenders} | ({sale.round_up.currency} if sale.round_up else set())
    assert sorted(operation.policy.split(",")) == sorted(rules.labels[code] for code in used)


def book(counter: Counter, sale: Sale, rules: Rules) -> Operation:
    return online_sale(counter, sale, rules, WALLETS, CLAIMS, FUNDS, 1, {})


# How long a busy machine takes is not what this is about.
@settings(deadline=None)
@given(counters, items, purses, st.lists(st.sampled_from(["TEMPS", "PTS", "BAR"]), unique=True), st.booleans())
def test_what_a_terminal_decides_the_server_takes(
    counter: Counter, items: list[Item], purses: list[Purse], prefer: list[str], round_up: bool
) -> None:
    rules = counter.rulebook.at(now_us())
    payment = pay(items, purses, rules.moneys.values(), VENUE.slug, prefer=prefer, rest_allowed=True, round_up=round_up)
    event(type(payment).__name__)
    if not isinstance(payment, Payment) or not payment.tenders:
        return
    sale = Sale.model_validate(sent(payment))
    event(f"{len({it.currency for it in sale.tenders})} currencies, {len(sale.cards)} cards")
    assert rules.objections(sale, VENUE, {UUID(it.product): it.category for it in items}) == []
    check(sale, book(counter, sale, rules), rules)


@settings(deadline=None)
@given(counters, items, purses, st.data())
def test_what_it_should_not_have_decided_the_server_refuses(
    counter: Counter, items: list[Item], purses: list[Purse], data: st.DataObject
) -> None:
    """One number or currency of a payment is changed: what passes for a sale and is not objected to still charges
    exactly the total, each money in its own book."""
    rules = counter.rulebook.at(now_us())
    payment = pay(items, purses, rules.moneys.values(), VENUE.slug, prefer=["TEMPS"], rest_allowed=True, round_up=True)
    if not isinstance(payment, Payment) or not payment.tenders:
        return
    body = sent(payment)
    tender = data.draw(st.sampled_from(body["tenders"]))
    what = data.draw(st.sampled_from(["currency", "covers", "amount", "covered", "round_up"]))
    if what == "round_up":
        body["round_up"] = {"currency": data.draw(st.sampled_from(sorted(CURRENCIES))), "amount": 7}
    elif what in ("currency", "covers"):
        tender[what] = data.draw(st.sampled_from(sorted(CURRENCIES)))
    else:
        tender[what] += data.draw(st.integers(-3, 3))
    try:
        sale = Sale.model_validate(body)
    except ValidationError:
        event("no sale")
        return
    objections = rules.objections(sale, VENUE, {UUID(it.product): it.category for it in items})
    event(f"{what}: {'refused' if objections else 'taken'}")
    if not objections:
        check(sale, book(counter, sale, rules), rules)
