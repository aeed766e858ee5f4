"""A sale: what was sold, and what pays for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sized
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


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: Sized) -> bool:
    return not value


class Tender(Message):
    """`amount` minor units of `currency`, taken from a card: the sale's own, or a second one named by `card`.

    It pays `covered` minor units of the prices in `covers`; without these, `amount` of the prices in its own currency.
    Fields without a value do not travel, so that a sale in one currency reads as it always did.
    """

    currency: CurrencyCode
    amount: Minor
    covers: Annotated[CurrencyCode | None, Field(exclude_if=_is_none)] = None
    covered: Annotated[Minor | None, Field(exclude_if=_is_none)] = None
    card: Annotated[CardUid | None, Field(exclude_if=_is_none)] = None

    @model_validator(mode="after")
    def _covers_an_amount(self) -> Self:
        if (self.covers is None) != (self.covered is None):
            raise ValueError("what a tender covers is a currency and an amount, or neither")
        if self.covers == self.currency and self.covered != self.amount:
            raise ValueError("in its own currency a tender covers its amount")
        return self

    @property
    def price_currency(self) -> str:
        """The currency of the prices that it pays."""
        return self.covers or self.currency

    @property
    def price_amount(self) -> int:
        """How many minor units of `price_currency` it pays."""
        return self.covered or self.amount


class Rest(Message):
    """`amount` minor units of the prices in `covers`, paid to the venue itself, in cash or through its card machine.

    The venue's own till has taken it; it never enters our books, and is only told in the sale's details.
    """

    means: Literal["cash", "bank_card"]
    covers: CurrencyCode
    amount: Minor


class RoundUp(Message):
    """`amount` minor units that the holder gives on top of the basket, from the sale's own card, to the beneficiary
    named by the currency's policy."""

    currency: CurrencyCode
    amount: Minor


class Sale(Message):
    """One basket. Its id is made at the terminal before the card is asked for.

    Tenders and rest pay exactly the lines, price currency by price currency. At what rate a tender may cover prices
    of another currency is not known here: app.rules.paying checks that. Venue and terminal are those of the
    authenticated device.
    """

    id: UUID
    card: CardUid
    assurance: Literal["A", "B", "C"] = "C"
    cashier: UUID | None = None
    lines: Annotated[tuple[SaleLine, ...], Field(min_length=1, max_length=200)]
    tenders: Annotated[tuple[Tender, ...], Field(min_length=1, max_length=16)]
    rest: Annotated[tuple[Rest, ...], Field(max_length=8, exclude_if=_is_empty)] = ()
    round_up: Annotated[RoundUp | None, Field(exclude_if=_is_none)] = None
    occurred_at_us: InstantUs

    @model_validator(mode="after")
    def _paid_exactly(self) -> Self:
        owed = totals(Line(str(x.product), x.quantity, x.unit_price, x.currency) for x in self.lines)
        if len({(it.means, it.covers) for it in self.rest}) != len(self.rest):
            raise ValueError("each means of payment is named once for the prices of one currency")
        paid: dict[str, int] = {}
        taken: set[tuple[str, str, str]] = set()
        for tender in self.tenders:
            price = tender.covers or tender.currency
            paid[price] = paid.get(price, 0) + (tender.covered or tender.amount)
            taken.add((tender.card or self.card, tender.currency, price))
        if len(taken) != len(self.tenders):
            raise ValueError("a card tenders each currency once for the prices of one currency")
        for rest in self.rest:
            paid[rest.covers] = paid.get(rest.covers, 0) + rest.amount
        if owed != paid:
            raise ValueError(f"what is paid, {paid}, is not what the lines come to, {owed}")
        return self

    @property
    def cards(self) -> tuple[str, ...]:
        """Every card that pays, the sale's own first."""
        others = {it.card: None for it in self.tenders if it.card is not None and it.card != self.card}
        return (self.card, *others)

    def fingerprint(self) -> bytes:
        """SHA-256 of the content. How the sale was decided (online or offline) is not part of it: a sale that the
        server refused and the terminal then accepted offline is the same sale."""
        return hashlib.sha256(self.__pydantic_serializer__.to_json(self)).digest()


class SaleReply(Message):
    """A booked sale: `booked` is its number in the ledger, `balances` what is left on the card, in minor units.

    `other_cards`: the same for every further card that paid, by its chip's number.
    """

    id: UUID
    status: Literal["booked"]
    booked: int
    balances: dict[CurrencyCode, int]
    other_cards: dict[CardUid, dict[CurrencyCode, int]] = Field(default_factory=dict, exclude_if=_is_empty)
