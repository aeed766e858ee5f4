"""The statement of an event's receipts: tickets by price, with their numbers, VAT and what authors' rights are counted
on. Pure.

France asks, of each performance and for each category of places, for the numbers of the first and the last ticket, how
many there were, the price, and the receipts (CGI, annexe IV, art. 50 sexies H). The tax on variety shows is counted on
what was paid for admission without VAT (CIBS, art. L. 452-14 to L. 452-27), and authors' rights (Sacem) are a
percentage of receipts that the contract says. What of them is due is nothing that a till decides: the base is told, and
what the venue's own rate makes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from app.rules.vat import vat_within

TicketState = Literal["valid", "void", "refunded"]
# Basis points of a whole.
_WHOLE = 10_000
RATE_MAX: Final = _WHOLE
# Fewer people than these could be recognised by who knows when somebody came.
FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Sold:
    """One ticket. `amount`: what was paid for it, minor units of `currency`. `hour_us`: the full hour in which it was
    sold."""

    serial: int
    price: UUID
    currency: str
    amount: int
    state: TicketState
    channel: str
    hour_us: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price as it stands. `vat`: basis points. `cents_per_unit`: None where its money is not worth euros."""

    id: UUID
    name_fr: str
    name_en: str
    currency: str
    vat: int
    cents_per_unit: int | None
    condition: str = "none"

    def name(self, language: str) -> str:
        return (self.name_fr or self.name_en) if language == "fr" else (self.name_en or self.name_fr)


@dataclass(frozen=True, slots=True)
class Line:
    """Tickets of one price sold at one amount. `first`, `last`: their serials. `count`: those that still hold;
    `refunded`: those whose money went back; `void`: others that no longer hold. All amounts are of those that hold:
    `total` in minor units of the price's money; `gross`, `net`, `tax` in euro cents, None where it is not worth euros.
    """

    tariff: Tariff
    unit: int
    first: int
    last: int
    count: int
    refunded: int
    void: int
    total: int
    gross: int | None
    net: int | None
    tax: int | None

    @property
    def free(self) -> bool:
        return self.unit == 0


@dataclass(frozen=True, slots=True)
class Rate:
    """What was taken at one rate of VAT, in euro cents."""

    vat: int
    net: int
    tax: int

    @property
    def gross(self) -> int:
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Statement:
    lines: tuple[Line, ...]

    @property
    def tickets(self) -> int:
        return sum(it.count for it in self.lines)

    @property
    def free(self) -> int:
        return sum(it.count for it in self.lines if it.free)

    @property
    def refunded(self) -> int:
        return sum(it.refunded for it in self.lines)

    @property
    def rates(self) -> tuple[Rate, ...]:
        """By rate, the lowest first; only what was taken in money that is worth euros."""
        found: dict[int, list[Line]] = {}
        for it in self.lines:
            if it.gross:
                found.setdefault(it.tariff.vat, []).append(it)
        return tuple(
            Rate(vat, sum(it.net or 0 for it in of), sum(it.tax or 0 for it in of)) for vat, of in sorted(found.items())
        )

    @property
    def gross(self) -> int:
        return sum(it.gross for it in self.rates)

    @property
    def tax(self) -> int:
        return sum(it.tax for it in self.rates)

    @property
    def net(self) -> int:
        """Receipts without VAT: what the tax on variety shows and, mostly, authors' rights are counted on."""
        return self.gross - self.tax


@dataclass(frozen=True, slots=True)
class Rights:
    """How a venue's contract counts authors' rights: on receipts without VAT ("net") or with it, `rate` in basis points
    (None: the base alone is told), and so much at least."""

    base: Literal["net", "gross"] = "net"
    rate: int | None = None
    minimum_cents: int = 0

    def counted_on(self, of: Statement) -> int:
        """Euro cents."""
        return of.net if self.base == "net" else of.gross

    def made_of(self, of: Statement) -> int | None:
        """Euro cents, rounded half up."""
        if self.rate is None:
            return None
        return max(self.minimum_cents, (2 * self.counted_on(of) * self.rate + _WHOLE) // (2 * _WHOLE))


@dataclass(frozen=True, slots=True)
class Came:
    """A ticket at the door. `hour_us`: the full hour in which it first went in; None: it never did."""

    price: UUID
    state: TicketState
    hour_us: int | None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Of one group of tickets that hold: how many were sold, and how many of them came. None: too few to be told."""

    sold: int
    entered: int | None

    @property
    def absent(self) -> int | None:
        return None if self.entered is None else self.sold - self.entered


def crowds(tickets: Iterable[Came], prices: Sequence[UUID]) -> dict[UUID, Crowd]:
    """By price, of those that sold any."""
    held = [it for it in tickets if it.state == "valid"]
    return {
        price: Crowd(len(of), sum(it.hour_us is not None for it in of))
        for price in prices
        if (of := [it for it in held if it.price == price])
    }


def too_few(groups: Sequence[Collection[int]]) -> set[int]:
    """Places of groups that are not told to others: those with a count of 1 to 4 in them, and where that is one alone,
    the smallest of the rest too, for the sum would tell it."""
    hidden = {place for place, counts in enumerate(groups) if any(0 < it < FEW for it in counts)}
    if len(hidden) == 1:
        rest = [place for place in range(len(groups)) if place not in hidden]
        hidden |= set(sorted(rest, key=lambda place: (sum(groups[place]), place))[:1])
    return hidden


def statement(tickets: Iterable[Sold], tariffs: Sequence[Tariff]) -> Statement:
    """In the order of the prices, the dearest amount first where one was sold at several."""
    groups: dict[tuple[UUID, int], list[Sold]] = {}
    for it in tickets:
        groups.setdefault((it.price, it.amount), []).append(it)
    lines = [
        _line(tariff, unit, groups[tariff.id, unit])
        for tariff in tariffs
        for price, unit in sorted(groups, key=lambda it: -it[1])
        if price == tariff.id
    ]
    return Statement(tuple(lines))


def _line(tariff: Tariff, unit: int, tickets: Sequence[Sold]) -> Line:
    serials = [it.serial for it in tickets]
    count, refunded, void = (sum(it.state == state for it in tickets) for state in ("valid", "refunded", "void"))
    total = unit * count
    gross = None if tariff.cents_per_unit is None else total * tariff.cents_per_unit
    tax = None if gross is None else vat_within(gross, tariff.vat)
    net = None if gross is None or tax is None else gross - tax
    return Line(tariff, unit, min(serials), max(serials), count, refunded, void, total, gross, net, tax)
