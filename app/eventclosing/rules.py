"""Which days are an event's days of refunds, and whether a terminal has brought everything. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

# all: it was heard of after the cut-off and had nothing left to send. rows: it had some. silent: not heard of since.
Delivered = Literal["all", "rows", "silent"]


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day on which holders are refunded, in the network's zone."""

    opens: date
    closes: date

    def __contains__(self, day: date) -> bool:
        return self.opens <= day <= self.closes


@dataclass(frozen=True, slots=True)
class Closing:
    """`cut_off_us`: what was booked by then is settled; None: nobody said."""

    cut_off_us: int | None = None
    refund: Window | None = None


def delivered(seen_at_us: int, waiting: int, cut_off_us: int) -> Delivered:
    """`waiting`: rows it had still to send when it was last heard of."""
    if seen_at_us < cut_off_us:
        return "silent"
    return "rows" if waiting else "all"
