"""What the page sends: one model for each command, strict, with nothing unknown in it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from app.rules.basket import QUANTITY_MAX, UNIT_PRICE_MAX
from app.wire import Bill, Means
from app.wire.base import CurrencyCode, Message, Minor
from readers.terminal.view import BasketItem, ItemKind, Offer

# More products than any venue sells at one time.
LINES_MAX = 200


class Nothing(Message):
    """The body of a command that needs no details: `{}`."""


class SignIn(Message):
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")]


class Item(Message):
    """`currency`: the line is priced in another currency than the basket. `price` and `kind`: as in BasketItem."""

    product: UUID
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]
    currency: CurrencyCode | None = None
    price: Annotated[int, Field(ge=0, le=UNIT_PRICE_MAX, strict=True)] | None = None
    kind: ItemKind | None = None

    def chosen(self) -> BasketItem:
        return BasketItem(self.product, self.quantity, self.currency, self.price, self.kind)


class Pay(Message):
    """An empty basket is well formed here: the till refuses it by name."""

    items: Annotated[list[Item], Field(max_length=LINES_MAX)]
    currency: CurrencyCode
    bill: Bill | None = None


class Take(Pay):
    """A basket that no card pays. What goes with which means is the till's to say."""

    means: Means
    given: Minor | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None


class SoldOut(Message):
    product: UUID
    sold_out: bool


class Act(Message):
    """`wish`: what staff chose, as this act reads it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    wish: dict[str, JsonValue] = Field(default_factory=dict, max_length=20)


class Complete(Message):
    offer: Offer


class Void(Message):
    sale: UUID
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Train(Message):
    on: bool
