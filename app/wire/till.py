"""Rows of a till session: the drawer is opened, cash is moved and counted, the period is closed."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.rules.drawer import PIECES_MAX, Closed, worth
from app.rules.takings import CashReason, Figures
from app.wire.base import CurrencyCode, InstantUs, Row

# How many coins and notes of each value (euro cents) were counted.
Pieces = dict[int, Annotated[int, Field(ge=0, le=PIECES_MAX, strict=True)]]
Cents = Annotated[int, Field(ge=0, le=10**10, strict=True)]
SignedCents = Annotated[int, Field(ge=-(10**10), le=10**10, strict=True)]
Note = Annotated[str, Field(max_length=200)]


class _TillRow(Row):
    """Something that was done at the drawer, by `cashier`, under an id of its own."""

    id: UUID
    cashier: UUID
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.id

    @property
    def event(self) -> UUID:
        return self.id


class _Counted(_TillRow):
    """`cents` is what the pieces are worth."""

    pieces: Pieces
    cents: Cents

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if worth(self.pieces) != self.cents:
            raise ValueError("the pieces are not worth what was counted")
        return self


class SessionRow(_Counted):
    """The till is opened, with a float counted into its drawer."""

    kind: Literal["session"] = "session"


class CashRow(_TillRow):
    """Cash is laid in or taken out without a sale. `note` says more, such as who was paid."""

    kind: Literal["cash"] = "cash"
    direction: Literal["in", "out"]
    reason: CashReason
    note: Note = ""
    cents: Annotated[int, Field(ge=1, le=10**9, strict=True)]


class CountRow(_Counted):
    """The drawer is counted. `blind`: before anybody was shown what should be in it."""

    kind: Literal["count"] = "count"
    blind: bool


class ClosingRow(_TillRow):
    """The period since the last closing ends, with this very row: what it took, and what is in the drawer.

    `before` is the last closing of this terminal, `number` the next. `figures` are those of every row since, of older
    epochs too, as far as the server told of them. `rates`: euro cents per minor unit, for what was paid in cash.
    A drawer that nobody counted has no difference; one that differs has a `reason`. `expected_cents` is what should
    have been there when it was counted, `drawer_cents` what is left in it now.
    """

    kind: Literal["closing"] = "closing"
    number: Annotated[int, Field(ge=1, le=2**31, strict=True)]
    before: Closed
    after: Closed
    session: UUID | None
    opened_at_us: InstantUs | None
    opened_by: UUID | None
    float_cents: Cents
    figures: Figures
    rates: dict[CurrencyCode, Annotated[int, Field(ge=1, strict=True)]]
    expected_cents: SignedCents
    drawer_cents: SignedCents
    counted: Pieces
    counted_cents: Cents | None
    counted_blind: bool
    reason: Note

    @property
    def difference_cents(self) -> int | None:
        """Euro cents that are there and should not be; below 0, that are missing."""
        return None if self.counted_cents is None else self.counted_cents - self.expected_cents

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.number != self.before.number + 1 or self.after != self.before.after(self.figures):
            raise ValueError("a closing follows the one before it")
        if self.counted_cents is not None and worth(self.counted) != self.counted_cents:
            raise ValueError("the pieces are not worth what was counted")
        if self.difference_cents and not self.reason.strip():
            raise ValueError("a difference has a reason")
        return self
