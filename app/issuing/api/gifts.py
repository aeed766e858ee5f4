"""Gifts for a list of cards."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.issuing import gifts
from app.issuing.api.common import Amount, IdempotencyKey, Reason, asked
from app.issuing.rules import LINES_MAX
from app.issuing.service import require_issuer
from app.wire.base import CurrencyCode

router = APIRouter()


class Recipient(BaseModel):
    """`card`: its number, or what is printed on it. `amount`: where it is not everybody's."""

    model_config = ConfigDict(extra="forbid")

    card: Annotated[str, Field(min_length=1, max_length=300)]
    amount: Amount | None = None


class GiftBatch(BaseModel):
    """`amount`: minor units of `currency` for each card. `venue`: who gives; left out, the network."""

    model_config = ConfigDict(extra="forbid")

    currency: CurrencyCode
    amount: Amount
    reason: Reason
    cards: Annotated[list[Recipient], Field(min_length=1, max_length=LINES_MAX)]
    venue: UUID | None = None


class GiftShown(BaseModel):
    """`refused`: why this card got nothing ("daily-cap", "over-ceiling"); null when the gift is on it."""

    card: str
    label: str
    amount: int
    refused: str | None


@router.post("/gifts", summary="Give to many cards at once")
async def give_gifts(
    request: Request, caller: Caller, body: GiftBatch, idempotency_key: IdempotencyKey
) -> list[GiftShown]:
    """Each card's gift is an operation of its own. The same key again finishes what was begun and gives nothing twice.

    If a card cannot be credited, nothing is given: the problem's `lines` say which and why.
    """
    asked_for = await asked(request, body.venue, body.currency)
    terms = await asked_for.terms()
    require_issuer(caller, terms)
    wanted = [gifts.Gift(it.card, it.amount or body.amount) for it in body.cards]
    given = await gifts.give(asked_for.ledger, terms, wanted, idempotency_key, actor=caller.actor, reason=body.reason)
    return [GiftShown(card=it.card, label=it.label, amount=it.amount, refused=it.refused) for it in given]
