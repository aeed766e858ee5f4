"""Amounts, rates and durations as people write them into the file: "3,50", "30 min", "3,15 %", "12 h"."""

from __future__ import annotations

import re

from app.money import AmountNotUnderstood, Unit, format_amount, parse_amount

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_BASIS_POINTS = 10_000
_EXAMPLES = {Unit.CENT: "3,50", Unit.MINUTE: "1 h 30", Unit.POINT: "12"}


class NotUnderstood(ValueError):
    """What is written is not what it should be; the text says how that is written."""


def read_amount(text: str, unit: Unit, *, negative: bool = False) -> int:
    """Minor units; only a few amounts may be `negative` (a credit limit is a floor below zero)."""
    sign = -1 if negative and text.strip().startswith("-") else 1
    try:
        return sign * parse_amount(text.strip()[1:] if sign < 0 else text, unit)
    except AmountNotUnderstood:
        raise NotUnderstood(f"{text!r} is not an amount; write one like {_EXAMPLES[unit]!r}") from None


def write_amount(minor: int, unit: Unit) -> str:
    """What `read_amount` reads back, without a symbol, with plain signs."""
    if unit is Unit.CENT:
        figures = f"{abs(minor) // 100},{abs(minor) % 100:02d}"
    elif unit is Unit.POINT:
        figures = str(abs(minor))
    else:
        figures = re.sub(r"\s", " ", format_amount(abs(minor), unit, ""))
        # From a thousand hours on, these are grouped by spaces.
        figures = re.sub(r"(?<=\d) (?=\d{3}\b)", "", figures)
    return f"-{figures}" if minor < 0 else figures


def read_rate(text: str) -> int:
    """Basis points of "3,15 %"."""
    match = re.fullmatch(r"([0-9]{1,4})(?:[.,]([0-9]{1,2}))?\s*%", text.strip())
    if match is None:
        raise NotUnderstood(f"{text!r} is not a rate; write one like '3,15 %'")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def write_rate(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}{f',{rest:02d}'.rstrip('0') if rest else ''} %"


def read_seconds(text: str) -> int:
    """Seconds of "90 s", "30 min" or "12 h"."""
    match = re.fullmatch(r"([0-9]{1,6})\s*(s|min|h)", text.strip())
    if match is None:
        raise NotUnderstood(f"{text!r} is not a duration; write one like '90 s', '30 min' or '12 h'")
    return int(match[1]) * {"s": 1, "min": 60, "h": 3600}[match[2]]


def write_seconds(seconds: int) -> str:
    for name, size in (("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"
