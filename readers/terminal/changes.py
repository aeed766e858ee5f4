"""What a row of the journal changes in the balances of cards. A new kind of row adds its case here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from app.wire import AnyRow, CreditRow, RefundRow, Sale, SaleRow, TopUpRow


@dataclass(frozen=True, slots=True)
class Change:
    """`taken`: minor units by card (its UID), then by currency; what a row puts on a card is below 0.

    `at_risk`: the terminal let it be taken without asking anyone, so it counts against the offline limits.
    """

    taken: Mapping[str, Mapping[str, int]]
    at_risk: bool = False


def change_of(row: AnyRow | None) -> Change | None:
    """None for a row that changes no card. A void is the change of what it takes back, the other way round."""
    match row:
        case SaleRow():
            taken = taken_from(row.sale)
            # What only gives, for cups that come back, is no risk however it was decided.
            takes = any(minor > 0 for amounts in taken.values() for minor in amounts.values())
            return Change(taken, at_risk=row.mode == "offline" and takes)
        case TopUpRow() | CreditRow():
            return Change({row.card: {row.currency: -row.amount}})
        case RefundRow():
            return Change({row.card: {row.currency: row.amount}})
        case _:
            return None


def taken_from(sale: Sale) -> dict[str, Counter[str]]:
    """What a sale takes from each card: minor units by card, then by currency; below 0, what it gives."""
    taken: dict[str, Counter[str]] = {}
    for tender in sale.tenders:
        taken.setdefault(tender.card or sale.card, Counter())[tender.currency] += tender.amount
    return taken
