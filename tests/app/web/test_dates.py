"""Dates in words, in both languages, at the edges where clocks and days are awkward."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.dates import day_in_words, sentence, when
from app.web.i18n import Language, texts_in

PARIS = "Europe/Paris"


def us(text: str, zone: str = PARIS) -> int:
    """A wall-clock time in `zone` (or with its own offset), in microseconds."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * 1_000_000


def said(at: str, now: str, language: Language = "fr") -> str:
    """What is said, with plain spaces to compare."""
    return when(us(at), PARIS, us(now), texts_in(language)).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("at", "now", "french", "english"),
    [
        ("2026-11-14T23:12", "2026-11-14T23:40", "ce soir, 23 h 12", "tonight, 23:12"),
        ("2026-11-14T18:00", "2026-11-14T18:00", "ce soir, 18 h 00", "tonight, 18:00"),
        ("2026-11-14T17:59", "2026-11-14T23:40", "aujourd’hui, 17 h 59", "today, 17:59"),
        ("2026-11-14T09:05", "2026-11-14T23:40", "aujourd’hui, 9 h 05", "today, 09:05"),
        ("2026-11-13T18:05", "2026-11-14T12:00", "hier, 18 h 05", "yesterday, 18:05"),
        ("2026-11-15T10:00", "2026-11-14T12:00", "demain, 10 h 00", "tomorrow, 10:00"),
        ("2026-11-07T20:30", "2026-11-14T12:00", "samedi 7 novembre, 20 h 30", "Saturday 7 November, 20:30"),
        ("2026-11-01T20:30", "2026-11-14T12:00", "dimanche 1er novembre, 20 h 30", "Sunday 1 November, 20:30"),
        (
            "2025-12-31T20:30",
            "2026-11-14T12:00",
            "mercredi 31 décembre 2025, 20 h 30",
            "Wednesday 31 December 2025, 20:30",
        ),
    ],
)
def test_a_moment_is_told_as_people_tell_it(at: str, now: str, french: str, english: str) -> None:
    assert said(at, now) == french
    assert said(at, now, "en") == english


def test_at_midnight_the_evening_becomes_yesterday() -> None:
    assert said("2026-11-14T23:59", "2026-11-14T23:59") == "ce soir, 23 h 59"
    assert said("2026-11-14T23:59", "2026-11-15T00:00") == "hier, 23 h 59"
    assert said("2026-11-15T00:00", "2026-11-15T00:10") == "cette nuit, 0 h 00"


def test_the_night_past_is_no_longer_tonight_in_the_afternoon() -> None:
    assert said("2026-11-15T01:30", "2026-11-15T11:59") == "cette nuit, 1 h 30"
    assert said("2026-11-15T01:30", "2026-11-15T12:00") == "aujourd’hui, 1 h 30"


def test_the_hour_that_october_repeats_is_told_apart() -> None:
    now = "2026-10-25T09:00"
    first, second = said("2026-10-25T02:30+02:00", now), said("2026-10-25T02:30+01:00", now)
    assert first == "cette nuit, 2 h 30 (heure d’été)"
    assert second == "cette nuit, 2 h 30 (heure d’hiver)"
    assert said("2026-10-25T03:00+01:00", now) == "cette nuit, 3 h 00"
    assert said("2026-10-25T02:30+01:00", now, "en") == "during the night, 02:30 (winter time)"


def test_winter_time_is_known_where_the_law_calls_it_otherwise() -> None:
    # Ireland's law makes winter the exception, so its time-zone data gives winter a negative daylight saving.
    told = when(us("2026-10-25T01:30+00:00"), "Europe/Dublin", us("2026-10-25T09:00+00:00"), texts_in("en"))
    assert told == "during the night, 01:30 (winter time)"


def test_the_same_instant_is_another_day_elsewhere() -> None:
    at, now = us("2026-11-14T23:30"), us("2026-11-15T08:00")
    assert when(at, "Indian/Reunion", now, texts_in("en")) == "during the night, 02:30"


def test_a_day_is_named_and_today_is_the_business_day_given() -> None:
    texts = texts_in("fr")
    assert day_in_words(date(2026, 11, 14), date(2026, 11, 14), texts) == "aujourd’hui"
    assert day_in_words(date(2026, 11, 13), date(2026, 11, 14), texts) == "hier"
    assert day_in_words(date(2026, 11, 12), date(2026, 11, 14), texts) == "jeudi 12 novembre"


def test_a_sentence_begins_with_a_capital_and_keeps_the_others() -> None:
    assert sentence("saturday 14 November") == "Saturday 14 November"
    assert sentence("") == ""


# 1970 to 2100.
moments = st.integers(0, 4_102_444_800_000_000)


@given(moments, moments)
def test_two_instants_of_one_day_never_read_the_same_minute(one: int, other: int) -> None:
    now = max(one, other)
    texts = texts_in("en")
    said_one, said_other = (when(at, PARIS, now, texts) for at in (one, other))
    if said_one == said_other:
        assert abs(one - other) < 60_000_000


@given(moments)
def test_the_words_hold_the_wall_clock(at: int) -> None:
    wall = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(PARIS))
    assert f"{wall:%H:%M}" in when(at, PARIS, at + 10**14, texts_in("en"))
