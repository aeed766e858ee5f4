"""A sale as staff read it: what it cost, what paid for it, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from app.rules.basket import Line, totals
from app.wire import CardActRow, RefundRow, Sale, SaleRow, TopUpRow
from readers.terminal.view import Amount, PastSale, Taken

Balances = Mapping[str, Mapping[str, int]]
"""Minor units by card (its UID), then by currency."""


def amounts(minor: Mapping[str, int]) -> tuple[Amount, ...]:
    return tuple(Amount(code, value) for code, value in minor.items())


def price(sale: Sale) -> tuple[Amount, ...]:
    """What the lines come to, in each currency that they are priced in."""
    return amounts(totals(Line(str(it.product), it.quantity, it.unit_price, it.currency) for it in sale.lines))


def taken(sale: Sale, balances: Balances) -> tuple[Taken, ...]:
    """What paid for a sale: from its cards, one line for each currency of each, then what staff took."""
    parts: dict[tuple[str, str], int] = {}
    for tender in sale.tenders:
        key = (tender.card or sale.card, tender.currency)
        parts[key] = parts.get(key, 0) + tender.amount
    return (
        *(
            Taken("card" if uid == sale.card else "second_card", code, minor, balances.get(uid, {}).get(code))
            for (uid, code), minor in parts.items()
        ),
        *_rest(sale),
    )


def past_sale(row: SaleRow, asked: UUID, *, voided: bool, why_not: str | None = None) -> PastSale:
    sale = row.sale
    return PastSale(
        sale=sale.id,
        asked=asked,
        card=sale.card,
        price=price(sale),
        rest=_rest(sale),
        lines=tuple((line.name, line.quantity) for line in sale.lines),
        at_us=sale.occurred_at_us,
        # What no card paid was never to be asked of anybody.
        offline=row.mode == "offline" and bool(sale.card),
        voided=voided,
        why_not=why_not,
    )


def past_act(row: CardActRow, *, voided: bool, why_not: str | None = None) -> PastSale:
    """What was done with a card beside selling."""
    cash: tuple[Taken, ...] = ()
    match row:
        case TopUpRow():
            cash = (Taken(row.means, row.currency, row.amount),)
        case RefundRow():
            cash = (Taken("cash", row.currency, -row.amount),)
        case _:
            pass
    return PastSale(
        sale=row.id,
        asked=row.id,
        card=row.card,
        price=(Amount(row.currency, row.amount),),
        rest=cash,
        lines=(),
        at_us=row.at_us,
        offline=row.mode == "offline",
        voided=voided,
        why_not=why_not,
        act=row.kind,
    )


def _rest(sale: Sale) -> tuple[Taken, ...]:
    return tuple(Taken(it.means, it.covers, it.amount, given=it.given) for it in sale.rest)
