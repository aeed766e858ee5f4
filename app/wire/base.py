"""The one base of all messages, and the shapes they share."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Message(BaseModel):
    """Immutable; an unknown field is an error, so that a typo in a client is seen and not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


class Row(Message):
    """What every kind of row tells of itself, so that journal and intake need not know the kinds apart."""

    @property
    def subject(self) -> UUID:
        """The sale, or the act that is no sale, which the row is about."""
        raise NotImplementedError

    @property
    def event(self) -> UUID | None:
        """The id under which the row asks for something to be booked; None for a row that books nothing."""
        return None


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
# 4, 7 or 10 bytes, upper-case hexadecimal, whole: never cut.
CardUid = Annotated[str, StringConstraints(pattern=r"^(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})$")]
# Microseconds since the epoch; the upper bound is the year 2200.
InstantUs = Annotated[int, Field(ge=0, le=7_258_118_400_000_000, strict=True)]
Minor = Annotated[int, Field(ge=1, le=10**12, strict=True)]
Sequence = Annotated[int, Field(ge=1, le=2**53, strict=True)]
Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
