"""A sale: what was sold, and what pays for it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.rules.basket import QUANTITY_MAX, UNIT_PRICE_MAX, Line, totals
from app.wire.base import CardUid, CurrencyCode, InstantUs, Message, Minor


class SaleLine(Message):
    """One product of the basket, with its name and price as they stood on the screen."""

    product: UUID
    name: Annotated[str, Field(min_length=1, max_length=80)]
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]
    unit_price: Annotated[int, Field(ge=0, le=UNIT_PRICE_MAX, strict=True)]
    currency: CurrencyCode


class Tender(Message):
    """`amount` minor units of `currency`, taken from the card."""

    currency: CurrencyCode
    amount: Minor


class Sale(Message):
    """One basket paid with one card. Its id is made at the terminal before the card is asked for.

    The tenders pay exactly the lines, currency by currency. Venue and terminal are those of the authenticated device.
    """

    id: UUID
    card: CardUid
    assurance: Literal["A", "B", "C"] = "C"
    cashier: UUID | None = None
    lines: Annotated[tuple[SaleLine, ...], Field(min_length=1, max_length=200)]
    tenders: Annotated[tuple[Tender, ...], Field(min_length=1, max_length=8)]
    occurred_at_us: InstantUs

    @model_validator(mode="after")
    def _paid_exactly(self) -> Self:
        owed = totals(Line(str(x.product), x.quantity, x.unit_price, x.currency) for x in self.lines)
        paid = {tender.currency: tender.amount for tender in self.tenders}
        if len(paid) != len(self.tenders):
            raise ValueError("each currency is tendered once")
        if owed != paid:
            raise ValueError(f"the tenders {paid} do not pay the lines {owed}")
        return self

    def fingerprint(self) -> bytes:
        """SHA-256 of the content. How the sale was decided (online or offline) is not part of it: a sale that the
        server refused and the terminal then accepted offline is the same sale."""
        return hashlib.sha256(self.__pydantic_serializer__.to_json(self)).digest()


class SaleReply(Message):
    """A booked sale: `booked` is its number in the ledger, `balances` what is left on the card, in minor units."""

    id: UUID
    status: Literal["booked"]
    booked: int
    balances: dict[CurrencyCode, int]
