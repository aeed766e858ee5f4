"""Crediting volunteers' hours."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import card_by_uid
from app.currencies.service import currencies
from app.identity.guard import Caller
from app.issuing import service
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.venues.service import the_network, venue_named
from app.wire.base import CardUid, CurrencyCode

router = APIRouter(prefix="/api/v1", tags=["issuing"])


class Shift(BaseModel):
    model_config = ConfigDict(extra="forbid")

    card: CardUid
    currency: CurrencyCode
    minutes: Annotated[int, Field(ge=1, le=24 * 60, strict=True)]
    reason: Annotated[str, Field(min_length=1, max_length=200, examples=["Montage de la scène"])]


class Credited(BaseModel):
    """`booked`: its number in the ledger. `balance`: minutes on the card after it."""

    booked: int
    balance: int


@router.post("/venues/{venue}/shifts", status_code=201, summary="Credit a volunteer's hours to a card")
async def credit_shift(
    request: Request,
    caller: Caller,
    venue: UUID,
    body: Shift,
    idempotency_key: Annotated[UUID, Header(description="The operation's id; the same key books nothing twice.")],
) -> Credited:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venue_named(connection, venue)
        card = await card_by_uid(connection, body.card)
        currency = (await currencies(connection)).get(body.currency)
    if currency is None:
        raise Invalid(f"There is no currency {body.currency}.", "currency-not-accepted")
    posted, balance = await service.credit_shift(
        ledger_of(request),
        network,
        at,
        card,
        currency,
        body.minutes,
        idempotency_key,
        actor=caller.actor,
        reason=body.reason,
    )
    return Credited(booked=posted.seq, balance=balance)
