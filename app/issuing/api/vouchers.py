"""Vouchers: make a batch, see what became of it, put one on a card, cancel."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import card_by_uid
from app.identity.guard import Caller
from app.identity.roles import Principal
from app.issuing import vouchers
from app.issuing.api.common import Amount, Asked, IdempotencyKey, Reason, asked
from app.issuing.batches import Batch, batch_of, recent_batches
from app.issuing.rules import LINES_MAX
from app.issuing.service import require_issuer
from app.issuing.voucher_tries import TRIES
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.wire.base import CardUid, CurrencyCode

router = APIRouter()


class NewVouchers(BaseModel):
    """`amount`: minor units of each. `valid_until_us`: left out, the currency's rules say. `venue`: who gives; left
    out, the network."""

    model_config = ConfigDict(extra="forbid")

    currency: CurrencyCode
    amount: Amount
    count: Annotated[int, Field(ge=1, le=LINES_MAX, strict=True)]
    reason: Reason
    valid_until_us: int | None = None
    venue: UUID | None = None


class BatchShown(BaseModel):
    """`amount`: minor units of all its vouchers together."""

    id: UUID
    currency: str
    venue: UUID | None
    amount: int
    vouchers: int
    reason: str
    valid_until_us: int | None
    made_at_us: int
    made_by: str


class VouchersMade(BaseModel):
    """`codes`: told now and never again."""

    batch: BatchShown
    codes: list[str]


class VoucherShown(BaseModel):
    number: int
    state: vouchers.State


class VouchersShown(BaseModel):
    batch: BatchShown
    vouchers: list[VoucherShown]


class Redemption(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=60)]
    card: CardUid


class Redeemed(BaseModel):
    """Minor units: what the voucher was worth, and what the card holds after it."""

    currency: str
    amount: int
    balance: int


class Cancellation(BaseModel):
    """`numbers`: of the vouchers within the batch; left out, all that are open."""

    model_config = ConfigDict(extra="forbid")

    numbers: list[int] | None = None


class Cancelled(BaseModel):
    cancelled: int


@router.post("/vouchers", status_code=201, summary="Make vouchers that can be given away")
async def make_vouchers(
    request: Request, caller: Caller, body: NewVouchers, idempotency_key: IdempotencyKey
) -> VouchersMade:
    """Their money is set aside at once. The same key again, within the hour, answers the same codes."""
    asked_for = await asked(request, body.venue, body.currency)
    terms = await asked_for.terms()
    require_issuer(caller, terms)
    made = await vouchers.make(
        asked_for.ledger,
        terms,
        context_of(request).keys.token,
        body.amount,
        body.count,
        idempotency_key,
        actor=caller.actor,
        reason=body.reason,
        valid_until_us=body.valid_until_us,
    )
    return VouchersMade(batch=_batch(made.batch), codes=list(made.codes))


@router.get("/vouchers", summary="Batches of vouchers, the newest first")
async def list_vouchers(request: Request, caller: Caller) -> list[BatchShown]:
    async with context_of(request).reader.connect() as connection:
        found = await recent_batches(connection, "vouchers")
    return [_batch(it) for it in found if _may_see(caller, it)]


@router.get("/vouchers/{batch}", summary="What became of the vouchers of a batch")
async def show_vouchers(request: Request, caller: Caller, batch: UUID) -> VouchersShown:
    found = await _seen(request, caller, batch)
    rows = await vouchers.vouchers_of(ledger_of(request), found)
    shown = [VoucherShown(number=it.number, state=it.state) for it in rows]
    return VouchersShown(batch=_batch(found), vouchers=shown)


@router.post("/vouchers/{batch}/cancel", summary="Cancel vouchers that are still open")
async def cancel_vouchers(request: Request, caller: Caller, batch: UUID, body: Cancellation) -> Cancelled:
    found = await _seen(request, caller, batch)
    asked_for = await asked(request, found.venue, found.currency)
    terms = await asked_for.terms()
    require_issuer(caller, terms)
    rows = await vouchers.vouchers_of(asked_for.ledger, found)
    chosen = [it for it in rows if body.numbers is None or it.number in body.numbers]
    return Cancelled(cancelled=await vouchers.withdraw(asked_for.ledger, terms, chosen, actor=caller.actor))


@router.post("/venues/{venue}/vouchers", summary="Put a voucher on a card, once")
async def redeem_voucher(request: Request, caller: Caller, venue: UUID, body: Redemption) -> Redeemed:
    """Asked for again for the same card, it answers the same and gives nothing twice."""
    caller.require_venue(venue)
    TRIES.check(request, caller.actor)
    ledger = ledger_of(request)
    it = await vouchers.voucher_behind(ledger, body.code)
    async with context_of(request).reader.connect() as connection:
        card = await card_by_uid(connection, body.card)
    asked_for: Asked = await asked(request, venue, it.batch.currency)
    balance = await vouchers.redeem(ledger, await asked_for.terms(), it, card, actor=caller.actor)
    return Redeemed(currency=it.batch.currency, amount=it.amount, balance=balance)


async def _seen(request: Request, caller: Principal, id_: UUID) -> Batch:
    async with context_of(request).reader.connect() as connection:
        found = await batch_of(connection, id_)
    if found.kind != "vouchers" or not _may_see(caller, found):
        raise NotFound("There is no such batch.")
    return found


def _may_see(caller: Principal, it: Batch) -> bool:
    return caller.sees_network or (it.venue is not None and caller.may_see_venue(it.venue))


def _batch(it: Batch) -> BatchShown:
    return BatchShown(
        id=it.id,
        currency=it.currency,
        venue=it.venue,
        amount=it.amount,
        vouchers=it.parts,
        reason=it.reason,
        valid_until_us=it.valid_until_us,
        made_at_us=it.made_at_us,
        made_by=it.actor,
    )
