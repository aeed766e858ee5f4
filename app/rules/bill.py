"""One bill, several payers: each pays a sale of its own, and together they pay the bill to the cent."""

from __future__ import annotations

from collections.abc import Sequence

from app.rules.basket import Line

PARTS_MAX = 50


def shares_of_line(total: int, parts: int) -> tuple[int, int]:
    """The two amounts, one minor unit apart at most, that a line's total is divided into: (less, more)."""
    less = total // parts
    return less, less if total == less * parts else less + 1


def equal_parts(lines: Sequence[Line], parts: int) -> list[list[int]]:
    """For each part, what it pays of each line, in minor units.

    Every line is paid whole, every part of it differs by at most one minor unit, and so do the parts' totals in each
    currency: what one line leaves over goes on where the line before stopped.
    """
    if not 1 <= parts <= PARTS_MAX:
        raise ValueError(f"a bill has 1 to {PARTS_MAX} parts")
    next_: dict[str, int] = {}
    shares: list[list[int]] = [[] for _ in range(parts)]
    for line in lines:
        less, over = divmod(line.quantity * line.unit_price, parts)
        start = next_.get(line.currency, 0)
        takers = {(start + place) % parts for place in range(over)}
        next_[line.currency] = (start + over) % parts
        for part in range(parts):
            shares[part].append(less + (part in takers))
    return shares
