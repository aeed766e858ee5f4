"""A sale: what was sold, and what pays for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sized
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from app.rules.basket import QUANTITY_MAX, UNIT_PRICE_MAX, Line, totals
from app.rules.bill import PARTS_MAX, shares_of_line
from app.rules.lines import NO_PRODUCT, OWN_MONEY_ONLY, LineKind, wrong_lines
from app.wire.base import CardUid, CurrencyCode, InstantUs, Message, Minor


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: Sized) -> bool:
    return not value


# Minor units in either direction, and some of them.
Signed = Annotated[int, Field(ge=-(10**12), le=10**12, strict=True)]


class Share(Message):
    """A line that is one of `parts` shares of `quantity` products at `unit_price` each: one part of a bill."""

    parts: Annotated[int, Field(ge=2, le=PARTS_MAX, strict=True)]
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]
    unit_price: Annotated[int, Field(ge=-UNIT_PRICE_MAX, le=UNIT_PRICE_MAX, strict=True)]


class SaleLine(Message):
    """One product of the basket, with its name and price as they stood on the screen.

    `kind` (app.rules.lines) says what is no plain product; a deposit or a bottle that comes back has a price below 0,
    and a tip names no product (the UUID of zeros). Of a `share`, `unit_price` is what this part pays, `quantity` is 1.
    `category` and `vat` (basis points, in the price) are those of the product when it was sold, so that what a till
    took can be told from its rows alone. `tickets`: those that are sold, of the terminal's own stock; `product` is then
    the price of their event.
    """

    product: UUID
    name: Annotated[str, Field(min_length=1, max_length=80)]
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]
    unit_price: Annotated[int, Field(ge=-UNIT_PRICE_MAX, le=UNIT_PRICE_MAX, strict=True)]
    currency: CurrencyCode
    kind: Annotated[LineKind | None, Field(exclude_if=_is_none)] = None
    share: Annotated[Share | None, Field(exclude_if=_is_none)] = None
    category: Annotated[str | None, Field(max_length=80, exclude_if=_is_none)] = None
    vat: Annotated[int | None, Field(ge=0, le=10_000, strict=True, exclude_if=_is_none)] = None
    tickets: Annotated[tuple[UUID, ...], Field(max_length=QUANTITY_MAX, exclude_if=_is_empty)] = ()


class Tender(Message):
    """`amount` minor units of `currency`, taken from a card: the sale's own, or a second one named by `card`.

    It pays `covered` minor units of the prices in `covers`; without these, `amount` of the prices in its own currency.
    Below 0 it is given to the card, for deposits that come back. Fields without a value do not travel, so that a sale
    in one currency reads as it always did.
    """

    currency: CurrencyCode
    amount: Signed
    covers: Annotated[CurrencyCode | None, Field(exclude_if=_is_none)] = None
    covered: Annotated[Minor | None, Field(exclude_if=_is_none)] = None
    card: Annotated[CardUid | None, Field(exclude_if=_is_none)] = None

    @model_validator(mode="after")
    def _covers_an_amount(self) -> Self:
        if (self.covers is None) != (self.covered is None):
            raise ValueError("what a tender covers is a currency and an amount, or neither")
        if self.covers == self.currency and self.covered != self.amount:
            raise ValueError("in its own currency a tender covers its amount")
        if self.amount == 0 or (self.amount < 0 and self.covers is not None):
            raise ValueError("a tender takes something, or gives something back in its own currency")
        return self

    @property
    def price_currency(self) -> str:
        """The currency of the prices that it pays."""
        return self.covers or self.currency

    @property
    def price_amount(self) -> int:
        """How many minor units of `price_currency` it pays."""
        return self.covered or self.amount


# How the venue itself is paid. `house`: nobody pays, it is a gift of the house.
Means = Literal["cash", "bank_card", "cheque", "meal_voucher", "house"]


class Rest(Message):
    """`amount` minor units of the prices in `covers`, paid to the venue itself: in cash, through its card machine, by
    cheque or meal voucher, or given away by the house.

    The venue's own till has taken it; it never enters our books, and is only told in the sale's details. Below 0 it is
    cash that staff gave for deposits that came back. `given`: the cash that was handed over, where change was due.
    """

    means: Means
    covers: CurrencyCode
    amount: Signed
    given: Annotated[Minor | None, Field(exclude_if=_is_none)] = None

    @model_validator(mode="after")
    def _is_paid(self) -> Self:
        if self.amount == 0 or (self.amount < 0 and self.means != "cash"):
            raise ValueError("only cash is given back")
        if self.given is not None and (self.means != "cash" or self.given < self.amount):
            raise ValueError("only cash gives change, and what is given pays the amount")
        return self


class Bill(Message):
    """Several sales that were one basket: this one is number `part` of `parts`."""

    id: UUID
    part: Annotated[int, Field(ge=1, le=PARTS_MAX, strict=True)]
    parts: Annotated[int, Field(ge=1, le=PARTS_MAX, strict=True)]

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.part > self.parts:
            raise ValueError("a part is one of the parts")
        return self


# The empty text where no card pays.
NoCardOrUid = Annotated[str, StringConstraints(pattern=r"^(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}|)$")]


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

    `assurance`: how sure the terminal is of `card`; `other_assurance`: of the others, "C" where it says nothing.

    Without a card, nothing of it enters the network's ledger; it stays in the journal and in the venue's till figures.
    A gift of the house has `rest` of the means "house", and a `reason`: for all of it, without a card, or for what the
    cards do not pay of plain products.
    """

    id: UUID
    card: Annotated[NoCardOrUid, Field(exclude_if=_is_empty)] = ""
    assurance: Literal["A", "B", "C"] = "C"
    other_assurance: Annotated[dict[CardUid, Literal["A", "B", "C"]], Field(max_length=16, exclude_if=_is_empty)] = (
        Field(default_factory=dict)
    )
    cashier: UUID | None = None
    lines: Annotated[tuple[SaleLine, ...], Field(min_length=1, max_length=200)]
    tenders: Annotated[tuple[Tender, ...], Field(max_length=16)]
    rest: Annotated[tuple[Rest, ...], Field(max_length=8, exclude_if=_is_empty)] = ()
    round_up: Annotated[RoundUp | None, Field(exclude_if=_is_none)] = None
    bill: Annotated[Bill | None, Field(exclude_if=_is_none)] = None
    reason: Annotated[str | None, Field(min_length=1, max_length=200, exclude_if=_is_none)] = None
    occurred_at_us: InstantUs

    def read_as(self, card: str) -> Literal["A", "B", "C"]:
        """How sure the terminal was of one of its cards."""
        return self.assurance if card == self.card else self.other_assurance.get(card, "C")

    @property
    def plain(self) -> bool:
        """Whether its lines are plain products, as nearly all are."""
        return all(it.kind is None for it in self.lines)

    @model_validator(mode="after")
    def _paid_exactly(self) -> Self:
        # Nearly every sale is a card's, of plain products at prices above 0: there is nothing more to ask of its parts.
        if any(it.kind is not None or it.unit_price < 0 or it.share is not None for it in self.lines):
            _check_lines(self.lines)
        if not self.card or not self.tenders:
            _check_card(self)
        if self.rest or self.reason is not None:
            _check_rest(self)
        if any(it.tickets for it in self.lines):
            _check_tickets(self)
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
        """Every card that pays, the sale's own first; none, when it is paid without any."""
        if not self.card:
            return ()
        others = {it.card: None for it in self.tenders if it.card is not None and it.card != self.card}
        return (self.card, *others)

    def fingerprint(self) -> bytes:
        """SHA-256 of the content. How the sale was decided (online or offline) is not part of it: a sale that the
        server refused and the terminal then accepted offline is the same sale."""
        return hashlib.sha256(self.__pydantic_serializer__.to_json(self)).digest()


def _check_lines(lines: tuple[SaleLine, ...]) -> None:
    if wrong := [*wrong_lines(lines)]:
        raise ValueError(f"a basket can't hold this: {', '.join(wrong)}")
    for line in lines:
        if (line.kind == "tip") != (line.product == NO_PRODUCT):
            raise ValueError("a tip is no product, and only a tip is none")
        share = line.share
        if share is None:
            continue
        if line.quantity != 1 or line.unit_price not in shares_of_line(share.quantity * share.unit_price, share.parts):
            raise ValueError("a share is its part of the line, to the unit")


def _check_card(sale: Sale) -> None:
    if not sale.card and (sale.tenders or sale.round_up):
        raise ValueError("without a card nothing is taken from one")
    if sale.card and sale.plain:
        raise ValueError("a card pays something")


def _check_tickets(sale: Sale) -> None:
    sold = [id_ for it in sale.lines for id_ in it.tickets]
    if len(set(sold)) != len(sold):
        raise ValueError("a ticket is sold once")
    if any(it.tickets and (len(it.tickets) != it.quantity or it.kind or it.share) for it in sale.lines):
        raise ValueError("a line of tickets names each of them, and is no share of a bill")
    if (sale.card and sale.rest) or sale.bill is not None:
        raise ValueError("tickets are paid by cards alone or without any, and whole")
    if sale.reason is not None:
        raise ValueError("tickets are not given away at a till")


def _check_rest(sale: Sale) -> None:
    house = {it.means == "house" for it in sale.rest}
    given = house == {True} and sale.cashier is not None
    if (True in house or sale.reason is not None) and not (given and sale.reason is not None):
        raise ValueError("what the house gives, it gives by somebody and with a reason, and nobody pays that part")
    if True in house and any(it.kind in OWN_MONEY_ONLY for it in sale.lines):
        raise ValueError("the house gives no deposits and no tips")
    if True in house and sale.card and (not sale.plain or any(it.amount < 0 for it in sale.tenders)):
        raise ValueError("beside a card the house gives of plain products")


class SaleReply(Message):
    """A booked sale: `booked` is its number in the ledger, `balances` what is left on the card, in minor units.

    `other_cards`: the same for every further card that paid, by its chip's number.
    """

    id: UUID
    status: Literal["booked"]
    booked: int
    balances: dict[CurrencyCode, int]
    other_cards: dict[CardUid, dict[CurrencyCode, int]] = Field(default_factory=dict, exclude_if=_is_empty)
