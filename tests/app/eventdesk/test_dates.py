"""Dates again and again keep the time on the wall, and are the days that people mean."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.eventdesk.dates import DATES_MAX, EVERY, Every, again, instant, local, moved
from app.events.rules import Event, check
from app.rules.ids import uuid7

days = st.dates(date(2024, 1, 1), date(2032, 12, 31))
zones = st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/New_York", "Australia/Lord_Howe"])


@given(days, st.sampled_from(EVERY), st.integers(-10, 900))
def test_days_are_on_the_first_one_s_weekday_and_none_is_beyond_the_last(first: date, every: Every, span: int) -> None:
    until = first + timedelta(span)
    found = again(first, every, until)
    assert found == sorted(set(found))
    assert len(found) <= DATES_MAX
    assert all(first < day <= until and day.weekday() == first.weekday() for day in found)
    if every == "month":
        assert {(day.day - 1) // 7 for day in found} <= {(first.day - 1) // 7}
    else:
        step = {"week": 7, "2weeks": 14, "4weeks": 28}[every]
        assert found == [first + timedelta(step * n) for n in range(1, max(0, span // step) + 1)][:DATES_MAX]


def test_the_second_friday_of_each_month() -> None:
    assert again(date(2026, 11, 13), "month", date(2027, 3, 1)) == [
        date(2026, 12, 11),
        date(2027, 1, 8),
        date(2027, 2, 12),
    ]
    assert again(date(2026, 10, 30), "month", date(2027, 3, 1)) == [date(2027, 1, 29)], "a fifth one"


@given(days, days, st.times(time(0), time(23, 59)), st.integers(0, 600), st.integers(1, 600), zones)
def test_another_day_is_at_the_same_time_on_the_wall(
    day: date, other: date, at: time, doors: int, lasts: int, zone: str
) -> None:
    starts = datetime.combine(day, at.replace(second=0, microsecond=0))
    at_us = [instant(it, zone) for it in (starts - timedelta(minutes=doors), starts, starts + timedelta(minutes=lasts))]
    at_us = [min(at_us[0], at_us[1]), at_us[1], max(at_us[2], at_us[1] + 1)]
    it = Event(uuid7(), uuid7(), "Bal", "", "", "", *at_us, 10)
    there = moved(it, zone, other, uuid7())
    check(there)
    wanted = datetime.combine(other, local(it.starts_at_us, zone).time())
    # An hour that the clocks leave out is no time on the wall: the one after stands for it.
    if local(instant(wanted, zone), zone) == wanted:
        assert local(there.starts_at_us, zone) == wanted
    assert (it.title_fr, it.capacity) == (there.title_fr, there.capacity)
