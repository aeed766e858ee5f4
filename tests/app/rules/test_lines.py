"""Lines that are no plain product: what they may be, and what they do to what is paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.rules.lines import LineKind, below_zero, sums, wrong_lines
from app.rules.moneys import owed
from app.rules.paying import Item, Money, Payment, PricedLine, Purse, Rest, Short, Tender, pay, verify
from app.rules.policy import Policy, Spending

BAR = "raffinerie"
RAF = Money("RAF", "pegged", 1, "network", Policy(), 0)
GIFT = Money("GIFT", "gift", 1, "network", Policy(), 1)
TIME = Money("TIME", "time", None, "network", Policy(), 2)
ALL = (RAF, GIFT, TIME)

BEER = Item("beer", "drinks", 1, {"RAF": 500})
CUP = Item("cup", "cups", 1, {"RAF": 100}, "deposit")
BOTTLE = Item("bottle", "glass", 1, {"RAF": -20}, "return")
TIP = Item("tip", "", 1, {"RAF": 50}, "tip")


def back(cups: int) -> Item:
    return Item("cup", "cups", cups, {"RAF": -100}, "deposit")


def paid(*items: Item, purse: Mapping[str, int], rest: bool = False) -> Payment:
    result = pay(items, [Purse(purse)], ALL, BAR, rest_allowed=rest)
    assert isinstance(result, Payment)
    assert verify(result.lines, result.tenders, result.rest, ALL, BAR) == []
    return result


def own(amount: int, code: str = "RAF") -> Tender:
    return Tender(code, amount, code, amount)


@dataclass(frozen=True)
class Line:
    kind: LineKind | None
    quantity: int
    unit_price: int
    currency: str = "RAF"


def test_gifts_pay_the_beer_and_not_its_cup() -> None:
    result = paid(BEER, CUP, purse={"GIFT": 1000, "RAF": 1000})
    assert result.tenders == (Tender("GIFT", 500, "RAF", 500), own(100))


def test_who_has_gifts_only_pays_the_cup_in_cash() -> None:
    assert isinstance(pay([BEER, CUP], [Purse({"GIFT": 1000})], ALL, BAR, rest_allowed=False), Short)
    assert paid(BEER, CUP, purse={"GIFT": 1000}, rest=True).rest == (Rest("RAF", 100),)


def test_a_cup_that_comes_back_lowers_the_next_beer() -> None:
    assert paid(BEER, back(1), purse={"RAF": 1000}).tenders == (own(400),)
    assert paid(BEER, back(1), purse={"GIFT": 1000}).tenders == (Tender("GIFT", 400, "RAF", 400),)


def test_a_bottle_lowers_the_total() -> None:
    assert paid(BEER, BOTTLE, purse={"RAF": 1000}).tenders == (own(480),)


def test_cups_alone_pay_out_to_the_card() -> None:
    assert paid(back(3), purse={}).tenders == (own(-300),)
    mixed = paid(back(3), Item("beer", "drinks", 1, {"TIME": 30}), purse={"TIME": 60})
    assert mixed.tenders == (own(30, "TIME"), own(-300))


def test_cups_of_time_money_come_back_as_time() -> None:
    out = Item("cup", "cups", 2, {"TIME": 10}, "deposit")
    assert paid(out, purse={"TIME": 60}).tenders == (own(20, "TIME"),)
    returned = Item("cup", "cups", 2, {"TIME": -10}, "deposit")
    assert paid(returned, purse={}).tenders == (own(-20, "TIME"),)
    assert paid(returned, Item("beer", "drinks", 1, {"TIME": 30}), purse={"TIME": 10}).tenders == (own(10, "TIME"),)


def test_gifts_give_no_tips() -> None:
    assert paid(BEER, TIP, purse={"GIFT": 1000, "RAF": 50}).tenders == (Tender("GIFT", 500, "RAF", 500), own(50))


def test_money_for_some_things_is_not_lost_to_a_bottle() -> None:
    drinks = Money("GIFT", "gift", 1, "network", Policy(spending=Spending(categories=("drinks",))), 1)
    pie = Item("pie", "food", 1, {"RAF": 300})
    result = pay([BEER, pie, BOTTLE], [Purse({"GIFT": 500, "RAF": 280})], (RAF, drinks), BAR, rest_allowed=False)
    assert isinstance(result, Payment)
    assert verify(result.lines, result.tenders, result.rest, (RAF, drinks), BAR) == []


def test_a_gift_that_pays_a_cup_is_refused() -> None:
    lines = [PricedLine(CUP, "RAF", 100)]
    assert verify(lines, [Tender("GIFT", 100, "RAF", 100)], [], ALL, BAR) == ["category:GIFT"]


def test_nothing_is_given_back_beside_what_is_sold() -> None:
    lines = [PricedLine(BEER, "RAF", 500), PricedLine(back(6), "RAF", -100)]
    assert verify(lines, [own(-100)], [], ALL, BAR) == ["below-zero:RAF"]
    assert verify([PricedLine(BOTTLE, "RAF", -20)], [own(-20)], [], ALL, BAR) == ["below-zero:RAF"]


def test_what_comes_back_is_no_other_money() -> None:
    lines = [PricedLine(back(1), "RAF", -100)]
    assert verify(lines, [Tender("GIFT", -100, "RAF", -100)], [], ALL, BAR) == ["not-positive:GIFT"]
    assert verify(lines, [], [Rest("RAF", -100)], ALL, BAR) == []
    assert verify([PricedLine(BEER, "RAF", 500)], [own(600)], [Rest("RAF", -100)], ALL, BAR) == ["not-positive:RAF"]


def test_signs_are_those_of_the_kind() -> None:
    assert [*wrong_lines([Line(None, 1, -5), Line("return", 1, 5), Line("tip", 1, 0)])][:3] == ["sign:RAF"] * 3
    assert [*wrong_lines([Line("open", 1, -5), Line(None, 1, 10)])] == ["sign:RAF"]
    assert [*wrong_lines([Line("deposit", 1, -5), Line("deposit", 2, 10), Line("tip", 1, 1)])] == []


lines = st.lists(
    st.one_of(
        st.builds(Line, st.none(), st.integers(1, 9), st.integers(0, 900), st.sampled_from(["RAF", "TIME"])),
        st.builds(Line, st.just("deposit"), st.integers(1, 9), st.integers(-200, 200), st.just("RAF")),
        st.builds(Line, st.just("return"), st.integers(1, 9), st.integers(-50, 0), st.sampled_from(["RAF", "TIME"])),
        st.builds(Line, st.just("tip"), st.integers(1, 2), st.integers(1, 200), st.just("RAF")),
    ),
    max_size=8,
)


@given(lines)
def test_below_zero_are_only_cups(basket: list[Line]) -> None:
    low = below_zero(basket)
    for code in ("RAF", "TIME"):
        here = [it for it in basket if it.currency == code]
        total = sum(it.quantity * it.unit_price for it in here)
        cups = all(it.kind == "deposit" and it.unit_price <= 0 for it in here)
        assert (code in low) == (total < 0 and not cups)
    assert sums(basket, "deposit").keys() <= {"RAF"}


@given(lines, st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000), st.booleans())
def test_whatever_is_paid_is_paid_by_the_rules(basket: list[Line], raf: int, gift: int, time: int, rest: bool) -> None:
    items = [
        Item(f"{place}", "" if it.kind == "tip" else "drinks", it.quantity, {it.currency: it.unit_price}, it.kind)
        for place, it in enumerate(basket)
    ]
    if [*wrong_lines(basket)]:
        return
    result = pay(items, [Purse({"RAF": raf, "GIFT": gift, "TIME": time})], ALL, BAR, rest_allowed=rest)
    if isinstance(result, Payment):
        assert verify(result.lines, result.tenders, result.rest, ALL, BAR) == []
        assert sum(it.amount for it in result.tenders if it.currency == "RAF") <= raf
    else:
        assert all(amount > 0 for amount in result.missing.values())
        assert owed([PricedLine(it, next(iter(it.prices)), next(iter(it.prices.values()))) for it in items])
