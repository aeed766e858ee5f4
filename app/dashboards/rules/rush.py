"""How fast tills sell: what they sold within the last hour. Pure.

It says how busy a till is, not how many people stand before it: nobody counts those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from uuid import UUID

HOUR_US = 3_600_000_000
STEP_US = 300_000_000
STEPS = HOUR_US // STEP_US
# Of fewer sales nobody can say how far they are apart as a rule.
SALES_LEAST = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """One till in the last hour. `steps`: sales in each five minutes, the oldest first. `apart_s`: how many seconds lie
    between two of its sales, half of the time less; None where it sold too little to say."""

    steps: tuple[int, ...] = (0,) * STEPS
    last_at_us: int | None = None
    apart_s: int | None = None

    @property
    def sales(self) -> int:
        return sum(self.steps)

    @property
    def a_minute(self) -> Fraction:
        return Fraction(self.sales, HOUR_US // 60_000_000)


def paces(sold: Iterable[tuple[UUID, int]], now_us: int) -> Mapping[UUID, Pace]:
    """`sold`: (terminal, when by its clock) of each sale. What is older than an hour does not count; what a clock that
    is ahead dates later than now is of now."""
    times: dict[UUID, list[int]] = {}
    for terminal, at_us in sold:
        if at_us > now_us - HOUR_US:
            times.setdefault(terminal, []).append(min(at_us, now_us))
    return {terminal: _pace(sorted(its), now_us) for terminal, its in times.items()}


def slowest(found: Mapping[UUID, Pace]) -> UUID | None:
    """The till whose sales lie furthest apart, of those that sold enough to say; None where only one did."""
    known = {terminal: it.apart_s for terminal, it in found.items() if it.apart_s is not None}
    return max(known, key=lambda it: (known[it], it.int)) if len(known) > 1 else None


def _pace(times: Sequence[int], now_us: int) -> Pace:
    steps = [0] * STEPS
    for at_us in times:
        steps[STEPS - 1 - (now_us - at_us) // STEP_US] += 1
    gaps = [after - before for before, after in pairwise(times)]
    apart = int(median(gaps)) // 1_000_000 if len(times) >= SALES_LEAST else None
    return Pace(tuple(steps), times[-1], apart)
