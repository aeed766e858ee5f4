"""Tickets that this terminal was lent: what it may still sell, and what it must give back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.wire import AnyRow, LeasedPrice, Sale, SaleLine, SaleRow, TicketsBackRow, TicketStock
from readers.terminal.commands import TillError
from readers.terminal.view import TicketCode

CATEGORY: Final = "Billets"
COLOUR: Final = "#7a5ea8"
NAME_MAX: Final = 80


class TicketBook:
    """`take` a newer list, `add` rows of ours: what a row names is gone for good, whatever a list says later."""

    def __init__(self) -> None:
        self._prices: dict[UUID, LeasedPrice] = {}
        self._gone: set[UUID] = set()
        # Of all that was ever lent since the start: what is sold leaves the list, and its code is handed over still.
        self._codes: dict[UUID, str] = {}

    def take(self, told: TicketStock) -> None:
        self._prices = {it.id: it for it in told.prices}
        self._codes |= {one.id: one.code for it in told.prices for one in it.tickets}

    def add(self, row: AnyRow) -> None:
        """A row of this terminal's journal."""
        if isinstance(row, SaleRow):
            self._gone.update(id_ for it in row.sale.lines for id_ in it.tickets)
        elif isinstance(row, TicketsBackRow):
            self._gone.update(row.tickets)

    def knows(self, price: UUID) -> bool:
        return price in self._prices

    def left(self, price: UUID) -> list[UUID]:
        """Those that may be sold: not more than it may keep."""
        known = self._prices.get(price)
        return self._unsold(known)[: known.keep] if known else []

    def spare(self) -> list[UUID]:
        """What it has too many, to be given back."""
        return [id_ for it in self._prices.values() for id_ in self._unsold(it)[it.keep :]]

    def withdraw(self, ids: Iterable[UUID]) -> None:
        """From here on nobody sells these; a row will say so."""
        self._gone.update(ids)

    def line(self, price: UUID, quantity: int, shown: int | None, now_us: int) -> SaleLine:
        """So many of them. TillError: no_tickets, price_changed."""
        known, ids = self._prices[price], self.left(price)[:quantity]
        if quantity < 1 or len(ids) < quantity or now_us >= known.ends_at_us:
            raise TillError("no_tickets")
        if shown not in (None, known.amount):
            raise TillError("price_changed")
        return SaleLine(
            product=price,
            name=_name(known, "fr")[:NAME_MAX],
            quantity=quantity,
            unit_price=known.amount,
            currency=known.currency,
            category=CATEGORY,
            vat=known.vat,
            tickets=tuple(ids),
        )

    def codes(self, sale: Sale) -> list[TicketCode]:
        """Of a sale that no card paid: who has the code has the place. A ticket whose code is not known here any more
        is left out."""
        if sale.card:
            return []
        sold = [(line.name, id_) for line in sale.lines for id_ in line.tickets]
        return [TicketCode(name, self._codes[id_]) for name, id_ in sold if id_ in self._codes]

    def beside(self, catalogue: dict[str, object], accepted: Iterable[str]) -> dict[str, object]:
        """The product grid with a tile for each price, which says how many are left here."""
        tiles = [self._tile(it) for it in self._prices.values() if it.currency in accepted and it.amount]
        products = catalogue["products"]
        if not tiles or not isinstance(products, list):
            return catalogue
        version = hashlib.sha256(f"{catalogue['version']}{tiles}".encode()).hexdigest()[:16]
        return {**catalogue, "version": version, "products": [*products, *tiles]}

    def _tile(self, it: LeasedPrice) -> dict[str, object]:
        left = len(self.left(it.id))
        return {
            "id": str(it.id),
            "names": {code: f"{_name(it, code)} ({left})" for code in it.titles},
            "category": CATEGORY,
            "colour": COLOUR,
            "prices": {it.currency: it.amount},
            "kind": "goods",
            "open_price": False,
            "sold_out": not left,
        }

    def _unsold(self, it: LeasedPrice) -> list[UUID]:
        return [one.id for one in it.tickets if one.id not in self._gone]


def _name(it: LeasedPrice, language: str) -> str:
    return f"{it.titles[language]} · {it.names.get(language) or it.names['fr']}"
