"""What a terminal does with a card beside selling: it puts money on it, credits it, or pays it out.

Each is a row of the journal with an id of its own. Asked for online, the same message travels before it is a row.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.rules.offline import Assurance
from app.wire.base import CardUid, CurrencyCode, InstantUs, Message, Minor, Row


class _CardRow(Row):
    """`amount` minor units of `currency`, put on a card or taken from it. `online`: the server booked it first."""

    mode: Literal["online", "offline"]
    id: UUID
    card: CardUid
    currency: CurrencyCode
    amount: Minor
    cashier: UUID
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.id

    @property
    def event(self) -> UUID:
        return self.id

    def content(self) -> str:
        """What it says whatever the mode: an act that the server booked is the same act when its row comes in."""
        return self.model_dump_json(exclude={"mode"})


class TopUpRow(_CardRow):
    """The venue took cash, or money through its own card machine, for the issuer of the currency."""

    kind: Literal["top_up"] = "top_up"
    means: Literal["cash", "bank_card"]


class RefundRow(_CardRow):
    """The venue gave the holder cash for what was on the card. `assurance`: how sure the terminal is of the card."""

    kind: Literal["refund"] = "refund"
    assurance: Annotated[Assurance, Field(exclude_if=lambda level: level == "C")] = "C"


class CreditRow(_CardRow):
    """Hours of a volunteer, a gift or points, put on the card for nothing."""

    kind: Literal["credit"] = "credit"
    reason: Annotated[str, Field(min_length=1, max_length=200)]


CardActRow = TopUpRow | RefundRow | CreditRow
AskedRow = Annotated[CardActRow, Field(discriminator="kind")]


class ActReply(Message):
    """An act that is booked: `booked` is its number in the ledger, `balances` what is on the card, in minor units."""

    id: UUID
    booked: int
    balances: dict[CurrencyCode, int]


class CodeAsked(Message):
    """For the holder in front of the till: the first recovery code of the wallet that the top-up `act` went to."""

    act: UUID
    card: CardUid


class CodeReply(Message):
    """`code`: told once. `lost`: the address at which it blocks the card."""

    code: str
    lost: str
