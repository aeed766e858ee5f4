"""A basket is paid from several currencies: worked evenings first, then what holds for every basket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.paying import (
    Item,
    Money,
    Payment,
    PricedLine,
    Purse,
    Rest,
    RoundUp,
    Short,
    Tender,
    accepted,
    buys,
    euro_cents,
    pay,
    spending_order,
    verify,
)
from app.rules.policy import Limits, Policy, Spending

BAR = "raffinerie"
RAF = Money("RAF", "pegged", 1, "network", Policy(spending=Spending(round_up="asso")), 0)
PEAK = Money("PEAK", "pegged", 1, BAR, Policy(), 1)
GIFT = Money("GIFT", "gift", 1, "network", Policy(), 2)
TIME = Money("TIME", "time", None, "network", Policy(), 3)
POINTS = Money("POINTS", "points", None, "network", Policy(), 4)
BARTER = Money("BARTER", "mutual", None, "network", Policy(), 5)
# One unit of a large currency is a whole euro.
SOL = Money("SOL", "pegged", 100, "network", Policy(), 6)
ALL = (RAF, PEAK, GIFT, TIME, POINTS, BARTER)

BEER = Item("beer", "drinks", 1, {"RAF": 500, "TIME": 30})
PIE = Item("pie", "food", 1, {"RAF": 340})
LOAN = Item("tent", "loans", 1, {"POINTS": 12})


def paid(*items: Item, purse: Mapping[str, int], moneys: tuple[Money, ...] = ALL, **more: Any) -> Payment:
    result = pay(items, [Purse(purse)], moneys, BAR, **{"rest_allowed": False, **more})
    assert isinstance(result, Payment)
    return result


def own(code: str, amount: int, purse: int = 0) -> Tender:
    return Tender(code, amount, code, amount, purse)


def only_for(money: Money, *categories: str) -> Money:
    return replace(money, policy=Policy(spending=Spending(categories=categories)))


def test_a_beer_in_euros() -> None:
    assert paid(BEER, purse={"RAF": 2000, "TIME": 60}).tenders == (own("RAF", 500),)


def test_a_beer_in_hours_when_the_volunteer_asks_for_it() -> None:
    payment = paid(BEER, purse={"RAF": 2000, "TIME": 60}, prefer=["TIME"])
    assert payment.tenders == (own("TIME", 30),)
    assert payment.lines == (PricedLine(BEER, "TIME", 30),)


def test_a_line_is_never_half_in_hours() -> None:
    round_of_beers = replace(BEER, quantity=3)
    assert paid(round_of_beers, purse={"RAF": 2000, "TIME": 60}, prefer=["TIME"]).tenders == (own("RAF", 1500),)


def test_one_beer_in_hours_and_the_next_in_euros() -> None:
    payment = paid(BEER, BEER, purse={"RAF": 2000, "TIME": 59}, prefer=["TIME"])
    assert [line.currency for line in payment.lines] == ["TIME", "RAF"]
    assert payment.tenders == (own("TIME", 30), own("RAF", 500))


def test_what_only_hours_buy_is_not_spent_on_what_euros_buy() -> None:
    seat = Item("seat", "shifts", 1, {"TIME": 30})
    payment = paid(BEER, seat, purse={"RAF": 500, "TIME": 30}, prefer=["TIME"])
    assert payment.tenders == (own("TIME", 30), own("RAF", 500))


def test_twelve_of_which_five_are_a_gift() -> None:
    dish = Item("dish", "food", 1, {"RAF": 1200})
    assert paid(dish, purse={"RAF": 2000, "GIFT": 500}).tenders == (
        Tender("GIFT", 500, "RAF", 500),
        own("RAF", 700),
    )


def test_gift_goes_before_the_venues_own_money_and_that_before_the_networks() -> None:
    purse = {"RAF": 500, "PEAK": 200, "GIFT": 100}
    assert [(it.currency, it.amount) for it in paid(BEER, purse=purse).tenders] == [
        ("GIFT", 100),
        ("PEAK", 200),
        ("RAF", 200),
    ]


def test_elsewhere_a_venues_money_has_no_precedence() -> None:
    assert [it.code for it in spending_order(ALL, "canal")] == ["GIFT", "POINTS", "TIME", "BARTER", "RAF", "PEAK"]


def test_the_network_may_say_another_order() -> None:
    last = replace(GIFT, policy=Policy(spending=Spending(priority=99)))
    assert [it.code for it in spending_order((RAF, last, PEAK), BAR)] == ["PEAK", "RAF", "GIFT"]


def test_the_order_does_not_depend_on_how_moneys_are_listed() -> None:
    assert spending_order(ALL[::-1], BAR) == spending_order(ALL, BAR)


def test_a_preferred_money_goes_before_a_gift() -> None:
    assert paid(BEER, purse={"RAF": 500, "GIFT": 500}, prefer=["RAF"]).tenders == (own("RAF", 500),)


def test_a_gift_for_drinks_leaves_the_pie_to_other_money() -> None:
    payment = paid(BEER, PIE, purse={"RAF": 2000, "GIFT": 800}, moneys=(RAF, only_for(GIFT, "drinks")))
    assert payment.tenders == (Tender("GIFT", 500, "RAF", 500), own("RAF", 340))


def test_a_voucher_for_beer_is_not_lost_because_a_free_gift_came_first() -> None:
    free, for_drinks = replace(GIFT, code="AAA"), replace(only_for(GIFT, "drinks"), code="BBB")
    payment = paid(BEER, PIE, purse={"AAA": 340, "BBB": 500}, moneys=(RAF, free, for_drinks))
    assert payment.tenders == (Tender("AAA", 340, "RAF", 340), Tender("BBB", 500, "RAF", 500))


def test_the_same_across_two_currencies_of_prices() -> None:
    local_pie = Item("pie", "food", 1, {"PEAK": 340})
    free, for_drinks = replace(GIFT, code="AAA"), replace(only_for(GIFT, "drinks"), code="BBB")
    payment = paid(BEER, local_pie, purse={"AAA": 340, "BBB": 500}, moneys=(RAF, PEAK, free, for_drinks))
    assert payment.tenders == (Tender("AAA", 340, "PEAK", 340), Tender("BBB", 500, "RAF", 500))


def test_money_of_another_venue_is_not_taken() -> None:
    elsewhere = replace(PEAK, policy=Policy(spending=Spending(venues=("canal",))))
    assert pay([BEER], [Purse({"PEAK": 900})], (RAF, elsewhere), BAR, rest_allowed=False) == Short({"RAF": 500})


def test_one_payment_keeps_to_the_limit_of_each_wallet() -> None:
    limited = replace(GIFT, policy=Policy(limits=Limits(per_payment=150)))
    purses = [Purse({"GIFT": 900}), Purse({"GIFT": 900, "RAF": 900})]
    result = pay([BEER], purses, (RAF, limited), BAR, rest_allowed=False)
    assert isinstance(result, Payment)
    assert result.tenders == (
        Tender("GIFT", 150, "RAF", 150, 0),
        Tender("GIFT", 150, "RAF", 150, 1),
        own("RAF", 200, purse=1),
    )


def test_the_second_card_pays_what_the_first_one_lacks() -> None:
    result = pay([BEER], [Purse({"RAF": 120}), Purse({"RAF": 900, "GIFT": 100})], ALL, BAR, rest_allowed=False)
    assert isinstance(result, Payment)
    assert result.tenders == (own("RAF", 120), Tender("GIFT", 100, "RAF", 100, 1), own("RAF", 280, purse=1))


def test_two_cards_pay_one_line_in_hours() -> None:
    result = pay([BEER], [Purse({"TIME": 20}), Purse({"TIME": 20})], ALL, BAR, prefer=["TIME"], rest_allowed=False)
    assert isinstance(result, Payment)
    assert result.tenders == (own("TIME", 20), own("TIME", 10, purse=1))


def test_the_rest_is_left_to_cash_when_allowed_and_missing_when_not() -> None:
    assert paid(BEER, purse={"RAF": 120}, rest_allowed=True).rest == (Rest("RAF", 380),)
    assert pay([BEER], [Purse({"RAF": 120})], ALL, BAR, rest_allowed=False) == Short({"RAF": 380})


def test_points_that_are_missing_are_never_paid_in_cash() -> None:
    result = pay([LOAN, BEER], [Purse({"POINTS": 10})], ALL, BAR, rest_allowed=True)
    assert result == Short({"POINTS": 2})


def test_all_that_is_missing_is_told_at_once() -> None:
    loans = [LOAN, replace(LOAN, product="stage")]
    assert pay([*loans, BEER], [Purse({"POINTS": 10, "RAF": 1})], ALL, BAR, rest_allowed=False) == Short(
        {"POINTS": 14, "RAF": 499}
    )


def test_points_that_buy_other_things_only_are_missing_altogether() -> None:
    moneys = (RAF, only_for(POINTS, "books"))
    assert pay([LOAN], [Purse({"POINTS": 99})], moneys, BAR, rest_allowed=True) == Short({"POINTS": 12})


def test_barter_credit_pays_a_line_of_its_own() -> None:
    print_job = Item("leaflets", "print", 1, {"BARTER": 100_000})
    assert paid(print_job, purse={"BARTER": 100_000}).tenders == (own("BARTER", 100_000),)


def test_of_several_prices_the_networks_first_is_charged() -> None:
    dear = Item("wine", "drinks", 1, {"PEAK": 380, "RAF": 400})
    assert paid(dear, purse={"RAF": 400, "PEAK": 400}).lines[0].currency == "RAF"
    assert paid(dear, purse={"RAF": 400, "PEAK": 400}, prefer=["PEAK"]).tenders == (own("PEAK", 380),)
    assert paid(dear, purse={"RAF": 400, "PEAK": 379}, prefer=["PEAK"]).lines[0].currency == "RAF"


def test_a_price_in_money_that_is_taken_here_goes_before_one_that_is_not() -> None:
    elsewhere = replace(RAF, policy=Policy(spending=Spending(venues=("canal",))))
    wine = Item("wine", "drinks", 1, {"RAF": 400, "PEAK": 380})
    assert paid(wine, purse={"PEAK": 400}, moneys=(elsewhere, PEAK)).tenders == (own("PEAK", 380),)
    assert paid(BEER, purse={"PEAK": 500}, moneys=(elsewhere, PEAK)).tenders == (Tender("PEAK", 500, "RAF", 500),)


def test_large_units_pay_multiples_and_the_rest_is_left_to_others() -> None:
    assert paid(PIE, purse={"SOL": 9}, moneys=(RAF, SOL), rest_allowed=True) == Payment(
        (PricedLine(PIE, "RAF", 340),), (Tender("SOL", 3, "RAF", 300),), (Rest("RAF", 40),)
    )


def test_a_gift_makes_way_for_a_large_unit_when_else_a_sum_would_stay_unpaid() -> None:
    assert paid(PIE, purse={"SOL": 3, "GIFT": 100}, moneys=(RAF, GIFT, SOL)).tenders == (
        Tender("GIFT", 40, "RAF", 40),
        Tender("SOL", 3, "RAF", 300),
    )


def test_a_large_unit_pays_two_small_sums_together() -> None:
    water, bun = Item("water", "drinks", 1, {"RAF": 60}), Item("bun", "food", 1, {"RAF": 40})
    moneys = (RAF, only_for(GIFT, "drinks"), SOL)
    assert paid(water, bun, purse={"SOL": 1}, moneys=moneys).tenders == (Tender("SOL", 1, "RAF", 100),)


def test_prices_in_large_units_are_paid_in_small_ones() -> None:
    coffee = Item("coffee", "drinks", 2, {"SOL": 1})
    moneys = (RAF, GIFT, SOL)
    assert paid(coffee, purse={"GIFT": 150, "RAF": 300}, moneys=moneys).tenders == (
        Tender("GIFT", 100, "SOL", 1),
        Tender("RAF", 100, "SOL", 1),
    )


def test_a_round_up_comes_on_top() -> None:
    payment = paid(PIE, purse={"RAF": 400, "GIFT": 100}, round_up=True)
    assert payment.round_up == RoundUp("RAF", 60)
    assert payment.tenders == (Tender("GIFT", 100, "RAF", 100), own("RAF", 240))


@pytest.mark.parametrize(
    ("item", "purse"),
    [(PIE, {"RAF": 399}), (BEER, {"RAF": 900}), (PIE, {"GIFT": 900}), (PIE, {"RAF": 10})],
    ids=["too little", "already round", "only gifts", "rest in cash"],
)
def test_a_round_up_that_cannot_be_given_is_left_out(item: Item, purse: dict[str, int]) -> None:
    assert paid(item, purse=purse, rest_allowed=True, round_up=True).round_up is None


def test_what_is_free_costs_nothing() -> None:
    assert paid(Item("water", "drinks", 3, {"RAF": 0}), purse={}).tenders == ()


def test_an_overdrawn_purse_pays_nothing() -> None:
    assert paid(BEER, purse={"RAF": -400}, rest_allowed=True).rest == (Rest("RAF", 500),)


def test_without_a_card_all_is_cash() -> None:
    result = pay([BEER], [], ALL, BAR, rest_allowed=True, round_up=True)
    assert result == Payment((PricedLine(BEER, "RAF", 500),), (), (Rest("RAF", 500),))


def test_an_item_without_a_known_price_is_an_error() -> None:
    with pytest.raises(ValueError, match="tent"):
        pay([LOAN], [], (RAF,), BAR, rest_allowed=True)


@pytest.mark.parametrize(("kind", "cents"), [("pegged", None), ("pegged", 0), ("gift", None), ("time", 1)])
def test_a_money_is_worth_what_its_kind_says(kind: Any, cents: int | None) -> None:
    with pytest.raises(ValueError, match="worth"):
        Money("X", kind, cents, "network", Policy())


def test_what_each_kind_is_priced_at() -> None:
    assert [euro_cents("pegged", 5), euro_cents("gift", None), euro_cents("time", None)] == [5, 1, None]


BEER_LINE, PIE_LINE = PricedLine(BEER, "RAF", 500), PricedLine(PIE, "RAF", 340)
LOAN_LINE = PricedLine(LOAN, "POINTS", 12)


@pytest.mark.parametrize(
    ("lines", "tenders", "rest", "broken"),
    [
        ([BEER_LINE], [own("RAF", 500)], [], []),
        ([BEER_LINE], [Tender("GIFT", 200, "RAF", 200), own("RAF", 100)], [Rest("RAF", 200)], []),
        ([BEER_LINE], [own("EUR", 500)], [], ["unknown:EUR"]),
        ([BEER_LINE], [own("RAF", 501)], [], ["not-paid:RAF"]),
        ([BEER_LINE], [own("RAF", 499)], [], ["not-paid:RAF"]),
        ([BEER_LINE], [own("RAF", 600), own("RAF", -100, purse=1)], [], ["not-positive:RAF"]),
        ([BEER_LINE], [own("RAF", 400), own("RAF", 100)], [], ["twice:RAF"]),
        ([BEER_LINE], [own("RAF", 600)], [Rest("RAF", -100)], ["not-positive:RAF"]),
        ([BEER_LINE], [Tender("GIFT", 250, "RAF", 500)], [], ["rate:GIFT"]),
        ([BEER_LINE], [Tender("SOL", 500, "RAF", 500)], [], ["rate:SOL"]),
        ([BEER_LINE], [Tender("SOL", 5, "RAF", 500)], [], []),
        ([BEER_LINE], [Tender("TIME", 500, "RAF", 500)], [], ["covers:TIME"]),
        ([LOAN_LINE], [Tender("GIFT", 12, "POINTS", 12)], [], ["covers:GIFT"]),
        ([LOAN_LINE], [], [Rest("POINTS", 12)], ["rest:POINTS"]),
        ([LOAN_LINE], [own("POINTS", 12)], [], []),
        ([BEER_LINE], [Tender("FAR", 500, "RAF", 500)], [], ["not-here:FAR"]),
        ([BEER_LINE], [Tender("FEW", 101, "RAF", 101), own("RAF", 399)], [], ["over-payment:FEW"]),
        ([BEER_LINE, PIE_LINE], [Tender("BOOK", 500, "RAF", 500), own("RAF", 340)], [], ["category:BOOK"]),
        ([BEER_LINE, PIE_LINE], [Tender("FOOD", 341, "RAF", 341), own("RAF", 499)], [], ["category:FOOD"]),
        ([BEER_LINE, PIE_LINE], [own("RAF", 500), Tender("FOOD", 340, "RAF", 340)], [], []),
        ([PricedLine(BEER, "HOUR", 30)], [own("HOUR", 30)], [], ["category:HOUR"]),
    ],
)
def test_the_server_names_the_rule_that_a_payment_breaks(
    lines: list[PricedLine], tenders: list[Tender], rest: list[Rest], broken: list[str]
) -> None:
    moneys = (
        *ALL,
        SOL,
        replace(GIFT, code="FAR", policy=Policy(spending=Spending(venues=("canal",)))),
        replace(GIFT, code="FEW", policy=Policy(limits=Limits(per_payment=100))),
        replace(only_for(GIFT, "books"), code="BOOK"),
        replace(only_for(GIFT, "food"), code="FOOD"),
        replace(only_for(TIME, "shifts"), code="HOUR"),
    )
    assert verify(lines, tenders, rest, moneys, BAR) == broken


@pytest.mark.parametrize(
    ("given_up", "broken"),
    [(RoundUp("RAF", 60), []), (RoundUp("RAF", 61), ["round-up:RAF"]), (RoundUp("PEAK", 60), ["round-up:PEAK"])],
)
def test_a_round_up_is_exact_and_in_a_money_that_has_a_beneficiary(given_up: RoundUp, broken: list[str]) -> None:
    assert verify([PIE_LINE], [own("RAF", 340)], [], ALL, BAR, round_up=given_up) == broken


# What follows holds for every basket.

CATEGORIES = ("drinks", "food", "loans")
names = st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True).map(tuple)
policies = st.builds(
    Policy,
    limits=st.builds(Limits, per_payment=st.none() | st.integers(1, 300)),
    spending=st.builds(
        Spending,
        venues=st.sampled_from([(), (), (BAR,), ("canal",)]),
        categories=names,
        priority=st.none() | st.integers(1, 60),
        round_up=st.sampled_from([None, "asso"]),
    ),
)
KINDS = {"RAF": "pegged", "PEAK": "pegged", "SOL": "pegged", "GIFT": "gift", "TIME": "time", "POINTS": "points"}


@st.composite
def moneys_of_a_network(draw: st.DrawFn, rates: tuple[int, ...] = (1, 1, 2, 3, 100)) -> tuple[Money, ...]:
    return tuple(
        Money(code, kind, euro_cents(kind, draw(st.sampled_from(rates))), "network", draw(policies), place)  # type: ignore[arg-type]
        for place, (code, kind) in enumerate(KINDS.items())
    )


items = st.builds(
    Item,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(CATEGORIES),
    st.integers(1, 3),
    st.dictionaries(st.sampled_from(list(KINDS)), st.integers(0, 300), min_size=1, max_size=3),
)
baskets = st.lists(items, min_size=1, max_size=5)
purses = st.lists(
    st.dictionaries(st.sampled_from(list(KINDS)), st.integers(-50, 1000)).map(Purse), min_size=1, max_size=2
)
preferences = st.lists(st.sampled_from(list(KINDS)), max_size=2, unique=True)


@given(baskets, purses, moneys_of_a_network(), preferences, st.booleans(), st.booleans())
def test_a_basket_is_charged_exactly_and_nothing_is_overdrawn_or_broken(
    basket: list[Item], cards: list[Purse], moneys: tuple[Money, ...], prefer: list[str], rest: bool, up: bool
) -> None:
    result = pay(basket, cards, moneys, BAR, prefer=prefer, rest_allowed=rest, round_up=up)
    if isinstance(result, Short):
        assert result.missing
        assert all(amount > 0 for amount in result.missing.values())
        return
    known = {it.code: it for it in moneys}
    assert [line.item for line in result.lines] == basket
    assert all(line.item.prices[line.currency] == line.unit_price for line in result.lines)
    assert verify(result.lines, result.tenders, result.rest, moneys, BAR, round_up=result.round_up) == []
    assert rest or not result.rest
    taken: dict[tuple[int, str], int] = {}
    for it in result.tenders:
        taken[it.purse, it.currency] = taken.get((it.purse, it.currency), 0) + it.amount
    if result.round_up:
        taken[0, result.round_up.currency] = taken.get((0, result.round_up.currency), 0) + result.round_up.amount
    for (purse, code), amount in taken.items():
        assert amount <= cards[purse].available[code]
        assert accepted(known[code], BAR)
    # In euro cents, what is given is what is charged: no unit is made or lost.
    charged = sum(line.total * (known[line.currency].cents or 0) for line in result.lines)
    given_cents = sum(it.amount * (known[it.currency].cents or 0) for it in result.tenders)
    assert charged == given_cents + sum(it.amount * (known[it.covers].cents or 0) for it in result.rest)


@given(baskets, purses, moneys_of_a_network(), preferences, st.booleans())
def test_the_same_whatever_the_order_of_mappings(
    basket: list[Item], cards: list[Purse], moneys: tuple[Money, ...], prefer: list[str], rest: bool
) -> None:
    def turned(mapping: Mapping[str, int]) -> dict[str, int]:
        return dict(reversed(list(mapping.items())))

    one = pay(basket, cards, moneys, BAR, prefer=prefer, rest_allowed=rest)
    other = pay(
        [replace(it, prices=turned(it.prices)) for it in basket],
        [Purse(turned(it.available)) for it in cards],
        moneys[::-1],
        BAR,
        prefer=prefer,
        rest_allowed=rest,
    )
    assert one == other


def most_that_can_be_paid(basket: list[Item], room: Mapping[str, int], moneys: tuple[Money, ...]) -> int:
    """Largest flow by the smallest cut (Ford and Fulkerson): over every set of categories, what these cost or what
    the moneys that buy outside it hold. An oracle that shares nothing with the code it judges."""
    price: dict[str, int] = {}
    for it in basket:
        price[it.category] = price.get(it.category, 0) + it.quantity * it.prices["RAF"]
    cuts = []
    for size in range(len(price) + 1):
        for cut in combinations(price, size):
            outside = [category for category in price if category not in cut]
            held = sum(
                room.get(it.code, 0)
                for it in moneys
                if it.cents and accepted(it, BAR) and any(buys(it, category) for category in outside)
            )
            cuts.append(sum(price[category] for category in cut) + held)
    return min(cuts)


priced_in_euros = st.builds(
    Item,
    st.just("a"),
    st.sampled_from(CATEGORIES),
    st.integers(1, 2),
    st.fixed_dictionaries({"RAF": st.integers(0, 300)}),
)


@given(
    st.lists(priced_in_euros, min_size=1, max_size=5),
    st.dictionaries(st.sampled_from(list(KINDS)), st.integers(0, 400)),
    moneys_of_a_network(rates=(1,)),
)
def test_at_par_no_restriction_leaves_unpaid_what_some_way_could_pay(
    basket: list[Item], purse: dict[str, int], moneys: tuple[Money, ...]
) -> None:
    result = pay(basket, [Purse(purse)], moneys, BAR, rest_allowed=True)
    assert isinstance(result, Payment)
    room = {it.code: min(purse.get(it.code, 0), it.policy.limits.per_payment or 10**9) for it in moneys}
    assert sum(it.covered for it in result.tenders) == most_that_can_be_paid(basket, room, moneys)
    # Hall's condition: money that buys nothing outside some categories does not exceed what these cost.
    known = {it.code: it for it in moneys}
    for size in range(len(CATEGORIES)):
        for inside in combinations(CATEGORIES, size):
            cost = sum(it.quantity * it.prices["RAF"] for it in basket if it.category in inside)
            bound = sum(
                it.covered
                for it in result.tenders
                if not any(buys(known[it.currency], outside) for outside in set(CATEGORIES) - set(inside))
            )
            assert bound <= cost


@given(baskets, purses, moneys_of_a_network(), preferences)
def test_cash_is_asked_for_exactly_what_the_cards_are_short_of(
    basket: list[Item], cards: list[Purse], moneys: tuple[Money, ...], prefer: list[str]
) -> None:
    with_cash = pay(basket, cards, moneys, BAR, prefer=prefer, rest_allowed=True)
    without = pay(basket, cards, moneys, BAR, prefer=prefer, rest_allowed=False)
    if isinstance(with_cash, Payment) and with_cash.rest:
        assert without == Short({it.covers: it.amount for it in with_cash.rest})
    elif isinstance(with_cash, Payment):
        assert without == with_cash
