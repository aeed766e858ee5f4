"""Axes that begin at zero, with few and round marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from app.money import Unit, format_amount

STEPS_MAX = 4
# Marks of time are those of a clock, up to ten hours; from there on they are round hours.
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 300)


def ticks(low: int, high: int, unit: Unit | None = None) -> list[int]:
    """Round values at equal steps from at or below `low` to at or above `high`, 0 among them. `unit` of None: a number
    of something."""
    low, high = min(low, 0), max(high, 0)
    if low == high:
        high = 1
    for step in _steps(unit):
        if high - low <= step * STEPS_MAX:
            return [step * it for it in range(low // step, -(-high // step) + 1)]
    raise AssertionError("steps never end")


def _steps(unit: Unit | None) -> Iterator[int]:
    if unit is Unit.MINUTE:
        yield from _MINUTES
        yield from (60 * it for it in _round() if it > 5)
    else:
        yield from _round()


def _round() -> Iterator[int]:
    for power in count():
        for digit in (1, 2, 5):
            yield digit * 10**power


def tick_text(minor: int, unit: Unit | None, symbol: str, language: str) -> str:
    """An amount on an axis: as people write it, whole amounts without their cents."""
    if unit is None:
        return format_amount(minor, Unit.POINT, "", language).strip()
    text = format_amount(minor, unit, symbol, language)
    return re.sub(r"[.,]00(?![0-9])", "", text) if unit is Unit.CENT and minor % 100 == 0 else text
