"""What a trade costs, and what is missing to a whole euro."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mutual.rules import commission, round_up
from app.rules.policy import Fee
from app.rules.vat import vat_within

amounts = st.integers(1, 10**9)


def test_5_percent_of_1000_is_50() -> None:
    found = commission(1_000_00, Fee(500))
    assert found is not None
    assert (found.amount, found.payer, found.in_euros) == (50_00, "seller", False)


def test_nothing_is_charged_where_the_policy_says_nothing() -> None:
    assert commission(1_000_00, Fee()) is None


@pytest.mark.parametrize(
    ("payer", "meant"), [("buyer", "buyer"), ("holder", "buyer"), ("seller", "seller"), ("venue", "seller")]
)
def test_holders_buy_and_venues_sell(payer: str, meant: str) -> None:
    found = commission(100, Fee(500, payer=payer))  # type: ignore[arg-type]
    assert found is not None
    assert found.payer == meant


def test_the_vat_within_60_cents_at_20_percent_is_10() -> None:
    assert vat_within(60, 2000) == 10
    assert vat_within(60, 0) == 0


@given(amounts, st.integers(0, 10_000))
def test_what_is_left_of_a_price_without_its_vat_gives_the_price_again(total: int, rate: int) -> None:
    net = total - vat_within(total, rate)
    assert abs(net * (10_000 + rate) - total * 10_000) <= (10_000 + rate) // 2


@given(amounts)
def test_rounded_up_an_amount_is_whole_and_less_than_one_unit_more(amount: int) -> None:
    more = round_up(amount)
    assert (amount + more) % 100 == 0
    assert 0 <= more < 100
