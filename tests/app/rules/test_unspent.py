"""What will still be on cards: never more than there is, never more later, and nothing said of what is not known."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.unspent import LOAD_DAYS_LEAST, Load, stretches, unspent_after


@st.composite
def loads(draw: st.DrawFn, most: int = 800) -> list[Load]:
    ages = draw(st.lists(st.integers(0, most), min_size=LOAD_DAYS_LEAST, max_size=60, unique=True))
    made = [draw(st.integers(1, 10**7)) for _ in ages]
    return [Load(age, loaded, draw(st.integers(0, loaded))) for age, loaded in zip(ages, made, strict=True)]


@settings(deadline=None)
@given(loads(), st.integers(0, 400), st.integers(0, 400))
def test_it_is_part_of_what_there_is_and_shrinks(found: list[Load], days: int, more: int) -> None:
    on_cards = sum(it.left for it in found)
    sooner, later = unspent_after(found, days), unspent_after(found, days + more)
    assert (sooner is None) == (max(it.age for it in found) < 2 * days)
    if sooner is not None:
        assert 0 <= sooner <= on_cards
    if later is not None:
        assert sooner is not None
        assert later <= sooner
    assert unspent_after(found, 0) in {on_cards, on_cards - 1}


@settings(deadline=None)
@given(loads(), st.integers(1, 1000), st.integers(0, 100))
def test_ten_times_the_money_is_ten_times_the_forecast(found: list[Load], times: int, days: int) -> None:
    more = [Load(it.age, times * it.loaded, times * it.left) for it in found]
    one, many = unspent_after(found, days), unspent_after(more, days)
    if one is None:
        assert many is None
    else:
        assert many is not None
        assert times * one <= many < times * (one + 1)


@settings(deadline=None)
@given(loads())
def test_shares_never_grow_with_age_and_hold_all_money_once(found: list[Load]) -> None:
    parts = stretches(found)
    shares = [it.share for it in parts if it.share is not None]
    assert shares == sorted(shares, reverse=True)
    assert sum(it.loaded for it in parts) == sum(it.loaded for it in found)
    assert sum(it.left for it in parts) == sum(it.left for it in found)


def test_on_paper() -> None:
    """10 € a day for 100 days. After a month 4 € of each are left, before it 8 €: so what is younger halves."""
    found = [Load(age, 1000, 800 if age <= 30 else 400) for age in range(100)]
    assert [it.share for it in stretches(found)][5:7] == [Fraction(4, 5), Fraction(2, 5)]
    on_cards = 31 * 800 + 69 * 400
    assert unspent_after(found, 31) == on_cards - 31 * 400
    # In a week only those of 24 to 30 days become older than a month.
    assert unspent_after(found, 7) == on_cards - 7 * 400


@pytest.mark.parametrize(
    "found",
    [
        [],
        [Load(age, 100, 50) for age in range(LOAD_DAYS_LEAST - 1)],
        [Load(0, 100, 50)] * 50,
        [Load(age, 0, 0) for age in range(100)],
    ],
)
def test_of_too_little_nothing_is_said(found: list[Load]) -> None:
    assert unspent_after(found, 1) is None


def test_what_nobody_spends_stays() -> None:
    assert unspent_after([Load(age, 100, 100) for age in range(70)], 30) == 7000
    assert unspent_after([Load(age, 100, 0) for age in range(70)], 30) == 0
