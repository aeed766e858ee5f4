"""Fees and shares: exact, bounded, and without a unit made or lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.fees import fee, share
from app.rules.policy import Fee

# Soticket's yearly fee on ticket turnover, literally (seeds.md): 2.5 % is not 70 % of 3.5 %.
ANYONE = Fee(basis_points=350, minimum=750_00, maximum=5_000_00)
MEMBER = Fee(basis_points=315, minimum=675_00, maximum=4_500_00)
PARTNER = Fee(basis_points=250, minimum=525_00, maximum=3_500_00)

terms = st.builds(
    Fee,
    basis_points=st.integers(0, 10_000),
    minimum=st.integers(0, 10**6),
    maximum=st.none() | st.integers(10**6, 10**9),
)


@pytest.mark.parametrize(
    ("tier", "turnover", "charged"),
    [
        (ANYONE, 10_000_00, 750_00),
        (ANYONE, 40_000_00, 1_400_00),
        (ANYONE, 500_000_00, 5_000_00),
        (MEMBER, 10_000_00, 675_00),
        (MEMBER, 40_000_00, 1_260_00),
        (MEMBER, 500_000_00, 4_500_00),
        (PARTNER, 10_000_00, 525_00),
        (PARTNER, 40_000_00, 1_000_00),
        (PARTNER, 500_000_00, 3_500_00),
    ],
)
def test_the_three_tiers_of_a_ticket_cooperative(tier: Fee, turnover: int, charged: int) -> None:
    assert fee(turnover, tier) == charged


def test_half_a_cent_is_rounded_away_from_zero() -> None:
    assert [fee(amount, Fee(basis_points=500)) for amount in (9, 10, 29, 30)] == [0, 1, 1, 2]


def test_a_barter_of_a_thousand_bears_fifty() -> None:
    assert fee(1_000_00, Fee(basis_points=500)) == 50_00


@given(terms)
def test_nothing_is_charged_on_nothing(known: Fee) -> None:
    assert fee(0, known) == 0


def test_a_negative_amount_has_no_fee() -> None:
    with pytest.raises(ValueError, match="-1"):
        fee(-1, ANYONE)


@given(terms, st.integers(1, 10**9), st.integers(0, 10**6))
def test_a_fee_stays_within_its_bounds_and_grows_with_the_amount(known: Fee, amount: int, more: int) -> None:
    charged = fee(amount, known)
    assert charged >= known.minimum
    assert known.maximum is None or charged <= known.maximum
    assert fee(amount + more, known) >= charged


@given(st.integers(0, 10**9), st.integers(0, 10_000))
def test_a_rate_is_never_off_by_more_than_half_a_unit(amount: int, basis_points: int) -> None:
    assert abs(fee(amount, Fee(basis_points=basis_points)) * 10_000 - amount * basis_points) <= 5_000


def test_ten_euros_among_three_leave_the_odd_cent_with_the_first() -> None:
    assert share(1000, [1, 1, 1]) == [334, 333, 333]


def test_the_odd_cents_go_to_the_largest_remainders() -> None:
    assert share(100, [1, 2, 4]) == [14, 29, 57]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any))
def test_shares_lose_no_unit_and_are_off_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = share(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
        assert weight or not part


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (1, [2, -1]), (-1, [1])])
def test_what_gives_nothing_to_go_by_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be shared"):
        share(total, weights)
