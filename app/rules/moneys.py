"""What paying a basket is about: items, moneys, purses, and what is given for what.

Amounts are whole minor units. Prices in euro-valued money (pegged, gift) may be covered by any euro-valued money at
par; prices in time, points or mutual credit only by their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.rules.basket import Line, totals
from app.rules.covering import Cell
from app.rules.lines import OWN_MONEY_ONLY, LineKind
from app.rules.policy import LOCAL_FIRST, PRIORITY, CurrencyKind, Policy

# One minor unit of gift money is priced like one euro cent, though nobody owes it in euros.
GIFT_CENTS = 1
# A round-up goes to the next whole euro.
ROUND_UP_CENTS = 100


def euro_cents(kind: CurrencyKind, cents_per_unit: int | None) -> int | None:
    """What a minor unit is priced at in euro cents: the peg, GIFT_CENTS for gifts, None for all that has no price in
    euros. Raises ValueError for pegged money without a peg."""
    if kind == "pegged" and (cents_per_unit is None or cents_per_unit < 1):
        raise ValueError("pegged money is worth a whole number of euro cents")
    return {"pegged": cents_per_unit, "gift": GIFT_CENTS}.get(kind)


@dataclass(frozen=True, slots=True)
class Item:
    """`quantity` of a product, with its unit price in each currency it has one in; `category` as the venue names it,
    `kind` as app.rules.lines does."""

    product: str
    category: str
    quantity: int
    prices: Mapping[str, int]
    kind: LineKind | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """One currency as far as paying goes.

    `cents`: euro cents per minor unit, as `euro_cents` says. `issuer`: "network" or a venue's slug. `position`: the
    order in which the network lists its currencies. Raises ValueError when kind and `cents` do not go together.
    """

    code: str
    kind: CurrencyKind
    cents: int | None
    issuer: str
    policy: Policy
    position: int = 0

    def __post_init__(self) -> None:
        if self.cents != euro_cents(self.kind, self.cents):
            raise ValueError(f"{self.code}: {self.kind} money is not worth {self.cents} cents")


@dataclass(frozen=True, slots=True)
class Purse:
    """What one card may pay now, in minor units by currency: balance above the floor, less what its limits forbid."""

    available: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PricedLine:
    """An item in the currency it is charged in, at `unit_price` minor units each."""

    item: Item
    currency: str
    unit_price: int

    @property
    def total(self) -> int:
        return self.quantity * self.unit_price

    @property
    def quantity(self) -> int:
        return self.item.quantity

    @property
    def kind(self) -> LineKind | None:
        return self.item.kind


@dataclass(frozen=True, slots=True)
class Tender:
    """`amount` minor units of `currency` from a purse pay `covered` minor units of the prices in `covers`."""

    currency: str
    amount: int
    covers: str
    covered: int
    purse: int = 0


@dataclass(frozen=True, slots=True)
class Rest:
    """`amount` minor units of the prices in `covers`, paid in cash or with a bank card."""

    covers: str
    amount: int


@dataclass(frozen=True, slots=True)
class RoundUp:
    """`amount` minor units of `currency`, given on top of the basket from the first purse."""

    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class Payment:
    """`lines` in the order of the items; no two tenders share purse, currency and prices."""

    lines: tuple[PricedLine, ...]
    tenders: tuple[Tender, ...]
    rest: tuple[Rest, ...] = ()
    round_up: RoundUp | None = None


@dataclass(frozen=True, slots=True)
class Short:
    """The purses do not suffice: minor units that are missing, by currency of the prices."""

    missing: Mapping[str, int]


def spending_order(moneys: Iterable[Money], venue: str) -> tuple[Money, ...]:
    """The moneys taken at a venue (its slug), the first to be spent first: what the network says, else gift before the
    venue's own before the network's."""

    def rank(money: Money) -> tuple[int, int, str]:
        priority = money.policy.spending.priority
        if priority is None:
            own = money.kind == "pegged" and money.issuer == venue
            priority = PRIORITY[money.kind] - (LOCAL_FIRST if own else 0)
        return priority, money.position, money.code

    return tuple(sorted((it for it in moneys if accepted(it, venue)), key=rank))


def accepted(money: Money, venue: str) -> bool:
    """Whether the money's policy lets it be spent at this venue at all."""
    return not money.policy.spending.venues or venue in money.policy.spending.venues


def buys(money: Money, category: str) -> bool:
    """Whether the money's policy lets it pay for this category of products."""
    return not money.policy.spending.categories or category in money.policy.spending.categories


def worth(money: Money) -> int:
    """Euro cents per minor unit. What has no price in euros only ever meets itself, one for one."""
    return 1 if money.cents is None else money.cents


def cells(lines: Iterable[PricedLine], moneys: Sequence[Money], known: Mapping[str, Money]) -> list[Cell]:
    """What there is to cover: `lines` by currency of the price and by which of `moneys` may pay for them.

    `known`: the moneys by code; every line is priced in one of them, and comes to 0 or more in each with the others.
    """
    found: dict[tuple[str, frozenset[str]], Cell] = {}
    for line in lines:
        price = known[line.currency]
        takers = frozenset(it.code for it in moneys if _takes(it, price, line))
        cell = found.setdefault((price.code, takers), Cell(price.code, worth(price), takers, 0))
        cell.open += line.total
    _lower(list(found.values()))
    return list(found.values())


def _takes(money: Money, price: Money, line: PricedLine) -> bool:
    if line.kind in OWN_MONEY_ONLY:
        return money.code == price.code
    return covers(money, price) and buys(money, line.item.category)


def _lower(found: Sequence[Cell]) -> None:
    """What lines below 0 take off their own cell and, where that holds too little, off those of the same currency:
    first off what most moneys may pay, so that money that buys little can still be spent."""
    for cell in found:
        if cell.open >= 0:
            continue
        others = [it for it in found if it.price == cell.price and it.open > 0]
        for other in sorted(others, key=lambda it: -len(it.takers)):
            part = min(other.open, -cell.open)
            other.open -= part
            cell.open += part
        cell.open = max(0, cell.open)


def covers(money: Money, price: Money) -> bool:
    """Whether a money may pay prices in another: its own always, and euro-valued ones among themselves at par."""
    return money.code == price.code or (money.cents is not None and price.cents is not None)


def owed(lines: Iterable[PricedLine]) -> dict[str, int]:
    """What the lines come to, in minor units by currency of the prices."""
    return totals(Line(it.item.product, it.item.quantity, it.unit_price, it.currency) for it in lines)


def to_round_up(lines: Iterable[PricedLine], known: Mapping[str, Money]) -> int:
    """Euro cents from what the euro-valued prices come to up to the next whole euro."""
    return -sum(amount * (known[code].cents or 0) for code, amount in owed(lines).items()) % ROUND_UP_CENTS


def rounds_up(money: Money) -> bool:
    """Only real euros can be given to somebody."""
    return money.kind == "pegged" and money.policy.spending.round_up is not None
