"""Amounts as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import AmountNotUnderstood, Unit, format_amount, parse_amount
from app.money.text import LARGEST, MINUS

units = st.sampled_from(Unit)
languages = st.sampled_from(["fr", "en"])
minors = st.integers(0, LARGEST)


def as_typed(text: str, symbol: str, language: str) -> str:
    """What somebody types who reads that: no currency's name, and in English no commas between thousands."""
    return text.replace(symbol, "").replace("," if language == "en" else "\0", "")


@given(minors, units, languages)
def test_what_is_written_reads_back_as_the_same_amount(minor: int, unit: Unit, language: str) -> None:
    text = format_amount(minor, unit, "€", language)
    assert parse_amount(as_typed(text, "€", language), unit) == minor


@given(st.integers(1, LARGEST), units, languages, st.sampled_from(["€", "RAF"]))
def test_an_amount_and_its_opposite_differ_by_the_sign_alone(
    minor: int, unit: Unit, language: str, symbol: str
) -> None:
    assert format_amount(-minor, unit, symbol, language) == MINUS + format_amount(minor, unit, symbol, language)


@given(st.lists(minors, unique=True, min_size=2, max_size=2), units, languages)
def test_no_two_amounts_are_written_alike(two: list[int], unit: Unit, language: str) -> None:
    assert len({format_amount(minor, unit, "RAF", language) for minor in two}) == 2


@given(st.text(max_size=20), units)
def test_whatever_is_typed_is_an_amount_within_reason_or_not_understood(typed: str, unit: Unit) -> None:
    try:
        minor = parse_amount(typed, unit)
    except AmountNotUnderstood:
        return
    assert 0 <= minor <= LARGEST


@given(st.integers(0, 10**9), st.integers(100, 999))
def test_a_third_decimal_is_refused_and_never_rounded(whole: int, thousandths: int) -> None:
    for mark in ",.":
        with pytest.raises(AmountNotUnderstood):
            parse_amount(f"{whole}{mark}{thousandths}", Unit.CENT)


@given(st.integers(0, 10**9), units)
def test_nothing_negative_is_understood(minor: int, unit: Unit) -> None:
    for sign in ("-", MINUS):
        with pytest.raises(AmountNotUnderstood):
            parse_amount(sign + str(minor), unit)


@pytest.mark.parametrize(
    ("minor", "unit", "symbol", "french", "english"),
    [
        (1250, Unit.CENT, "€", "12,50 €", "€12.50"),
        (5, Unit.CENT, "€", "0,05 €", "€0.05"),
        (123456789, Unit.CENT, "RAF", "1 234 567,89 RAF", "1,234,567.89 RAF"),
        (-1250, Unit.CENT, "€", "−12,50 €", "−€12.50"),
        (0, Unit.CENT, "€", "0,00 €", "€0.00"),
        (45, Unit.MINUTE, "", "45 min", "45 min"),
        (60, Unit.MINUTE, "", "1 h", "1 h"),
        (150, Unit.MINUTE, "", "2 h 30", "2 h 30"),
        (605, Unit.MINUTE, "", "10 h 05", "10 h 05"),
        (1200, Unit.POINT, "pts", "1 200 pts", "1,200 pts"),
    ],
)
def test_amounts_as_they_stand_on_a_screen(minor: int, unit: Unit, symbol: str, french: str, english: str) -> None:
    spaced = {language: format_amount(minor, unit, symbol, language) for language in ("fr", "en")}
    assert {language: " ".join(text.split()) for language, text in spaced.items()} == {"fr": french, "en": english}
    assert not any(" " in text for text in spaced.values()), "an amount is never broken over two lines"


@pytest.mark.parametrize(
    ("typed", "unit", "minor"),
    [
        ("12,5", Unit.CENT, 1250),
        ("12.50 €", Unit.CENT, 1250),
        ("€ 12", Unit.CENT, 1200),
        ("1 234,00", Unit.CENT, 123400),
        ("2 h 30", Unit.MINUTE, 150),
        ("2h5", Unit.MINUTE, 125),
        ("45 min", Unit.MINUTE, 45),
        ("45", Unit.MINUTE, 45),
        ("300", Unit.POINT, 300),
    ],
)
def test_amounts_as_they_are_typed(typed: str, unit: Unit, minor: int) -> None:
    assert parse_amount(typed, unit) == minor


@pytest.mark.parametrize(
    "typed", ["", "€", "1,2,3", "1e3", "0x10", "12,", ",50", "١٢", "9999999999999", "2 h 75", "1+1"]
)
@pytest.mark.parametrize("unit", [Unit.CENT, Unit.MINUTE])
def test_what_is_no_amount_is_not_guessed_at(typed: str, unit: Unit) -> None:
    with pytest.raises(AmountNotUnderstood):
        parse_amount(typed, unit)
