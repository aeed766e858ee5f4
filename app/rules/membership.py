"""How long a membership lasts. Pure; days are business days, and both the first and the last one count."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

# Within so many days of its end a membership is said to end soon.
SOON_DAYS: Final = 30

Standing = Literal["later", "valid", "soon", "over"]


@dataclass(frozen=True, slots=True)
class Period:
    first: date
    last: date

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Rolling:
    """So many months from the day on which it is bought."""

    months: int


@dataclass(frozen=True, slots=True)
class Season:
    """The same days for everybody, whenever they join."""

    first: date
    last: date


Term = Rolling | Season


def next_period(term: Term, today: date, held: Period | None) -> Period | None:
    """What buying now comes to; `held`: the last that its buyer has of this plan, of whatever time. A renewal begins
    where the last one ends. None: nothing is for sale to them, for the season is over or theirs already, or they have
    renewed already."""
    if isinstance(term, Season):
        theirs = held is not None and held.last >= term.last
        return None if theirs or term.last < today else Period(max(today, term.first), term.last)
    if held is None or held.last < today:
        return Period(today, _last_of(today, term.months))
    if held.first > today:
        return None
    first = held.last + timedelta(1)
    return Period(first, _last_of(first, term.months))


def standing(period: Period, today: date) -> Standing:
    if today < period.first:
        return "later"
    if today > period.last:
        return "over"
    return "soon" if (period.last - today).days < SOON_DAYS else "valid"


def _last_of(first: date, months: int) -> date:
    """The day before the same day so many months later; in a shorter month, before its last day."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1])) - timedelta(1)
