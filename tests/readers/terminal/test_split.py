"""However a basket is divided, it is paid exactly, and what a card is asked for is known to be there or said not to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.rules.paying import Item, Money
from app.rules.policy import Limits, Policy, Spending
from app.wire import Rest, Sale, SaleLine, Tender
from readers.terminal.counter import Card, Held
from readers.terminal.shop import Basket
from readers.terminal.split import Split, offers, split

BEER = UUID("01900000-0000-7000-8000-000000000001")
FIRST, SECOND = Card("04A1B2C3D4E580", "C"), Card("04000000000001", "C")
RAF = Money("RAF", "pegged", 1, "network", Policy(), 0)
LOCAL = Money("LOC", "pegged", 100, "bar", Policy(), 1)
GIFT = Money("GIFT", "gift", 1, "network", Policy(spending=Spending(categories=("food",))), 2)
TIME = Money("TIME", "time", None, "network", Policy(), 3)
MONEYS = (RAF, LOCAL, GIFT, TIME)


def basket(*prices: tuple[str, int], category: str = "food", moneys: tuple[Money, ...] = MONEYS) -> Basket:
    """One line for each price, in its currency."""
    lines = tuple(
        SaleLine(product=BEER, name="Bière", quantity=1, unit_price=minor, currency=code) for code, minor in prices
    )
    items = tuple(Item(str(BEER), category, 1, {code: minor}) for code, minor in prices)
    price: Counter[str] = Counter()
    for code, minor in prices:
        price[code] += minor
    return Basket(lines, items, price, moneys, "bar")


def on(card: Card, **minor: int) -> Held:
    return Held(card, minor)


def test_gift_then_local_then_network_money() -> None:
    parts = split(basket(("RAF", 950)), [on(FIRST, RAF=1000, LOC=5, GIFT=120)])
    assert parts.tenders == (
        Tender(currency="GIFT", amount=120, covers="RAF", covered=120),
        Tender(currency="LOC", amount=5, covers="RAF", covered=500),
        Tender(currency="RAF", amount=330),
    )
    assert parts.missing == {}


def test_gift_money_pays_its_own_categories_only() -> None:
    parts = split(basket(("RAF", 450), category="drinks"), [on(FIRST, RAF=1000, GIFT=500)])
    assert parts.tenders == (Tender(currency="RAF", amount=450),)


def test_what_is_missing_is_asked_of_the_last_card_and_said() -> None:
    parts = split(basket(("RAF", 450)), [on(FIRST, RAF=100), on(SECOND, RAF=50)])
    assert parts.tenders == (
        Tender(currency="RAF", amount=100),
        Tender(currency="RAF", amount=350, card=SECOND.uid),
    )
    assert parts.missing == {"RAF": 300}


def test_what_no_money_of_a_card_may_pay_is_not_asked_of_it() -> None:
    small = replace(RAF, policy=Policy(limits=Limits(per_payment=400)))
    parts = split(basket(("RAF", 450), moneys=(small,)), [on(FIRST, RAF=1000)])
    assert parts == Split((), (), {"RAF": 50})
    assert offers(basket(("RAF", 450), moneys=(small,)), [on(FIRST, RAF=1000)]) == ("cash", "bank_card", "second_card")


def test_the_rest_is_for_prices_in_euros() -> None:
    mixed = basket(("RAF", 450), ("TIME", 30))
    assert offers(mixed, [on(FIRST, RAF=100, TIME=30)]) == ("cash", "bank_card", "second_card")
    assert offers(mixed, [on(FIRST, RAF=450, TIME=10)]) == ("second_card",)
    parts = split(mixed, [on(FIRST, RAF=100, TIME=30)], "bank_card")
    assert parts.rest == (Rest(means="bank_card", covers="RAF", amount=350),)


def test_a_third_card_is_not_asked_for_and_an_empty_one_is_no_help() -> None:
    assert offers(basket(("RAF", 450)), [on(FIRST, RAF=1), on(SECOND, RAF=1)]) == ("cash", "bank_card")
    assert offers(basket(("RAF", 450)), [on(FIRST, TIME=60)]) == ()


def test_a_member_of_mutual_credit_pays_down_to_the_floor() -> None:
    barter = Money("BAR", "mutual", None, "network", Policy(limits=Limits(floor=-1000)), 0)
    parts = split(basket(("BAR", 900), moneys=(barter,)), [on(FIRST, BAR=-50)])
    assert (parts.tenders, parts.missing) == ((Tender(currency="BAR", amount=900),), {})
    assert split(basket(("BAR", 900), moneys=(barter,)), [on(FIRST, BAR=-200)]).missing == {"BAR": 100}


HELD = st.fixed_dictionaries(
    {"RAF": st.integers(-500, 1500), "LOC": st.integers(0, 12), "GIFT": st.integers(0, 900), "TIME": st.integers(0, 90)}
)
PRICES = st.lists(
    st.tuples(st.just("RAF"), st.integers(1, 1500))
    | st.tuples(st.just("LOC"), st.integers(1, 15))
    | st.tuples(st.just("TIME"), st.integers(1, 60)),
    min_size=1,
    max_size=4,
)


@given(PRICES, st.lists(HELD, min_size=1, max_size=2), st.sampled_from([None, "cash", "bank_card"]))
def test_the_sale_is_paid_exactly_and_no_card_gives_what_it_is_not_said_to_hold(
    prices: list[tuple[str, int]], purses: list[dict[str, int]], rest: object
) -> None:
    asked, cards = basket(*prices), [FIRST, SECOND]
    held = [Held(card, minor) for card, minor in zip(cards, purses, strict=False)]
    parts = split(asked, held, rest)  # type: ignore[arg-type]
    if not parts.tenders:
        assert parts.missing or parts.rest
        return
    # The wire itself refuses tenders that do not pay the lines.
    sale = Sale(id=BEER, card=FIRST.uid, lines=asked.lines, tenders=parts.tenders, rest=parts.rest, occurred_at_us=1)
    given_by = {one.card.uid: Counter[str]() for one in held}
    for tender in sale.tenders:
        given_by[tender.card or FIRST.uid][tender.currency] += tender.amount
    # Only the last card may be asked for more than it is known to hold, and only where that is said.
    certain = held[:-1] if parts.missing else held
    for one in certain:
        assert all(minor <= max(0, one.available[code]) for code, minor in given_by[one.card.uid].items())
