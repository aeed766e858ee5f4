"""The cash drawer: what is counted in it, what should be in it, and the period between two closings of a till."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.rules.takings import ByCurrency, Figures, Perpetual, in_euros

# Euro cents.
COINS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
NOTES: Final = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
PIECES: Final = frozenset((*COINS, *NOTES))
# Far more pieces of one kind than a drawer holds.
PIECES_MAX: Final = 10_000


def worth(pieces: Mapping[int, int]) -> int:
    """Euro cents of so many coins and notes, by their value in cents. ValueError: no such piece, or no such number."""
    for value, number in pieces.items():
        if value not in PIECES:
            raise ValueError(f"there is no coin or note of {value} cents")
        if not 0 <= number <= PIECES_MAX:
            raise ValueError(f"nobody counts {number} pieces of {value} cents")
    return sum(value * number for value, number in pieces.items())


@dataclass(slots=True)
class Period:
    """All that happened at a till since its last closing, or ever.

    `session` is the one that is open, with `float_cents` laid in the drawer when it was. `counted_cents` is the newest
    count, None while nobody counted; `counted_net` and `counted_moved` are the cash that the figures had then, for a
    count is compared with what was expected when it was made. Sales made while no session was open are in the figures
    all the same.
    """

    session: str | None = None
    opened_at_us: int | None = None
    opened_by: str | None = None
    float_cents: int = 0
    counted_cents: int | None = None
    counted_blind: bool = False
    counted: dict[int, int] = field(default_factory=dict)
    counted_net: ByCurrency = field(default_factory=dict)
    counted_moved: int = 0
    figures: Figures = field(default_factory=Figures)

    def open(self, session: str, at_us: int, by: str | None, float_cents: int) -> None:
        self.session, self.opened_at_us, self.opened_by, self.float_cents = session, at_us, by, float_cents
        self.counted_cents, self.counted, self.counted_blind = None, {}, False

    def count(self, pieces: Mapping[int, int], *, blind: bool) -> None:
        self.counted, self.counted_cents, self.counted_blind = dict(pieces), worth(pieces), blind
        self.counted_net, self.counted_moved = self.figures.net_cash(), self.figures.moved

    def expected(self, rates: Mapping[str, int]) -> int:
        """Euro cents that should have been in the drawer when it was counted, or should be now if nobody counted."""
        if self.counted_cents is None:
            return self._should_hold(rates)
        return self.float_cents + in_euros(self.counted_net, rates) + self.counted_moved

    def holds(self, rates: Mapping[str, int]) -> int:
        """Euro cents that are in the drawer now: what should be, and what the count found to differ."""
        difference = 0 if self.counted_cents is None else self.counted_cents - self.expected(rates)
        return self._should_hold(rates) + difference

    @property
    def empty(self) -> bool:
        """Whether there is nothing to close."""
        return self.session is None and self.counted_cents is None and self.figures.empty

    def _should_hold(self, rates: Mapping[str, int]) -> int:
        return self.float_cents + in_euros(self.figures.net_cash(), rates) + self.figures.moved


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a period: closing `number` of its till, and the perpetual totals with it."""

    number: int = 0
    perpetual: Perpetual = field(default_factory=Perpetual)

    def after(self, figures: Figures) -> Closed:
        return Closed(self.number + 1, self.perpetual.after(figures))
