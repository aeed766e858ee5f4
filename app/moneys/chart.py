"""The curve of a supply as an SVG path: zero-based, in steps, for the page to stretch to its width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.money import Unit

WIDTH, HEIGHT = 1000, 300


@dataclass(frozen=True, slots=True)
class Chart:
    """`line` and `area` in a box of WIDTH x HEIGHT; `top`: minor units at its upper edge, the lower one is zero."""

    line: str
    area: str
    top: int


def chart(amounts: Sequence[int], unit: Unit) -> Chart:
    """Each amount is what a stretch of time ended with, drawn over that stretch."""
    top = _round_above(max(amounts), {Unit.CENT: 100, Unit.MINUTE: 60, Unit.POINT: 1}[unit])
    last = max(1, len(amounts) - 1)
    places = [(WIDTH * place // last, HEIGHT - HEIGHT * amount // top) for place, amount in enumerate(amounts)]
    steps = "".join(f"V{y}H{x}" for x, y in places[1:]) or f"H{WIDTH}"
    line = f"M0 {places[0][1]}{steps}"
    return Chart(line, f"{line}V{HEIGHT}H0Z", top)


def _round_above(amount: int, whole: int) -> int:
    """The least of 1, 2, 3, 5, 10, 20... whole units that is not below `amount`."""
    power = whole
    while True:
        for factor in (1, 2, 3, 5):
            if factor * power >= amount:
                return factor * power
        power *= 10
