"""Rows of the training mode: journalled like all others, marked, and booked nowhere."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.wire.base import InstantUs, Row
from app.wire.sale import Sale


def _is_none(value: object) -> bool:
    return value is None


class TrainingRow(Row):
    """Something that somebody practised. `number` counts the training rows of an epoch, apart from what is real.

    `what`: the training `begin`s or `end`s, a `sale` was practised (`sale`, whose id is the row's), or the `void` of
    the practised sale `of`.
    """

    kind: Literal["training"] = "training"
    id: UUID
    number: Annotated[int, Field(ge=1, le=2**53, strict=True)]
    what: Literal["begin", "end", "sale", "void"]
    sale: Annotated[Sale | None, Field(exclude_if=_is_none)] = None
    of: Annotated[UUID | None, Field(exclude_if=_is_none)] = None
    cashier: UUID | None = None
    at_us: InstantUs

    @model_validator(mode="after")
    def _tells_what_it_is_about(self) -> Self:
        if (self.what == "sale") != (self.sale is not None) or (self.what == "void") != (self.of is not None):
            raise ValueError("a practised sale tells the sale, a practised void which one")
        if self.sale is not None and self.sale.id != self.id:
            raise ValueError("the row of a practised sale has its id")
        return self

    @property
    def subject(self) -> UUID:
        return self.of or self.id

    @property
    def event(self) -> UUID:
        return self.id
