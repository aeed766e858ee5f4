"""The business day: a bar's Saturday ends when it closes, not at midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# A clock that is further ahead than this is wrong, and an event older than this came out of a drawer: such an event
# counts to the day it was booked, and is flagged.
AHEAD_MAX_US = 5 * 60 * 1_000_000
BEHIND_MAX = timedelta(days=30)


DEFAULT_CUT_OFF = time(6, 0)
_SECOND_US = 1_000_000


def business_day(at_us: int, zone: str, cut_off: time = DEFAULT_CUT_OFF) -> date:
    """The day on which an instant (microseconds since the epoch) counts at a venue.

    The comparison is made on the wall clock, so that a night with a repeated or missing hour still ends when the
    clock on the wall says so.
    """
    return _day_of_second(at_us // _SECOND_US, zone, cut_off)


# Sales come in crowds: most ask for a second that was asked for just before.
@lru_cache(maxsize=4096)
def _day_of_second(at_s: int, zone: str, cut_off: time) -> date:
    local = local_time(at_s * _SECOND_US, zone)
    return local.date() if local.time() >= cut_off else local.date() - timedelta(days=1)


def day_start_us(day: date, zone: str, cut_off: time = DEFAULT_CUT_OFF) -> int:
    """The first instant of a business day. When the cut-off hour happens twice, the day starts at its first passing."""
    start = datetime.combine(day, cut_off, ZoneInfo(zone))
    return int(start.timestamp()) * _SECOND_US


def local_time(at_us: int, zone: str) -> datetime:
    """An instant on the venue's wall clock."""
    return datetime.fromtimestamp(at_us // _SECOND_US, UTC).astimezone(ZoneInfo(zone))


def day_that_counts(happened_on: date, occurred_at_us: int, booked_on: date, booked_at_us: int) -> tuple[date, bool]:
    """(business day, late): the day on which it happened, or the day it was booked when that can't be right."""
    if occurred_at_us > booked_at_us + AHEAD_MAX_US or happened_on < booked_on - BEHIND_MAX:
        return booked_on, True
    return happened_on, False
