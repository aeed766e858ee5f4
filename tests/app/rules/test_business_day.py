"""Saturday ends when the bar closes: everywhere, and in the nights when the clock is turned."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.business_day import DEFAULT_CUT_OFF, business_day, day_start_us, local_time

PARIS, REUNION = "Europe/Paris", "Indian/Reunion"
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
zones = st.sampled_from([PARIS, REUNION, "America/Martinique", "Pacific/Noumea", "UTC"])
cut_offs = st.sampled_from([DEFAULT_CUT_OFF, time(0, 0), time(2, 30), time(3, 0), time(12, 0)])
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 (made aware below)
    lambda it: int(it.replace(tzinfo=UTC).timestamp() * 1_000_000)
)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def us(text: str) -> int:
    """An instant from its ISO text, with offset."""
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@given(days, zones, cut_offs)
def test_a_day_begins_at_its_first_instant_and_not_before(day: date, zone: str, cut_off: time) -> None:
    start = day_start_us(day, zone, cut_off)
    assert business_day(start, zone, cut_off) == day
    assert business_day(start - 1, zone, cut_off) == day - timedelta(days=1)


@given(days, zones, cut_offs)
def test_days_follow_each_other_23_to_25_hours_apart(day: date, zone: str, cut_off: time) -> None:
    length = day_start_us(day + timedelta(days=1), zone, cut_off) - day_start_us(day, zone, cut_off)
    assert 23 * HOUR_US <= length <= 25 * HOUR_US


@given(instants, zones)
def test_an_instant_counts_to_its_date_or_to_the_evening_before(at_us: int, zone: str) -> None:
    local = local_time(at_us, zone)
    assert business_day(at_us, zone) in {local.date(), local.date() - timedelta(days=1)}
    assert (business_day(at_us, zone) == local.date()) == (local.time() >= DEFAULT_CUT_OFF)


@given(instants, st.integers(0, 10 * DAY_US), zones)
def test_later_is_never_an_earlier_day(at_us: int, later_us: int, zone: str) -> None:
    """At six in the morning no clock is turned, so the repeated hour lies within one business day."""
    assert business_day(at_us, zone) <= business_day(at_us + later_us, zone)


@pytest.mark.parametrize("at", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"])
def test_october_s_repeated_hour_belongs_to_saturday_both_times(at: str) -> None:
    assert local_time(us(at), PARIS).time() == time(2, 30)
    assert business_day(us(at), PARIS) == date(2026, 10, 24)


def test_the_night_of_the_repeated_hour_is_25_hours_long_and_that_of_the_missing_one_23() -> None:
    lengths = {
        day: day_start_us(day + timedelta(days=1), PARIS) - day_start_us(day, PARIS)
        for day in (date(2026, 10, 24), date(2026, 3, 28), date(2026, 6, 6))
    }
    assert list(lengths.values()) == [25 * HOUR_US, 23 * HOUR_US, 24 * HOUR_US]


def test_a_cut_off_within_the_repeated_hour_starts_the_day_at_its_first_passing() -> None:
    assert day_start_us(date(2026, 10, 25), PARIS, time(2, 30)) == us("2026-10-25T02:30:00+02:00")


def test_one_evening_ends_hours_apart_in_paris_and_on_la_reunion() -> None:
    late = us("2026-07-05T03:00:00+00:00")
    assert business_day(late, PARIS) == date(2026, 7, 4), "five in the morning in Paris"
    assert business_day(late, REUNION) == date(2026, 7, 5), "seven in the morning on La Réunion"
    assert day_start_us(date(2026, 7, 5), PARIS) - day_start_us(date(2026, 7, 5), REUNION) == 2 * HOUR_US
    assert day_start_us(date(2026, 12, 5), PARIS) - day_start_us(date(2026, 12, 5), REUNION) == 3 * HOUR_US
