"""Figures of a till: whatever is sold, undone or moved, they add up, in any division into periods."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounting.books.sold import worth as books_worth
from app.rules.drawer import COINS, NOTES, Closed, Period, worth
from app.rules.takings import Figures, Paid, Perpetual, Sold, SoldLine, in_euros

RATES = {"RAF": 1, "DEMI": 50}

BEER = SoldLine("Bar", "RAF", 500, vat=2000)
PIE = SoldLine("Food", "RAF", 350, vat=1000)
RATE = st.sampled_from([None, 550, 2000])
CUP_OUT = SoldLine("Cups", "RAF", 100, "deposit")
CUP_BACK = SoldLine("Cups", "RAF", -100, "deposit")


def sold(*lines: SoldLine, means: str = "card", number: str = "1-1", at_us: int = 1, training: bool = False) -> Sold:
    paid = tuple(Paid(means, it.currency, it.minor) for it in lines)
    return Sold(number, at_us, lines, paid, training)


def test_an_evening() -> None:
    it = Figures()
    it.sell(sold(BEER, CUP_OUT, number="1-2", at_us=10))
    it.sell(sold(PIE, means="cash", number="1-5", at_us=20))
    it.sell(sold(CUP_BACK, means="cash", number="1-7", at_us=30))
    it.sell(sold(BEER, means="house", number="1-8", at_us=40))
    it.void(sold(PIE, means="cash"))
    it.top_up("cash", "RAF", 2000)
    it.refund("cash", "RAF", 300)
    it.move("out", "to_safe", 5000)
    it.move("in", "change", 1000)
    assert it == Figures(
        sales=3,
        first="1-2",
        last="1-7",
        first_at_us=10,
        last_at_us=30,
        total={"RAF": 850},
        means={"card": {"RAF": 600}, "cash": {"RAF": 250}},
        categories={"Bar": {"RAF": 500}, "Food": {"RAF": 350}},
        vat={"2000": {"RAF": 500}, "1000": {"RAF": 350}},
        deposits_out={"RAF": 100},
        deposits_back={"RAF": 100},
        gifts=1,
        gifted={"RAF": 500},
        voids=1,
        voided={"RAF": 350},
        voided_means={"cash": {"RAF": 350}},
        top_ups=1,
        topped_up={"cash": {"RAF": 2000}},
        refunds=1,
        refunded={"cash": {"RAF": 300}},
        moved_in={"change": 1000},
        moved_out={"to_safe": 5000},
    )
    assert in_euros(it.net_cash(), RATES) == 250 - 350 + 2000 - 300
    assert it.moved == 1000 - 5000


def test_what_is_given_in_part_is_off_each_rate_and_a_gift_beside_the_sale() -> None:
    it, pie = Figures(), SoldLine("Food", "RAF", 250, vat=1000)
    beer = (SoldLine("Bar", "RAF", 400, vat=2000), SoldLine("Food", "RAF", 350, vat=2000))
    given = Sold("1-2", 10, (*beer, pie), (Paid("card", "RAF", 600), Paid("house", "RAF", 400)))
    it.sell(given)
    assert it == Figures(
        sales=1,
        first="1-2",
        last="1-2",
        first_at_us=10,
        last_at_us=10,
        total={"RAF": 600},
        means={"card": {"RAF": 600}},
        categories={"Bar": {"RAF": 240}, "Food": {"RAF": 360}},
        vat={"2000": {"RAF": 450}, "1000": {"RAF": 150}},
        gifts=1,
        gifted={"RAF": 400},
    )
    it.void(given)
    assert (it.voids, it.voided, it.voided_means) == (1, {"RAF": 600}, {"card": {"RAF": 600}})


PLAIN = st.builds(SoldLine, st.sampled_from(["Bar", "Food"]), st.just("RAF"), st.integers(0, 2000), st.none(), RATE)


@given(st.lists(PLAIN, min_size=1), st.data())
def test_whatever_is_given_in_part_adds_up_and_the_books_find_the_same(
    lines: list[SoldLine], data: st.DataObject
) -> None:
    whole = sum(it.minor for it in lines)
    gift = data.draw(st.integers(0, whole))
    paid = tuple(Paid(means, "RAF", minor) for means, minor in (("card", whole - gift), ("house", gift)) if minor)
    it = Figures()
    it.sell(Sold("1-1", 1, tuple(lines), paid))
    turnover = whole - gift
    assert it.total.get("RAF", 0) == sum(one["RAF"] for one in it.categories.values()) == turnover
    assert it.gifted.get("RAF", 0) == gift
    details = {
        "lines": [{"currency": "RAF", "quantity": 1, "unit_price": one.minor, "vat": one.vat} for one in lines],
        "tenders": [{"currency": "RAF", "amount": turnover}] if turnover else [],
        "rest": [{"means": "house", "covers": "RAF", "amount": gift}] if gift else [],
    }
    books = {str(rate): cents for rate, cents in books_worth(details, {"RAF": 1}).goods.items() if rate is not None}
    assert {rate: one["RAF"] for rate, one in it.vat.items()} == books


def test_training_is_kept_apart() -> None:
    it = Figures()
    it.sell(sold(BEER, training=True, means="cash"))
    it.void(sold(BEER, training=True, means="cash"))
    assert it == Figures(training=1, trained={"RAF": 500})
    assert it.net_cash() == {}


def test_cash_is_counted_in_euros_whatever_the_prices_are_in() -> None:
    it = Figures()
    it.sell(sold(SoldLine("Bar", "DEMI", 3), means="cash"))
    assert in_euros(it.net_cash(), RATES) == 150
    it.sell(sold(SoldLine("Bar", "TEMPS", 30), means="cash"))
    assert in_euros(it.net_cash(), RATES) == 150


def test_what_cancels_out_is_left_out() -> None:
    it = Figures()
    it.sell(sold(BEER, SoldLine("Bar", "RAF", -500, "return", 2000), means="cash"))
    assert (it.total, it.categories, it.vat, it.means) == ({}, {}, {}, {})


def test_the_drawer_is_counted_by_piece() -> None:
    assert worth(dict.fromkeys((*COINS, *NOTES), 1)) == 88_888
    for wrong in ({3: 1}, {100: -1}, {100: 10_001}):
        with pytest.raises(ValueError):
            worth(wrong)


def test_a_period_expects_what_was_laid_in_and_what_was_taken() -> None:
    it = Period()
    assert it.empty
    it.open("session", 1, "ana", 10_000)
    it.figures.sell(sold(BEER, means="cash"))
    it.count({1000: 10, 500: 1}, blind=True)
    assert (it.expected(RATES), it.counted_cents, it.counted_blind) == (10_500, 10_500, True)
    assert not it.empty


def test_what_happens_after_a_count_changes_no_difference() -> None:
    it = Period()
    it.open("session", 1, "ana", 10_000)
    it.count({1000: 9}, blind=True)
    it.figures.sell(sold(BEER, means="cash"))
    it.figures.move("out", "to_safe", 5_000)
    assert (it.expected(RATES), it.counted_cents, it.holds(RATES)) == (10_000, 9_000, 4_500)


lines = st.builds(
    SoldLine,
    st.sampled_from(["Bar", "Food", ""]),
    st.sampled_from(["RAF", "TEMPS"]),
    st.integers(-900, 900),
    st.sampled_from([None, "deposit", "return", "open", "tip"]),
    st.sampled_from([None, 550, 2000]),
)
sales = st.builds(
    sold,
    lines,
    lines,
    means=st.sampled_from(["card", "cash", "bank_card", "cheque", "house"]),
    number=st.integers(1, 99).map(lambda it: f"1-{it}"),
    at_us=st.integers(1, 99),
    training=st.booleans(),
)
codes, minors = st.sampled_from(["RAF", "TEMPS"]), st.integers(1, 900)
steps: st.SearchStrategy[Callable[[Figures], None]] = st.one_of(
    st.builds(lambda sale: lambda it: it.sell(sale), sales),
    st.builds(lambda sale: lambda it: it.void(sale), sales),
    st.builds(lambda code, minor: lambda it: it.top_up("cash", code, minor), codes, minors),
    st.builds(lambda code, minor: lambda it: it.refund("cash", code, minor), codes, minors),
    st.builds(lambda code, minor: lambda it: it.credit(code, minor), codes, minors),
    st.builds(lambda code, minor: lambda it: it.uncredit(code, minor), codes, minors),
    st.builds(lambda code, minor: lambda it: it.give_on_top(code, minor), codes, minors),
    st.builds(lambda way, minor: lambda it: it.move(way, "other", minor), st.sampled_from(["in", "out"]), minors),
)


def of(parts: list[Callable[[Figures], None]]) -> Figures:
    it = Figures()
    for part in parts:
        part(it)
    return it


@given(st.lists(st.lists(steps, max_size=6), max_size=5))
def test_periods_add_up_to_the_whole(periods: list[list[Callable[[Figures], None]]]) -> None:
    whole = of([step for period in periods for step in period])
    apart = [of(period) for period in periods]
    assert reduce(Figures.plus, apart, Figures()) == whole
    assert sum(in_euros(it.net_cash(), RATES) + it.moved for it in apart) == (
        in_euros(whole.net_cash(), RATES) + whole.moved
    )
    closed = reduce(Closed.after, apart, Closed())
    assert closed == Closed(len(periods), Perpetual().after(whole))


@given(st.lists(sales, max_size=8))
def test_what_customers_owed_is_what_they_paid(sold_: list[Sold]) -> None:
    it = Figures()
    for sale in sold_:
        it.sell(sale)
    owed: dict[str, int] = {}
    for sums, sign in ((it.total, 1), (it.deposits_out, 1), (it.deposits_back, -1), (it.tips, 1)):
        for code, minor in sums.items():
            owed[code] = owed.get(code, 0) + sign * minor
    paid: dict[str, int] = {}
    for sums in it.means.values():
        for code, minor in sums.items():
            paid[code] = paid.get(code, 0) + minor
    assert {k: v for k, v in owed.items() if v} == {k: v for k, v in paid.items() if v}
    by_category: dict[str, int] = {}
    for sums in it.categories.values():
        for code, minor in sums.items():
            by_category[code] = by_category.get(code, 0) + minor
    assert {k: v for k, v in by_category.items() if v} == it.total


def test_a_gift_that_is_taken_back_was_no_turnover() -> None:
    it = Figures()
    gift = sold(BEER, means="house")
    it.sell(gift)
    it.void(gift)
    assert (it.gifted, it.voids, it.voided, it.voided_means) == ({"RAF": 500}, 1, {}, {})


@given(st.lists(sales, max_size=6), st.lists(sales, max_size=6))
def test_no_void_lowers_what_was_sold(sold_: list[Sold], undone: list[Sold]) -> None:
    it = Figures()
    for sale in sold_:
        it.sell(sale)
    before = Perpetual().after(it)
    for sale in undone:
        it.void(sale)
    after = Perpetual().after(it)
    assert (after.total, after.sales) == (before.total, before.sales)
