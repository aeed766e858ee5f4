"""What a day's sales come to, by venue, product and hour, and what paid them. Pure.

Turnover is what goods cost: deposits are the customers' money and tips the staff's, as in the tills' closings
(app.rules.takings), and gifts of the house are no turnover either. What was taken back is taken off, on the day and at
the venue of the void, as in the positions. So for each venue and money

    turnover + deposits + tips = what cards paid + what the till itself took

where each price was paid in its own money.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from uuid import UUID

import msgspec

from app.rules.business_day import local_time

CARD = "card"
HOUSE = "house"
_NO_TURNOVER = frozenset({"deposit", "tip"})
_HOUR = timedelta(hours=1)


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
    at = local_time(at_us, zone).replace(tzinfo=None)
    begins = datetime.combine(day, cut_off)
    if not begins <= at < begins + timedelta(days=1):
        return None
    return int((at - datetime.combine(day, time())) / _HOUR)


def sold(happened: Iterable[Happened]) -> Sold:
    """In any order but that what takes a sale back stands after it."""
    found, made = Sold(), dict[UUID, int | None]()
    for it in happened:
        sign, hour = 1, it.hour
        if it.undoes is not None:
            # What is taken off comes off the hour in which it had been sold, if that was on this day.
            sign, hour = -1, made.get(it.undoes, it.hour)
            found.taken_back[it.venue] = found.taken_back.get(it.venue, 0) + 1
        else:
            made[it.id] = hour
        _count(found, it, hour, sign)
    return found


def _count(found: Sold, it: Happened, hour: int | None, sign: int) -> None:
    venue, details = it.venue, it.details
    amounts: dict[str, int] = {}
    gift, by_card = details.gift, details.card is not None and details.card != ""
    for line in details.lines:
        minor = sign * line.quantity * line.unit_price
        if line.kind in _NO_TURNOVER and not gift:
            key = (venue, line.kind or "", line.currency)
            found.aside[key] = found.aside.get(key, 0) + minor
            continue
        amounts[line.currency] = amounts.get(line.currency, 0) + minor
        if not gift:
            of = found.products.setdefault((venue, line.name, line.currency), Sum())
            of.add(sign * line.pieces, minor, by_card=by_card)
    if gift:
        for code, minor in amounts.items():
            found.gifts.setdefault((venue, code), Sum()).add(sign, minor, by_card=by_card)
        return
    for code, minor in amounts.items():
        found.totals.setdefault((venue, code), Sum()).add(sign, minor, by_card=by_card)
        found.hours.setdefault((venue, code, hour), Sum()).add(sign, minor, by_card=by_card)
    for means, code, minor in _paid(details, by_card=by_card):
        paid = (venue, means, code)
        found.means[paid] = found.means.get(paid, 0) + sign * minor


def _paid(details: Details, *, by_card: bool) -> Iterable[tuple[str, str, int]]:
    if details.tenders is not None:
        for tender in details.tenders:
            yield CARD, tender.currency, tender.amount
    elif by_card and not details.rest:
        for line in details.lines:
            yield CARD, line.currency, line.quantity * line.unit_price
    for rest in details.rest:
        yield rest.means, rest.covers, rest.amount
