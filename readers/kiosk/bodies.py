"""What the page sends: one model for each command, strict, with nothing unknown in it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from app.rules.basket import QUANTITY_MAX
from app.wire.base import CurrencyCode, Message
from readers.terminal.view import Offer

# More products than any venue sells at one time.
LINES_MAX = 200


class Nothing(Message):
    """The body of a command that needs no details: `{}`."""


class SignIn(Message):
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")]


class Item(Message):
    """`currency`: the line is priced in another currency than the basket."""

    product: UUID
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]
    currency: CurrencyCode | None = None


class Pay(Message):
    """An empty basket is well formed here: the till refuses it by name."""

    items: Annotated[list[Item], Field(max_length=LINES_MAX)]
    currency: CurrencyCode


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
