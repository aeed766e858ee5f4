"""Tickets made in advance for one terminal, which it sells without network, and how it gives them back."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.wire.base import CurrencyCode, InstantUs, Message, Row


class LeasedTicket(Message):
    """`code`: what its QR says (app/rules/tickets.py)."""

    id: UUID
    code: str


class LeasedPrice(Message):
    """What the terminal may sell of one price: `tickets`, each once. `titles`, `names`: of the event and the price, by
    language. `keep`: how many it may have unsold; what is above that, it stops selling and gives back."""

    id: UUID
    event: UUID
    titles: dict[str, str]
    names: dict[str, str]
    starts_at_us: InstantUs
    ends_at_us: InstantUs
    currency: CurrencyCode
    amount: Annotated[int, Field(ge=0, strict=True)]
    vat: Annotated[int, Field(ge=0, le=10_000)]
    keep: Annotated[int, Field(ge=0)]
    tickets: tuple[LeasedTicket, ...]


class TicketStock(Message):
    """The stock of a terminal in its epoch, as far as its journal has reached us: what it sold since, it knows."""

    device: UUID
    epoch: int
    prices: tuple[LeasedPrice, ...] = ()


class TicketsBackRow(Row):
    """The terminal will not sell these: their places are others'. Its sales before this row stand before it."""

    kind: Literal["tickets_back"] = "tickets_back"
    id: UUID
    tickets: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1000)]
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.id
