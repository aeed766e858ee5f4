"""What the public is shown of an event, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from app.venues.point import Point

# on: it takes place, and may still be sold; full: it takes place and nothing is left.
State = Literal["on", "full", "cancelled"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# An event without a published end is over after so long.
LASTS_US: Final = 3 * 3600 * 1_000_000
DAY_US: Final = 24 * 3600 * 1_000_000
# As much of a text as search engines, feeds and previews show.
SAID_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is. `address`: on one line; it, `town` and `point` empty where nobody said."""

    id: UUID
    slug: str
    name: str
    zone: str
    address: str = ""
    town: str = ""
    point: Point | None = None

    @property
    def whole_address(self) -> str:
        """With its town, unless the address names it."""
        named = self.town.casefold() in self.address.casefold()
        return self.address if named else ", ".join(filter(None, (self.address, self.town)))


@dataclass(frozen=True, slots=True)
class Offer:
    """A price. `amount`: minor units of the money `currency`, 0 is free; `text_*`: as people write it, "" for free.
    `euro_cents`: None where the money is not worth euros. `open`: it can be bought here now; `at_door`: it is sold at
    the venue's till only. `from_us`: from when it is sold."""

    name_fr: str
    name_en: str
    currency: str
    amount: int
    text_fr: str
    text_en: str
    euro_cents: int | None
    open: bool
    sold_out: bool = False
    at_door: bool = False
    from_us: int | None = None

    def name(self, language: str) -> str:
        return (self.name_fr or self.name_en) if language == "fr" else (self.name_en or self.name_fr)

    def text(self, language: str) -> str:
        return self.text_fr if language == "fr" else self.text_en


@dataclass(frozen=True, slots=True)
class Player:
    """An artist of an event. `picture`: the address of a photo, or ""."""

    id: UUID
    slug: str
    name: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """An event as the public sees it. Moments in microseconds since the epoch."""

    id: UUID
    slug: str
    place: Place
    title_fr: str
    title_en: str
    words_fr: str
    words_en: str
    begins_us: int
    ends_us: int | None
    doors_us: int | None
    state: State
    published_us: int
    changed_us: int
    players: tuple[Player, ...] = ()
    offers: tuple[Offer, ...] = ()

    def title(self, language: str) -> str:
        """In the language, or else in the other."""
        return (self.title_fr or self.title_en) if language == "fr" else (self.title_en or self.title_fr)

    def words(self, language: str) -> str:
        return (self.words_fr or self.words_en) if language == "fr" else (self.words_en or self.words_fr)

    @property
    def over_us(self) -> int:
        return self.ends_us if self.ends_us is not None else self.begins_us + LASTS_US

    @property
    def begins(self) -> datetime:
        """On the venue's clock."""
        return local(self.begins_us, self.place.zone)

    @property
    def day(self) -> date:
        return self.begins.date()

    def coming(self, now_us: int) -> bool:
        return self.over_us > now_us

    @property
    def picture(self) -> str:
        return next((it.picture for it in self.players if it.picture), "")


def local(at_us: int, zone: str) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone))


def by_day(shows: Iterable[Show]) -> list[tuple[date, list[Show]]]:
    """By the day on which each begins at its venue, in order; on one day, the earliest first."""
    days: dict[date, list[Show]] = {}
    for it in sorted(shows, key=lambda it: (it.day, it.begins_us, it.place.name, it.slug)):
        days.setdefault(it.day, []).append(it)
    return list(days.items())


def short(text: str, most: int = SAID_MAX) -> str:
    """The beginning of a text on one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    return line[: most - 1].rpartition(" ")[0].rstrip(" ,;:.–") + "…"


def paragraphs(text: str) -> Sequence[str]:
    return [it.strip() for it in text.replace("\r\n", "\n").split("\n\n") if it.strip()]
