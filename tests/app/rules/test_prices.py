"""Prices by hour, on the venue's wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.prices import GRACE_US, Article, Window

PARIS = "Europe/Paris"
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def us(text: str, zone: str = PARIS, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 1_000_000


def beer(*windows: Window) -> Article:
    return Article("goods", {"RAF": 500, "TIME": 30}, windows=windows)


HAPPY = Window(frozenset({FRIDAY}), time(18), time(20), {"RAF": 400})
NIGHT = Window(frozenset({SATURDAY}), time(22), time(2), {"RAF": 600})


def test_happy_hour_is_on_its_days_only() -> None:
    at = beer(HAPPY).at
    assert at(us("2026-06-05T17:59"), PARIS)["RAF"] == 500
    assert at(us("2026-06-05T18:00"), PARIS) == {"RAF": 400, "TIME": 30}
    assert at(us("2026-06-05T19:59:59"), PARIS)["RAF"] == 400
    assert at(us("2026-06-05T20:00"), PARIS)["RAF"] == 500
    assert at(us("2026-06-06T18:30"), PARIS)["RAF"] == 500


def test_a_night_belongs_to_the_day_it_began_on() -> None:
    at = beer(NIGHT).at
    assert at(us("2026-06-06T21:59"), PARIS)["RAF"] == 500
    assert at(us("2026-06-06T23:30"), PARIS)["RAF"] == 600
    assert at(us("2026-06-07T01:59"), PARIS)["RAF"] == 600
    assert at(us("2026-06-07T02:00"), PARIS)["RAF"] == 500
    assert at(us("2026-06-07T23:30"), PARIS)["RAF"] == 500


def test_the_same_time_twice_is_a_whole_day() -> None:
    at = beer(Window(frozenset({FRIDAY}), time(6), time(6), {"RAF": 1})).at
    assert at(us("2026-06-05T06:00"), PARIS)["RAF"] == 1
    assert at(us("2026-06-06T05:59"), PARIS)["RAF"] == 1
    assert at(us("2026-06-06T06:00"), PARIS)["RAF"] == 500


def test_the_hour_that_october_repeats_is_in_the_window_twice() -> None:
    at = beer(Window(frozenset({SATURDAY}), time(23), time(2, 30), {"RAF": 400})).at
    # 25 October 2026: at 03:00 the clock goes back to 02:00.
    assert at(us("2026-10-25T02:15", fold=0), PARIS)["RAF"] == 400
    assert at(us("2026-10-25T02:45", fold=0), PARIS)["RAF"] == 500
    assert at(us("2026-10-25T02:15", fold=1), PARIS)["RAF"] == 400
    assert at(us("2026-10-25T02:45", fold=1), PARIS)["RAF"] == 500
    assert us("2026-10-25T02:15", fold=1) - us("2026-10-25T02:15", fold=0) == 3600 * 1_000_000


def test_the_hour_that_march_leaves_out_is_never_cheap() -> None:
    article = beer(Window(frozenset({SUNDAY}), time(2), time(3), {"RAF": 400}))
    start = us("2026-03-29T00:00")
    assert not article.held(400, "RAF", start, start + 12 * 3600 * 1_000_000, PARIS)


def test_a_venue_far_away_has_its_own_wall() -> None:
    article = beer(HAPPY)
    assert article.at(us("2026-06-05T18:30", "Indian/Reunion"), "Indian/Reunion")["RAF"] == 400
    assert article.at(us("2026-06-05T18:30", "Indian/Reunion"), PARIS)["RAF"] == 500


def test_the_first_of_two_windows_counts() -> None:
    article = beer(HAPPY, Window(frozenset(range(7)), time(0), time(0), {"RAF": 450, "TIME": 20}))
    assert article.at(us("2026-06-05T18:30"), PARIS) == {"RAF": 400, "TIME": 20}
    assert article.at(us("2026-06-05T12:30"), PARIS) == {"RAF": 450, "TIME": 20}


@pytest.mark.parametrize(("minutes", "held"), [(0, True), (9, True), (10, True), (11, False), (60, False)])
def test_the_price_on_the_screen_is_good_for_some_minutes_more(minutes: int, held: bool) -> None:
    # The last minute at 4.00 is 19:59.
    now = us("2026-06-05T19:59") + minutes * 60_000_000
    assert beer(HAPPY).held(400, "RAF", now - GRACE_US, now, PARIS) is held


def test_what_is_sold_at_any_hour_needs_no_look_at_the_clock() -> None:
    assert Article("goods", {"RAF": 5}).plain
    assert not beer(HAPPY).plain
    assert not Article("deposit", {"RAF": 100}).plain
    assert Article("goods", {"RAF": 5}).held(5, "RAF", 0, 10**15, PARIS)
    assert not Article("goods", {"RAF": 5}).held(5, "TIME", 0, 10**15, PARIS)


moments = st.integers(1_767_225_600, 1_830_297_600).map(lambda second: datetime.fromtimestamp(second, UTC))
windows = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60)),
    st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60)),
    st.just({"RAF": 1}),
)


@given(windows, moments, st.sampled_from([PARIS, "Indian/Reunion", "America/Cayenne"]))
def test_a_window_is_what_the_wall_says(window: Window, moment: datetime, zone: str) -> None:
    local = moment.astimezone(ZoneInfo(zone))
    wall = local.hour * 60 + local.minute
    start, end = (it.hour * 60 + it.minute for it in (window.start, window.end))
    length = (end - start) % 1440 or 1440
    since = (wall - start) % 1440
    begun = local.date() if wall >= start else local.date() - timedelta(days=1)
    inside = since < length and begun.weekday() in window.weekdays
    at_us = int(moment.timestamp()) * 1_000_000
    assert (beer(window).at(at_us, zone)["RAF"] == 1) is inside
