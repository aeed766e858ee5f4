"""Amounts as people write and type them: 12,50 € in French, €12.50 in English, 2 h 30 in both."""

from __future__ import annotations

import re
from enum import StrEnum

NARROW = "\N{NARROW NO-BREAK SPACE}"
SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

# The largest amount anyone may type, in minor units: far below 2**63, far above any till.
LARGEST = 10**12


class AmountNotUnderstood(ValueError):
    """What was typed is not an amount of this unit."""


class Unit(StrEnum):
    """What one minor unit of a currency is, and so how it is written."""

    CENT = "cent"
    MINUTE = "minute"
    POINT = "point"


def format_amount(minor: int, unit: Unit, symbol: str, language: str = "fr") -> str:
    """`minor` units as text: (1250, CENT, "€") is "12,50 €" or "€12.50" in English; (150, MINUTE, _) is "2 h 30".

    A symbol of one sign (€) stands before the figures in English; a word (RAF) stands behind in both languages.
    """
    sign, minor = (MINUS if minor < 0 else ""), abs(minor)
    if unit is Unit.MINUTE:
        hours, minutes = divmod(minor, 60)
        if not hours:
            return f"{sign}{minutes}{SPACE}min"
        return f"{sign}{_grouped(hours, language)}{SPACE}h" + (f"{SPACE}{minutes:02d}" if minutes else "")
    if unit is Unit.POINT:
        return f"{sign}{_grouped(minor, language)}{SPACE}{symbol}"
    whole, cents = divmod(minor, 100)
    figures = f"{_grouped(whole, language)}{',' if language == 'fr' else '.'}{cents:02d}"
    if language == "fr" or len(symbol) > 1:
        return f"{sign}{figures}{SPACE}{symbol}"
    return f"{sign}{symbol}{figures}"


def parse_amount(typed: str, unit: Unit) -> int:
    """What a person typed ("12,5", "12.50 €", "2 h 30", "45 min"), in minor units; AmountNotUnderstood otherwise.

    Never negative, never rounded: "12,505" is refused.
    """
    text = re.sub(r"[\s\u00a0\u202f€]", "", typed).lower()
    if unit is Unit.MINUTE:
        minor = _minutes(text)
    elif unit is Unit.POINT:
        minor = int(text) if re.fullmatch(r"[0-9]{1,13}", text) else None
    else:
        match = re.fullmatch(r"([0-9]{1,13})(?:[.,]([0-9]{1,2}))?", text)
        minor = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else None
    if minor is None or minor > LARGEST:
        raise AmountNotUnderstood(typed)
    return minor


def _minutes(text: str) -> int | None:
    if match := re.fullmatch(r"([0-9]{1,13})h([0-5]?[0-9])?(?:min)?", text):
        return int(match[1]) * 60 + int(match[2] or 0)
    if match := re.fullmatch(r"([0-9]{1,13})(?:min)?", text):
        return int(match[1])
    return None


def _grouped(number: int, language: str) -> str:
    return f"{number:,}".replace(",", NARROW if language == "fr" else ",")
