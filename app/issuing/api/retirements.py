"""Retiring what venues have taken of hours, points and gifts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.issuing import retiring
from app.issuing.api.common import Amount, IdempotencyKey, Reason, at_venue
from app.wire.base import CurrencyCode

router = APIRouter()


class Retirement(BaseModel):
    """`amount`: minor units of the venue's claim that leave circulation."""

    model_config = ConfigDict(extra="forbid")

    currency: CurrencyCode
    amount: Amount
    reason: Annotated[Reason, Field(examples=["Clôture de novembre"])]


class Retired(BaseModel):
    """`booked`: its number in the ledger. `left`: what the venue's claim is after it, in minor units."""

    booked: int
    left: int


@router.post("/venues/{venue}/retirements", status_code=201, summary="Retire hours, points or gifts a venue has taken")
async def retire_claim(
    request: Request, caller: Caller, venue: UUID, body: Retirement, idempotency_key: IdempotencyKey
) -> Retired:
    """Hours and points become nothing else. Gifts that the issuer funds become euros that it owes the venue."""
    asked_for, at = await at_venue(request, venue, body.currency)
    posted = await retiring.retire(
        asked_for.ledger,
        await asked_for.terms(),
        at,
        body.amount,
        idempotency_key,
        actor=caller.actor,
        reason=body.reason,
    )
    return Retired(booked=posted.seq, left=posted.transfers[0].debit_after)
