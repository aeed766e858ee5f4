"""Credit lines of mutual credit: ask, and somebody else decides."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import card_by_uid
from app.currencies.service import currencies
from app.identity.guard import Caller
from app.issuing import credit_lines
from app.issuing.api.common import IdempotencyKey, Reason, asked
from app.ledger.service import ledger_of
from app.money.text import LARGEST
from app.platform.context import context_of
from app.wire.base import CardUid, CurrencyCode

router = APIRouter()


class CreditAsked(BaseModel):
    """`credit`: how far below zero the member may go from then on, in minor units; 0 ends a credit line."""

    model_config = ConfigDict(extra="forbid")

    card: CardUid
    currency: CurrencyCode
    credit: Annotated[int, Field(ge=0, le=LARGEST, strict=True)]
    reason: Reason


class CreditShown(BaseModel):
    """`asked_by`, `decided_by`: as the audit log names people. `policy`: the rules at the decision."""

    id: UUID
    currency: str
    card: UUID
    credit: int
    reason: str
    state: credit_lines.State
    asked_by: str
    asked_at_us: int
    decided_by: str | None
    decided_at_us: int | None
    policy: str | None


@router.get("/credit-lines", summary="Credit lines that were asked for; those that wait first")
async def list_credit_lines(request: Request) -> list[CreditShown]:
    async with context_of(request).reader.connect() as connection:
        return [_shown(it) for it in await credit_lines.credit_lines(connection)]


@router.post("/credit-lines", status_code=201, summary="Ask for a member's credit line")
async def ask_credit_line(
    request: Request, caller: Caller, body: CreditAsked, idempotency_key: IdempotencyKey
) -> CreditShown:
    """Nothing changes until somebody else grants it."""
    asked_for = await asked(request, None, body.currency)
    async with context_of(request).reader.connect() as connection:
        card = await card_by_uid(connection, body.card)
    found = await credit_lines.ask(
        asked_for.ledger,
        asked_for.currency,
        card,
        body.credit,
        idempotency_key,
        actor=caller.actor,
        reason=body.reason,
    )
    return _shown(found)


@router.post("/credit-lines/{credit}/grant", summary="Grant a credit line that somebody else asked for")
async def grant_credit_line(request: Request, caller: Caller, credit: UUID) -> CreditShown:
    """The member's wallet may go down so far from now on. Refused where more is in use already."""
    return await _decide(request, credit, caller.actor, granted=True)


@router.post("/credit-lines/{credit}/refuse", summary="Refuse a credit line")
async def refuse_credit_line(request: Request, caller: Caller, credit: UUID) -> CreditShown:
    return await _decide(request, credit, caller.actor, granted=False)


async def _decide(request: Request, id_: UUID, actor: str, *, granted: bool) -> CreditShown:
    async with context_of(request).reader.connect() as connection:
        known = await currencies(connection)
    return _shown(await credit_lines.decide(ledger_of(request), known, id_, actor=actor, granted=granted))


def _shown(it: credit_lines.CreditLine) -> CreditShown:
    return CreditShown(
        id=it.id,
        currency=it.currency,
        card=it.card,
        credit=it.credit,
        reason=it.reason,
        state=it.state,
        asked_by=it.asked_by,
        asked_at_us=it.asked_at_us,
        decided_by=it.decided_by,
        decided_at_us=it.decided_at_us,
        policy=it.policy,
    )
