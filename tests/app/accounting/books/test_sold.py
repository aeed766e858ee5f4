"""What a sale was worth to a venue, whatever paid it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounting.books.sold import tax, worth

RATES = {"RAF": 1, "ECU": 2}


def line(price: int, vat: int | None = None, currency: str = "RAF", **more: Any) -> dict[str, Any]:
    return {"name": "x", "quantity": 1, "unit_price": price, "currency": currency, "vat": vat, **more}


def test_what_gifts_pay_is_a_discount_shared_over_the_rates() -> None:
    found = worth(
        {
            "lines": [line(600, 2000), line(400, 550)],
            "tenders": [
                {"currency": "GIFT", "amount": 500, "covers": "RAF", "covered": 500},
                {"currency": "RAF", "amount": 500},
            ],
        },
        RATES,
    )
    assert found.goods == {2000: 300, 550: 200}


def test_what_hours_pay_is_worth_nothing() -> None:
    assert worth({"lines": [line(30, 2000, "TEMPS")]}, RATES).goods == {}


def test_other_pegged_money_is_worth_its_peg() -> None:
    tender = {"currency": "ECU", "amount": 150, "covers": "RAF", "covered": 300}
    assert worth({"lines": [line(300, 2000)], "tenders": [tender]}, RATES).goods == {2000: 300}


def test_cups_and_tips_are_not_earned() -> None:
    found = worth({"lines": [line(350, 2000), line(100, kind="deposit"), line(50, kind="tip")]}, RATES)
    assert (found.goods, found.deposits, found.tips, found.till) == ({2000: 350}, 100, 50, {})


def test_the_house_pays_nobody() -> None:
    gift = {"lines": [line(350, 2000)], "rest": [{"means": "house", "covers": "RAF", "amount": 350}]}
    assert (worth(gift, RATES).goods, worth(gift, RATES).till) == ({}, {})


def test_a_bottle_that_comes_back_lowers_the_goods_of_its_rate() -> None:
    assert worth({"lines": [line(350, 2000), line(-20, 2000, kind="return")]}, RATES).goods == {2000: 330}


@settings(deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([210, 550, 850, 1000, 2000]))
def test_tax_is_what_the_receipt_says_and_a_reversal_takes_it_back(gross: int, rate: int) -> None:
    part = tax(gross, rate)
    assert 2 * abs(part * (10_000 + rate) - gross * rate) <= 10_000 + rate
    assert tax(-gross, rate) == -part


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.sampled_from([None, 550, 1000, 2000])), min_size=1, max_size=8),
    st.data(),
)
def test_what_was_paid_is_what_the_goods_come_to(lines: list[tuple[int, int | None]], data: st.DataObject) -> None:
    owed = sum(price for price, _ in lines)
    gift = data.draw(st.integers(0, owed))
    cash = data.draw(st.integers(0, owed - gift))
    parts = [{"currency": "GIFT", "amount": gift, "covers": "RAF", "covered": gift}] if gift else []
    if owed - gift - cash:
        parts.append({"currency": "RAF", "amount": owed - gift - cash})
    rest = [{"means": "cash", "covers": "RAF", "amount": cash}] if cash else []
    found = worth({"lines": [line(*it) for it in lines], "tenders": parts, "rest": rest}, RATES)
    assert sum(found.goods.values()) == owed - gift
    assert found.till == ({"cash": cash} if cash else {})
