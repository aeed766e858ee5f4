"""When a venue is open, on its wall clock: each week, and on days of their own. Pure.

Hours are written like "10:00-14:00, 18:00-02:00"; an end that is not later than its beginning is on the day after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from app.rules.business_day import local_time

Span = tuple[time, time]

SPANS_MAX: Final = 4
DAYS_MAX: Final = 100
# Nobody plans an evening further ahead than this.
AHEAD_DAYS: Final = 31

_CLOCK = r"([01]?\d|2[0-4])\s*(?:[:h]\s*([0-5]\d)?)?"
_SPAN = re.compile(rf"{_CLOCK}\s*(?:-|–|à|to)\s*{_CLOCK}")


@dataclass(frozen=True, slots=True)
class Opening:
    """`weekly`: hours by weekday, 0 is Monday; `days`: on these days instead, none where it is closed."""

    weekly: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    @property
    def told(self) -> bool:
        """Whether anybody said when it is open."""
        return bool(self.weekly or self.days)

    def on(self, day: date) -> tuple[Span, ...]:
        return self.days[day] if day in self.days else self.weekly.get(day.weekday(), ())

    def __str__(self) -> str:
        weekly = [f"{DAY_NAMES[day]} {written(spans)}" for day, spans in sorted(self.weekly.items()) if spans]
        return "; ".join([*weekly, *(f"{day} {written(spans)}" for day, spans in sorted(self.days.items()))]) or "none"


DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Now:
    """`until`: it is open, up to then. `next`: it is closed, and opens then; None where that is not known. Both on the
    venue's wall clock."""

    until: datetime | None = None
    next: datetime | None = None


def now_of(it: Opening, at_us: int, zone: str) -> Now:
    at = local_time(at_us, zone).replace(tzinfo=None)
    upcoming = sorted(_spans(it, at.date()))
    until: datetime | None = None
    for begins, ends in upcoming:
        # Hours that follow each other without a gap are one evening.
        if begins <= (until or at) < ends:
            until = ends
    if until is not None:
        return Now(until=until)
    return Now(next=next((begins for begins, _ in upcoming if begins > at), None))


def _spans(it: Opening, today: date) -> Iterator[tuple[datetime, datetime]]:
    for ahead in range(-1, AHEAD_DAYS):
        day = today + timedelta(days=ahead)
        for begins, ends in it.on(day):
            over = timedelta(days=1 if ends <= begins else 0)
            yield datetime.combine(day, begins), datetime.combine(day, ends) + over


def read(text: str) -> tuple[Span, ...] | None:
    """Hours as people write them, also "18h30 à 2h"; () for what is empty or says that it is closed, None for what is
    not understood."""
    if text.strip().lower() in {"", "closed", "shut", "fermé", "ferme", "fermée", "-", "–"}:
        return ()
    found: list[Span] = []
    for part in re.split(r"[,;]| et | and ", text):
        match = _SPAN.fullmatch(part.strip().lower())
        if match is None:
            return None
        begins, ends = (_clock(match[1], match[2]), _clock(match[3], match[4]))
        if begins is None or ends is None:
            return None
        found.append((begins, ends))
    return tuple(sorted(found)) if len(found) <= SPANS_MAX else None


def _clock(hour: str, minute: str | None) -> time | None:
    if int(hour) == 24:
        return None if int(minute or 0) else time(0)
    return time(int(hour), int(minute or 0))


def written(spans: tuple[Span, ...]) -> str:
    """What `read` reads back."""
    return ", ".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in spans) or "closed"


def read_day(text: str) -> date | None:
    """A day like 2026-12-25 or 25/12/2026."""
    match = re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text.strip())
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else date.fromisoformat(text.strip())
    except ValueError:
        return None
