"""Lines of a basket that are no plain product, and what they do to its total.

    deposit   a cup goes out (the price is above 0) or comes back (below 0); the money is set aside, not earned
    return    lowers the total: a bottle brought back, a voucher of the house
    open      staff typed the price
    tip       no product at all; never in the base of any VAT

A basket costs nothing below 0 in any currency, unless all it holds in that currency is deposits that come back: then it
pays out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol
from uuid import UUID

LineKind = Literal["deposit", "return", "open", "tip"]
ProductKind = Literal["goods", "deposit", "return"]

# Deposits come back in the money that paid them, and a tip is nothing that gifts could pay: gift money must not turn
# into money of another kind.
OWN_MONEY_ONLY = frozenset({"deposit", "tip"})
# What a line names that is no product.
NO_PRODUCT = UUID(int=0)


class AnyLine(Protocol):
    """`kind`: a LineKind, or nothing for a plain product."""

    @property
    def kind(self) -> str | None: ...
    @property
    def quantity(self) -> int: ...
    @property
    def unit_price(self) -> int: ...
    @property
    def currency(self) -> str: ...


def below_zero(lines: Iterable[AnyLine]) -> list[str]:
    """The currencies in which a basket comes to less than nothing, though not of deposits coming back alone."""
    owed: dict[str, int] = {}
    more: set[str] = set()
    for line in lines:
        owed[line.currency] = owed.get(line.currency, 0) + line.quantity * line.unit_price
        if line.kind != "deposit" or line.unit_price > 0:
            more.add(line.currency)
    return sorted(code for code, amount in owed.items() if amount < 0 and code in more)


def sums(lines: Iterable[AnyLine], kind: LineKind) -> dict[str, int]:
    """What the lines of one kind come to, in minor units by currency; what cancels out is left out."""
    found: dict[str, int] = {}
    for line in lines:
        if line.kind == kind:
            found[line.currency] = found.get(line.currency, 0) + line.quantity * line.unit_price
    return {code: amount for code, amount in found.items() if amount}


def wrong_lines(lines: Iterable[AnyLine]) -> Iterator[str]:
    """What no basket may hold, as "reason:currency": "sign" (a price on the wrong side of 0), "below-zero"."""
    kept = list(lines)
    for line in kept:
        price, kind = line.unit_price, line.kind
        may_be_below = kind in {"deposit", "return"}
        if (price < 0 and not may_be_below) or (price > 0 and kind == "return") or (price <= 0 and kind == "tip"):
            yield f"sign:{line.currency}"
    for code in below_zero(kept):
        yield f"below-zero:{code}"
