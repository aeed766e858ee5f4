"""What a day's sales come to, by venue, product and hour, and what paid them. Pure.

Turnover is what goods cost: deposits are the customers' money and tips the staff's, as in the tills' closings
(app.rules.takings), and gifts of the house are no turnover either. What was taken back is taken off, on the day and at
the venue of the void, as in the positions. So for each venue and money

    turnover + deposits + tips = what cards paid + what the till itself took

where each price was paid in its own money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

import msgspec

from app.rules.business_day import local_time

CARD = "card"
HOUSE = "house"
_NO_TURNOVER = frozenset({"deposit", "tip"})
_HOUR = timedelta(hours=1)
_MINUTE_US = 60_000_000


class Share(msgspec.Struct, frozen=True, gc=False):
    parts: int
    quantity: int


class Line(msgspec.Struct, frozen=True, gc=False):
    """`share`: of a bill that several pay, this line is one of so many parts of so many pieces."""

    name: str
    quantity: int
    unit_price: int
    currency: str
    kind: str | None = None
    share: Share | None = None

    @property
    def pieces(self) -> int | Fraction:
        return self.quantity if self.share is None else Fraction(self.share.quantity, self.share.parts)


class Tender(msgspec.Struct, frozen=True, gc=False):
    currency: str
    amount: int


class Rest(msgspec.Struct, frozen=True, gc=False):
    """What the venue's own till took, of prices in the money `covers`."""

    means: str
    covers: str
    amount: int


class Details(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a sale, as far as it is counted here. `tenders`: None where the sale's card paid each line in its
    own money."""

    lines: tuple[Line, ...] = ()
    card: str | None = None
    tenders: tuple[Tender, ...] | None = None
    rest: tuple[Rest, ...] = ()

    @property
    def gift(self) -> bool:
        return any(it.means == HOUSE for it in self.rest)


@dataclass(frozen=True, slots=True)
class Happened:
    """A sale, or what took one back (`undoes`: which). `hour`: on its venue's clock, counted from midnight at the
    beginning of the business day (26 is two in the morning after); None: it was made outside of that day. `at_us`: when
    it was, in microseconds since the epoch."""

    id: UUID
    venue: UUID
    hour: int | None
    details: Details
    undoes: UUID | None = None
    at_us: int = 0


@dataclass(slots=True)
class Sum:
    """Minor units: of sales that a card paid or helped to pay (`card`), and of sales without one (`other`).

    `count`: pieces of a product, else sales.
    """

    count: int | Fraction = 0
    card: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.card + self.other

    def add(self, count: int | Fraction, minor: int, *, by_card: bool) -> None:
        self.count += count
        if by_card:
            self.card += minor
        else:
            self.other += minor

    def plus(self, more: Sum) -> None:
        self.count += more.count
        self.card += more.card
        self.other += more.other


@dataclass(slots=True)
class Sold:
    """A day of several venues; all by venue first, and by currency (of the prices; of `means`, where a card paid, of
    what it paid with). `taken_back`: how many sales were."""

    products: dict[tuple[UUID, str, str], Sum] = field(default_factory=dict)
    hours: dict[tuple[UUID, str, int | None], Sum] = field(default_factory=dict)
    totals: dict[tuple[UUID, str], Sum] = field(default_factory=dict)
    means: dict[tuple[UUID, str, str], int] = field(default_factory=dict)
    aside: dict[tuple[UUID, str, str], int] = field(default_factory=dict)
    gifts: dict[tuple[UUID, str], Sum] = field(default_factory=dict)
    taken_back: dict[UUID, int] = field(default_factory=dict)


def hour_of(at_us: int, day: date, zone: str, cut_off: time) -> int | None:
    """The hour of a business day in which an instant lies, counted from midnight at its beginning on the wall clock."""
    return _hour_of_minute(at_us // _MINUTE_US, day, zone, cut_off)


# Sales come in crowds: most ask for a minute that was asked for just before.
@lru_cache(maxsize=8192)
def _hour_of_minute(minute: int, day: date, zone: str, cut_off: time) -> int | None:
    at = local_time(minute * _MINUTE_US, zone).replace(tzinfo=None)
    begins = datetime.combine(day, cut_off)
    if not begins <= at < begins + timedelta(days=1):
        return None
    return int((at - datetime.combine(day, time())) / _HOUR)


def sold(happened: Iterable[Happened]) -> Sold:
    """In any order but that what takes a sale back stands after it."""
    made: dict[UUID, int | None] = {}
    at_venues: dict[UUID, _AtVenue] = {}
    for it in happened:
        at = at_venues.get(it.venue)
        if at is None:
            at = at_venues[it.venue] = _AtVenue()
        if it.undoes is None:
            made[it.id] = it.hour
            at.count(it.details, it.hour, 1)
        else:
            # What is taken off comes off the hour in which it had been sold, if that was on this day.
            at.taken_back += 1
            at.count(it.details, made.get(it.undoes, it.hour), -1)
    found = Sold()
    for venue, at in at_venues.items():
        found.products.update({(venue, *key): of for key, of in at.products.items()})
        found.hours.update({(venue, *key): of for key, of in at.hours.items()})
        found.totals.update({(venue, code): of for code, of in at.totals.items()})
        found.means.update({(venue, *key): minor for key, minor in at.means.items()})
        found.aside.update({(venue, *key): minor for key, minor in at.aside.items()})
        found.gifts.update({(venue, code): of for code, of in at.gifts.items()})
        if at.taken_back:
            found.taken_back[venue] = at.taken_back
    return found


class _AtVenue:
    """The sums of one venue. Apart, for a venue's name in each key would cost more than all the rest."""

    def __init__(self) -> None:
        self.products: defaultdict[tuple[str, str], Sum] = defaultdict(Sum)
        self.hours: defaultdict[tuple[str, int | None], Sum] = defaultdict(Sum)
        self.totals: defaultdict[str, Sum] = defaultdict(Sum)
        self.gifts: defaultdict[str, Sum] = defaultdict(Sum)
        self.means: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.aside: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.taken_back = 0

    def count(self, details: Details, hour: int | None, sign: int) -> None:
        amounts: dict[str, int] = {}
        gift, by_card = details.gift, details.card is not None and details.card != ""
        for line in details.lines:
            minor = sign * line.quantity * line.unit_price
            if line.kind in _NO_TURNOVER and not gift:
                self.aside[line.kind or "", line.currency] += minor
                continue
            amounts[line.currency] = amounts.get(line.currency, 0) + minor
            if not gift:
                self.products[line.name, line.currency].add(sign * line.pieces, minor, by_card=by_card)
        if gift:
            for code, minor in amounts.items():
                self.gifts[code].add(sign, minor, by_card=by_card)
            return
        for code, minor in amounts.items():
            self.totals[code].add(sign, minor, by_card=by_card)
            self.hours[code, hour].add(sign, minor, by_card=by_card)
        for means, code, minor in _paid(details, by_card=by_card):
            self.means[means, code] += sign * minor


def _paid(details: Details, *, by_card: bool) -> Iterable[tuple[str, str, int]]:
    if details.tenders is not None:
        for tender in details.tenders:
            yield CARD, tender.currency, tender.amount
    elif by_card and not details.rest:
        for line in details.lines:
            yield CARD, line.currency, line.quantity * line.unit_price
    for rest in details.rest:
        yield rest.means, rest.covers, rest.amount
