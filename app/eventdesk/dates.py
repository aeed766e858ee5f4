"""An event's dates again and again, at the same time of day whatever the clocks do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from app.events.rules import Event

Every = Literal["week", "2weeks", "4weeks", "month"]

EVERY: Final[tuple[Every, ...]] = get_args(Every)
DATES_MAX: Final = 60
_WEEKS: Final = {"week": 1, "2weeks": 2, "4weeks": 4}


def again(first: date, every: Every, until: date) -> list[date]:
    """The days after the first, up to and with `until`; DATES_MAX at most. `month`: the same weekday of each month,
    such as the second Friday; months that have no fifth one are left out."""
    found: list[date] = []
    for day in _days(first, every):
        if day > until or len(found) == DATES_MAX:
            break
        found.append(day)
    return found


def _days(first: date, every: Every) -> Iterator[date]:
    if every in _WEEKS:
        step = timedelta(weeks=_WEEKS[every])
        while first < date.max - step:
            first += step
            yield first
        return
    place, weekday, month = (first.day - 1) // 7, first.weekday(), first.replace(day=1)
    while month.year < date.max.year:
        month = (month + timedelta(days=32)).replace(day=1)
        day = month + timedelta(days=(weekday - month.weekday()) % 7 + 7 * place)
        if day.month == month.month:
            yield day


def local(at_us: int, zone: str) -> datetime:
    """The time on the wall there, without a zone."""
    return datetime.fromtimestamp(at_us // 1_000_000, ZoneInfo(zone)).replace(tzinfo=None)


def instant(at: datetime, zone: str) -> int:
    """Microseconds since the epoch of a time on the wall; an hour that the clocks leave out is the one after."""
    return int(at.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def moved(it: Event, zone: str, day: date, id_: UUID) -> Event:
    """The event on another day, at the same times on the wall; tickets are given back until as long before it."""
    by = day - local(it.starts_at_us, zone).date()
    until = None if it.refund_until_us is None else instant(local(it.refund_until_us, zone) + by, zone)
    doors, starts, ends = (
        instant(local(at, zone) + by, zone) for at in (it.doors_at_us, it.starts_at_us, it.ends_at_us)
    )
    # Where the clocks change in the evening itself, what lies between may vanish.
    there = replace(it, id=id_, doors_at_us=min(doors, starts), starts_at_us=starts, ends_at_us=max(ends, starts + 1))
    return replace(there, refund_until_us=until)
