"""Moments and days as people say them: "ce soir, 23 h 12", "hier, 18 h 05", "samedi 14 novembre".

Moments are integers of microseconds since the epoch (UTC); a zone is an IANA name ("Europe/Paris").
An unknown zone raises zoneinfo.ZoneInfoNotFoundError.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from app.web.i18n import Language, Texts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# English is written with the 24-hour clock and the day before the month, as its readers here meet both everywhere else.
_LOCALES = {"fr": "fr", "en": "en_GB"}
_CLOCKS = {"fr": "H\N{NO-BREAK SPACE}'h'\N{NO-BREAK SPACE}mm", "en": "HH:mm"}

_EVENING_HOUR = 18
_MORNING_HOUR = 5
_NOON_HOUR = 12


def when(at_us: int, zone: str, now_us: int, texts: Texts) -> str:
    """A moment, told at `now_us`: with its day when that is not today, and always with its time."""
    at, now = local(at_us, zone), local(now_us, zone)
    time = clock(at, texts)
    if at.date() != now.date():
        return f"{day_in_words(at.date(), now.date(), texts)}, {time}"
    if at.hour >= _EVENING_HOUR:
        return texts.gettext("tonight, %(time)s", time=time)
    # In the afternoon "cette nuit" would be the night to come.
    if at.hour < _MORNING_HOUR and now.hour < _NOON_HOUR:
        return texts.gettext("during the night, %(time)s", time=time)
    return texts.gettext("today, %(time)s", time=time)


def moment(at_us: int, zone: str, texts: Texts) -> str:
    """A moment for who reads it who knows when: always with its day and year."""
    at = local(at_us, zone)
    return f"{format_date(at.date(), 'd MMMM y', locale=_LOCALES[texts.language])}, {clock(at, texts)}"


def day_in_words(day: date, today: date, texts: Texts) -> str:
    """A day, told on `today`. For an evening that ran past midnight, give the venue's business days."""
    match (day - today).days:
        case 0:
            return texts.gettext("today")
        case -1:
            return texts.gettext("yesterday")
        case 1:
            return texts.gettext("tomorrow")
    pattern = "EEEE d MMMM" if day.year == today.year else "EEEE d MMMM y"
    words = format_date(day, pattern, locale=_LOCALES[texts.language])
    # Unicode's patterns have no ordinals, and French says "1er novembre".
    return words.replace(" 1 ", " 1er ", 1) if texts.language == "fr" else words


def clock(at: datetime, texts: Texts) -> str:
    """The time of day, "23 h 12"; in the hour that a clock change repeats, it says which of the two is meant."""
    said = _clock(at.hour, at.minute, texts.language)
    offset, other = at.utcoffset(), at.replace(fold=1 - at.fold).utcoffset()
    if offset is None or other is None or offset == other:
        return said
    season = texts.gettext("summer time") if offset > other else texts.gettext("winter time")
    return f"{said} ({season})"


@lru_cache(maxsize=4096)
def _clock(hour: int, minute: int, language: Language) -> str:
    """There are only so many, and Babel takes as long for one as a row of a page for all else."""
    return format_time(time(hour, minute), _CLOCKS[language], locale=_LOCALES[language])


def local(at_us: int, zone: str) -> datetime:
    """The moment on the wall clock of `zone`."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone))


def sentence(words: str) -> str:
    """`words` with a capital first letter, for where they begin a line."""
    return words[:1].upper() + words[1:]
