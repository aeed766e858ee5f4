"""Cash top-ups at the counter, and the notices of payment providers."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards import recovery
from app.cards.recovery_pages import HERE as LOST
from app.cards.service import card_by_uid
from app.currencies.service import currencies
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden, Invalid, NotFound
from app.platform.limits import RateLimit
from app.topups import online, service
from app.topups.booking import CASH
from app.topups.sandbox import Sandbox
from app.venues.service import venue_named
from app.wire import CodeAsked, CodeReply
from app.wire.base import CardUid, CurrencyCode, Minor

router = APIRouter(prefix="/api/v1", tags=["top-ups"])

NOTICES = RateLimit("payment-notices", "600/minute")
IdempotencyKey = Annotated[
    UUID, Header(alias="Idempotency-Key", description="The operation's id (UUID). The same key books nothing twice.")
]


class CashTopup(BaseModel):
    """`amount`: minor units of `currency`."""

    model_config = ConfigDict(extra="forbid")

    card: CardUid
    currency: CurrencyCode
    amount: Minor


class Credited(BaseModel):
    """`booked`: its number in the ledger. `balance`: what the card holds after it, in minor units."""

    booked: int
    balance: int


class Notice(BaseModel):
    """A provider says that something happened to a payment. What happened is then asked of the provider."""

    model_config = ConfigDict(extra="ignore")

    reference: Annotated[str, Field(max_length=200)]


class TopupShown(BaseModel):
    id: UUID
    status: str


@router.post("/venues/{venue}/topups", status_code=201, summary="Top up a card in cash at the counter")
async def top_up_in_cash(
    request: Request, caller: Caller, venue: UUID, body: CashTopup, idempotency_key: IdempotencyKey
) -> Credited:
    """The venue takes the cash for the issuer of the currency, and owes it from then on."""
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at, card = await venue_named(connection, venue), await card_by_uid(connection, body.card)
        currency = (await currencies(connection)).get(body.currency)
    if currency is None:
        raise Invalid(f"There is no currency {body.currency}.", "currency-not-accepted")
    ledger = ledger_of(request)
    await service.require_seller(ledger, caller, at, currency)
    posted, balance = await service.at_the_counter(
        ledger, at, card, currency, body.amount, idempotency_key, actor=caller.actor
    )
    return Credited(booked=posted.seq, balance=balance)


@router.post(
    "/terminals/recovery-codes",
    status_code=201,
    summary="The first recovery code of a card that was just topped up",
    responses={
        403: {"description": "card-blocked"},
        404: {"description": "not-found: this terminal did no such top-up within the last quarter of an hour"},
        409: {"description": "recovery-code-there: the wallet has one, which stays as it is"},
    },
)
async def make_code_at_terminal(request: Request, caller: Caller, body: CodeAsked) -> CodeReply:
    """To be printed for who showed the card and paid. It follows from the top-up: asked again, as when there was no
    paper, it is the same one. Never a second code: who has found a card and tops it up voids nobody's."""
    context, now = context_of(request), now_us()
    booked = (await ledger_of(request).booked([body.act])).get(body.act)
    recent = booked is not None and booked.kind == CASH and now - booked.booked_at_us < recovery.TOLD_AGAIN_US
    if booked is None or not recent or booked.terminal != caller.device:
        raise NotFound("This terminal has topped up no card like this just now.")
    if json.loads(booked.details).get("card") != body.card:
        raise NotFound("It was another card that was topped up.")
    async with context.engine.begin() as connection:
        card = await card_by_uid(connection, body.card)
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        code = await recovery.make(connection, context.keys.token, caller.actor, card, body.act, first=True)
    return CodeReply(code=code, lost=f"{context.settings.base_url.rstrip('/')}{LOST}")


@router.post("/payments/{provider}/notices", dependencies=[Depends(NOTICES)], summary="Notices of the sandbox provider")
async def payment_notice(request: Request, provider: str, body: Notice) -> TopupShown:
    """Notices may come twice, late, in any order or never; anybody may send one, for nothing in it is believed."""
    if provider != Sandbox.name:
        # Others have their own address, where what they send is proved.
        raise NotFound
    settled = await online.settle_reference(request, provider, body.reference)
    return TopupShown(id=settled.id, status=settled.status)
