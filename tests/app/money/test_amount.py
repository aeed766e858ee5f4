"""Amounts add up in whole minor units, and with their own kind only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import Amount, CurrencyMismatch

minors = st.integers(-(10**15), 10**15)


@given(minors, minors)
def test_amounts_of_one_currency_reckon_as_whole_numbers_do(a: int, b: int) -> None:
    one, other = Amount(a, "RAF"), Amount(b, "RAF")
    assert (one + other).minor == a + b
    assert (one - other).minor == a - b
    assert (one * 3).minor == 3 * a
    assert (-one).minor == -a
    assert (one < other, one <= other) == (a < b, a <= b)


@given(minors, minors)
def test_two_currencies_never_meet(a: int, b: int) -> None:
    one, other = Amount(a, "RAF"), Amount(b, "TIME")
    for meet in (
        lambda: one + other,
        lambda: one - other,
        lambda: one < other,
        lambda: one <= other,
    ):
        with pytest.raises(CurrencyMismatch):
            meet()
    assert one != Amount(a, "TIME")


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_only_whole_numbers_are_amounts(minor: Any) -> None:
    with pytest.raises(TypeError):
        Amount(minor, "RAF")
