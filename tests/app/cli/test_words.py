"""Amounts, rates and durations as the file writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.apply.words import (
    NotUnderstood,
    read_amount,
    read_rate,
    read_seconds,
    write_amount,
    write_rate,
    write_seconds,
)
from app.money import Unit


@given(st.integers(-(10**12), 10**12), st.sampled_from(Unit))
def test_an_amount_reads_back(minor: int, unit: Unit) -> None:
    assert read_amount(write_amount(minor, unit), unit, negative=True) == minor


@given(st.integers(0, 999_999))
def test_a_rate_reads_back(basis_points: int) -> None:
    assert read_rate(write_rate(basis_points)) == basis_points


@given(st.integers(0, 10**6 - 1))
def test_a_duration_reads_back(seconds: int) -> None:
    assert read_seconds(write_seconds(seconds)) == seconds


def test_amounts_are_written_as_people_do() -> None:
    assert write_amount(350, Unit.CENT) == "3,50"
    assert write_amount(123_456_789, Unit.CENT) == "1234567,89"
    assert write_amount(-100_000, Unit.CENT) == "-1000,00"
    assert write_amount(90, Unit.MINUTE) == "1 h 30"
    assert write_amount(30, Unit.MINUTE) == "30 min"
    assert write_amount(90_000, Unit.MINUTE) == "1500 h"
    assert write_amount(12, Unit.POINT) == "12"
    assert [write_rate(it) for it in (315, 250, 500, 1)] == ["3,15 %", "2,5 %", "5 %", "0,01 %"]
    assert [write_seconds(it) for it in (43_200, 90, 1800)] == ["12 h", "90 s", "30 min"]


@pytest.mark.parametrize("text", ["", "5", "5,123 %", "%", "-5 %"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood, match="write one like"):
        read_rate(text)


def test_only_a_floor_may_be_below_zero() -> None:
    with pytest.raises(NotUnderstood):
        read_amount("-1,00", Unit.CENT)
