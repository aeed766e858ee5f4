"""What a till took: figures that rows of a journal add up to, the same at the terminal and at the server.

Amounts are minor units by currency; of prices, in the currency of the price; of what a card paid, in the currency that
it paid with. Whatever comes to 0 is left out, so that the same takings always read alike.

    total + deposits + tips   what customers owed, in the prices of the lines
    means                     what paid it
    gifted                    given away by the house, part of neither: of a sale that was given in part, what was
                              taken off its turnover, over the rates of VAT and then over the categories of each

A void takes nothing off these: it is counted beside them, so that what was recorded first stays what it was. A top-up
or refund that was taken back is a refund or top-up beside it: the cash went the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.rules.fees import share

ByCurrency = dict[str, int]
ByName = dict[str, dict[str, int]]

CashReason = Literal["to_safe", "change", "supplier", "other"]
NO_CATEGORY = ""


@dataclass(frozen=True, slots=True)
class SoldLine:
    """`minor` units of `currency`, below 0 for what comes back. `kind` as in app.rules.lines, None for a plain product.

    `vat` is a rate in basis points (2000 is 20 %), None where nobody said it.
    """

    category: str
    currency: str
    minor: int
    kind: str | None = None
    vat: int | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """`means`: "card", "cash", "bank_card", "cheque", "meal_voucher", or "house" for what nobody pays."""

    means: str
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Sold:
    """One sale. `number` is its place in the journal, as on its receipt. `training`: nothing of it was real."""

    number: str
    at_us: int
    lines: tuple[SoldLine, ...]
    paid: tuple[Paid, ...]
    training: bool = False

    @property
    def gift(self) -> bool:
        """Whether nobody paid any of it."""
        return bool(self.paid) and all(it.means == "house" for it in self.paid)

    @property
    def given(self) -> tuple[Paid, ...]:
        """What the house gave of it."""
        return tuple(it for it in self.paid if it.means == "house")

    @property
    def paid_lines(self) -> Iterable[SoldLine]:
        """Its lines, as far as somebody paid them."""
        return paid_part(self.lines, self.given) if self.given else self.lines


@dataclass(slots=True)
class Figures:
    """The sum of what happened. `vat` is what the lines of each rate (in basis points) came to, tax included.

    `moved_in` and `moved_out` are euro cents by reason: cash that no sale brought or took.
    """

    sales: int = 0
    first: str | None = None
    last: str | None = None
    first_at_us: int | None = None
    last_at_us: int | None = None
    total: ByCurrency = field(default_factory=dict)
    means: ByName = field(default_factory=dict)
    categories: ByName = field(default_factory=dict)
    vat: ByName = field(default_factory=dict)
    deposits_out: ByCurrency = field(default_factory=dict)
    deposits_back: ByCurrency = field(default_factory=dict)
    tips: ByCurrency = field(default_factory=dict)
    given_on_top: ByCurrency = field(default_factory=dict)
    gifts: int = 0
    gifted: ByCurrency = field(default_factory=dict)
    voids: int = 0
    voided: ByCurrency = field(default_factory=dict)
    voided_means: ByName = field(default_factory=dict)
    top_ups: int = 0
    topped_up: ByName = field(default_factory=dict)
    refunds: int = 0
    refunded: ByName = field(default_factory=dict)
    credits: int = 0
    credited: ByCurrency = field(default_factory=dict)
    uncredits: int = 0
    uncredited: ByCurrency = field(default_factory=dict)
    training: int = 0
    trained: ByCurrency = field(default_factory=dict)
    moved_in: ByCurrency = field(default_factory=dict)
    moved_out: ByCurrency = field(default_factory=dict)

    def sell(self, sale: Sold) -> None:
        if sale.training:
            self.training += 1
            _all(self.trained, ((it.currency, it.minor) for it in sale.lines))
            return
        if sale.gift:
            self.gifts += 1
            _all(self.gifted, ((it.currency, it.minor) for it in sale.lines))
            return
        self.sales += 1
        self._seen(sale.number, sale.number, sale.at_us, sale.at_us)
        for line in sale.paid_lines:
            self._line(line)
        for part in sale.paid:
            if part.means != "house":
                _named(self.means, part.means, part.currency, part.minor)
        if sale.given:
            self.gifts += 1
            _all(self.gifted, ((it.currency, it.minor) for it in sale.given))

    def void(self, sale: Sold) -> None:
        """A sale was undone, of these takings or of earlier ones. A gift takes no turnover back: it was none."""
        if sale.training:
            return
        self.voids += 1
        if sale.gift:
            return
        _all(self.voided, ((it.currency, it.minor) for it in sale.paid_lines if it.kind not in _NO_TURNOVER))
        for part in sale.paid:
            if part.means != "house":
                _named(self.voided_means, part.means, part.currency, part.minor)

    def give_on_top(self, currency: str, minor: int) -> None:
        """What a holder gave beside the basket: it is nobody's turnover."""
        _add(self.given_on_top, currency, minor)

    def top_up(self, means: str, currency: str, minor: int) -> None:
        self.top_ups += 1
        _named(self.topped_up, means, currency, minor)

    def refund(self, means: str, currency: str, minor: int) -> None:
        self.refunds += 1
        _named(self.refunded, means, currency, minor)

    def credit(self, currency: str, minor: int) -> None:
        """Money that nobody paid for: hours, gifts."""
        self.credits += 1
        _add(self.credited, currency, minor)

    def uncredit(self, currency: str, minor: int) -> None:
        """A credit was taken back, of these takings or of earlier ones."""
        self.uncredits += 1
        _add(self.uncredited, currency, minor)

    def move(self, direction: Literal["in", "out"], reason: str, cents: int) -> None:
        _add(self.moved_in if direction == "in" else self.moved_out, reason, cents)

    def plus(self, later: Figures) -> Figures:
        """These and then others, as figures of their own."""
        both = Figures(self.sales, self.first, self.last, self.first_at_us, self.last_at_us)
        both.sales += later.sales
        both._seen(later.first, later.last, later.first_at_us, later.last_at_us)
        for name in _COUNTS:
            setattr(both, name, getattr(self, name) + getattr(later, name))
        for name in _SUMS:
            for part in (self, later):
                _all(getattr(both, name), getattr(part, name).items())
        for name in _NAMED:
            for part in (self, later):
                for key, sums in getattr(part, name).items():
                    for currency, minor in sums.items():
                        _named(getattr(both, name), key, currency, minor)
        return both

    @property
    def empty(self) -> bool:
        return self == Figures()

    def net_cash(self) -> ByCurrency:
        """Cash that sales, top-ups, refunds and voids brought, by the currency of what it paid."""
        net: ByCurrency = {}
        for sums, sign in ((self.means, 1), (self.topped_up, 1), (self.refunded, -1), (self.voided_means, -1)):
            _all(net, ((currency, sign * minor) for currency, minor in sums.get("cash", {}).items()))
        return net

    @property
    def moved(self) -> int:
        """Euro cents that were laid in, less those that were taken out."""
        return sum(self.moved_in.values()) - sum(self.moved_out.values())

    def _line(self, line: SoldLine) -> None:
        if line.kind == "deposit":
            _add(self.deposits_out if line.minor > 0 else self.deposits_back, line.currency, abs(line.minor))
            return
        if line.kind == "tip":
            _add(self.tips, line.currency, line.minor)
            return
        _add(self.total, line.currency, line.minor)
        _named(self.categories, line.category, line.currency, line.minor)
        if line.vat is not None:
            _named(self.vat, str(line.vat), line.currency, line.minor)

    def _seen(self, first: str | None, last: str | None, first_at_us: int | None, last_at_us: int | None) -> None:
        self.first = self.first or first
        self.last = last or self.last
        instants = [it for it in (self.first_at_us, first_at_us) if it is not None]
        self.first_at_us = min(instants, default=None)
        instants = [it for it in (self.last_at_us, last_at_us) if it is not None]
        self.last_at_us = max(instants, default=None)


def paid_part(lines: Iterable[SoldLine], given: Iterable[Paid]) -> Iterator[SoldLine]:
    """Plain lines less what was given of them, in proportion: over the rates of VAT as the books do it
    (app.accounting.books.sold), then over the categories of each rate."""
    prices: dict[str, dict[int | None, dict[str, int]]] = {}
    for line in lines:
        by_category = prices.setdefault(line.currency, {}).setdefault(line.vat, {})
        by_category[line.category] = by_category.get(line.category, 0) + line.minor
    off: ByCurrency = {}
    _all(off, ((it.currency, it.minor) for it in given))
    for currency, by_rate in prices.items():
        rates = sorted(by_rate, key=lambda it: (it is None, it or 0))
        whole = [sum(by_rate[rate].values()) for rate in rates]
        for rate, part in zip(rates, _shared(sum(whole) - off.get(currency, 0), whole), strict=True):
            names = sorted(by_rate[rate])
            for name, minor in zip(names, _shared(part, [by_rate[rate][it] for it in names]), strict=True):
                yield SoldLine(name, currency, minor, vat=rate)


def _shared(total: int, weights: Sequence[int]) -> Sequence[int]:
    """As app.rules.fees.share; what costs nothing has no part."""
    return share(total, weights) if any(weights) else weights


# A deposit is the customer's money, and a tip the staff's.
_NO_TURNOVER = frozenset({"deposit", "tip"})
_COUNTS = ("gifts", "voids", "top_ups", "refunds", "credits", "uncredits", "training")
_SUMS = (
    *("total", "deposits_out", "deposits_back", "tips", "given_on_top", "gifted", "voided", "credited", "trained"),
    *("uncredited", "moved_in", "moved_out"),
)
_NAMED = ("means", "categories", "vat", "voided_means", "topped_up", "refunded")


@dataclass(frozen=True, slots=True)
class Perpetual:
    """What never goes back to 0: all sales ever, and all voids ever beside them."""

    sales: int = 0
    total: ByCurrency = field(default_factory=dict)
    voids: int = 0
    voided: ByCurrency = field(default_factory=dict)

    def after(self, figures: Figures) -> Perpetual:
        total, voided = dict(self.total), dict(self.voided)
        _all(total, figures.total.items())
        _all(voided, figures.voided.items())
        return Perpetual(self.sales + figures.sales, total, self.voids + figures.voids, voided)


def in_euros(net: Mapping[str, int], rates: Mapping[str, int]) -> int:
    """Euro cents. `rates`: euro cents per minor unit; prices that have none are no euros, and no cash paid them."""
    return sum(minor * rates.get(currency, 0) for currency, minor in net.items())


def _add(sums: ByCurrency, key: str, minor: int) -> None:
    if value := sums.get(key, 0) + minor:
        sums[key] = value
    else:
        sums.pop(key, None)


def _all(sums: ByCurrency, more: Iterable[tuple[str, int]]) -> None:
    for key, minor in more:
        _add(sums, key, minor)


def _named(named: ByName, name: str, currency: str, minor: int) -> None:
    sums = named.setdefault(name, {})
    _add(sums, currency, minor)
    if not sums:
        del named[name]
