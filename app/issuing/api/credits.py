"""Crediting volunteers' hours, and points for contributions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import card_by_uid
from app.identity.guard import Caller
from app.issuing import service
from app.issuing.api.common import Amount, Credited, IdempotencyKey, Reason, at_venue
from app.issuing.rules import Role
from app.platform.context import context_of
from app.wire.base import CardUid, CurrencyCode

router = APIRouter()


class Shift(BaseModel):
    model_config = ConfigDict(extra="forbid")

    card: CardUid
    currency: CurrencyCode
    minutes: Annotated[int, Field(ge=1, le=24 * 60, strict=True)]
    reason: Annotated[Reason, Field(examples=["Montage de la scène"])]


class Contribution(BaseModel):
    """`role`: what the holder was to the pool: who lends, uses, stores, or shares a group purchase."""

    model_config = ConfigDict(extra="forbid")

    card: CardUid
    currency: CurrencyCode
    points: Amount
    role: Role
    reason: Annotated[Reason, Field(examples=["Prêt de deux barnums"])]


@router.post("/venues/{venue}/shifts", status_code=201, summary="Credit a volunteer's hours to a card")
async def credit_shift(
    request: Request, caller: Caller, venue: UUID, body: Shift, idempotency_key: IdempotencyKey
) -> Credited:
    """The currency's rules say who may, and how much onto one card a day: more is refused with `daily-cap`."""
    caller.require_venue(venue)
    asked_for, at = await at_venue(request, venue, body.currency)
    async with context_of(request).reader.connect() as connection:
        card = await card_by_uid(connection, body.card)
    service.require_issuer(caller, await asked_for.terms())
    posted, balance = await service.credit_shift(
        asked_for.ledger,
        asked_for.network,
        at,
        card,
        asked_for.currency,
        body.minutes,
        idempotency_key,
        actor=caller.actor,
        reason=body.reason,
    )
    return Credited(booked=posted.seq, balance=balance)


@router.post("/venues/{venue}/contributions", status_code=201, summary="Credit points for a contribution to a card")
async def record_contribution(
    request: Request, caller: Caller, venue: UUID, body: Contribution, idempotency_key: IdempotencyKey
) -> Credited:
    """Points are never convertible into money."""
    caller.require_venue(venue)
    asked_for, at = await at_venue(request, venue, body.currency)
    async with context_of(request).reader.connect() as connection:
        card = await card_by_uid(connection, body.card)
    service.require_issuer(caller, await asked_for.terms())
    posted, balance = await service.record_contribution(
        asked_for.ledger,
        asked_for.network,
        at,
        card,
        asked_for.currency,
        body.points,
        idempotency_key,
        actor=caller.actor,
        role=body.role,
        reason=body.reason,
    )
    return Credited(booked=posted.seq, balance=balance)
