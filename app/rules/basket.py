"""A basket: its lines, its total in each currency, and whether what is paid is what is owed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# One line of one sale. Far above any round of drinks, far below what could overflow a column.
QUANTITY_MAX = 999
UNIT_PRICE_MAX = 10**9


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` of a product at `unit_price` minor units of `currency` each."""

    product: str
    quantity: int
    unit_price: int
    currency: str


def totals(lines: Iterable[Line]) -> dict[str, int]:
    """What a basket costs: minor units by currency, currencies without cost left out."""
    owed: dict[str, int] = {}
    for line in lines:
        owed[line.currency] = owed.get(line.currency, 0) + line.quantity * line.unit_price
    return {currency: amount for currency, amount in owed.items() if amount}
