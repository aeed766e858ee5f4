"""What the endpoints of issuing share: their parameters, and the rules under which something is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request
from pydantic import BaseModel, Field, StringConstraints

from app.currencies.service import Currency, currencies
from app.issuing.service import Terms, terms_of
from app.ledger.service import Ledger, ledger_of
from app.money.text import LARGEST
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.venues.service import Network, Venue, the_network, venue_named

IdempotencyKey = Annotated[
    UUID, Header(alias="Idempotency-Key", description="The operation's id (UUID). The same key books nothing twice.")
]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Amount = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]


class Credited(BaseModel):
    """`booked`: its number in the ledger. `balance`: what the card holds after it, in minor units."""

    booked: int
    balance: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Where, and in which currency."""

    ledger: Ledger
    network: Network
    venue: Venue | None
    currency: Currency

    async def terms(self) -> Terms:
        return await terms_of(self.ledger, self.network, self.venue, self.currency)


async def asked(request: Request, venue: UUID | None, code: str) -> Asked:
    """Raises NotFound for a venue, and Invalid("currency-not-accepted") for a currency that does not exist."""
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        at = None if venue is None else await venue_named(connection, venue)
        currency = (await currencies(connection)).get(code)
    if currency is None:
        raise Invalid(f"There is no currency {code}.", "currency-not-accepted")
    return Asked(ledger_of(request), network, at, currency)


async def at_venue(request: Request, venue: UUID, code: str) -> tuple[Asked, Venue]:
    """The same, and the venue itself, for what happens at one."""
    found = await asked(request, venue, code)
    if found.venue is None:
        raise TypeError("a venue was asked for")
    return found, found.venue
