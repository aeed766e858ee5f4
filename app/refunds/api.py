"""Refunds for programs: what holders asked for, and the bank's files."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.refunds import service, store
from app.refunds.rules import Proof, Status, Way
from app.settlement import outgoing

router = APIRouter(prefix="/api/v1", tags=["refunds"])


class RefundLine(BaseModel):
    """Minor units of `currency`; null while it is not worked out. Cents are euro cents, to both."""

    currency: str
    asked_units: int
    units: int | None
    cents: int | None
    fee_cents: int | None


class RefundEvent(BaseModel):
    status: Status
    reason: str
    actor: str
    at_us: int


class RefundShown(BaseModel):
    """`cents`: what its holder gets, 0 while it is not worked out. `proof`: what whoever asked had shown. `iban`: of a
    transfer, the last four figures."""

    id: UUID
    wallet: UUID
    card: UUID
    way: Way
    proof: Proof
    iban: str
    status: Status
    cents: int
    fee_cents: int
    asked_at_us: int
    changed_at_us: int
    lines: list[RefundLine]
    events: list[RefundEvent]


class BankFile(BaseModel):
    """Without `released_by` it waits for a second person."""

    id: UUID
    message: str
    transfers: int
    cents: int
    made_by: str
    made_at_us: int
    released_by: str | None
    released_at_us: int | None


class WhyCancelled(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("/refunds", summary="Refunds that holders asked for, those that need somebody first")
async def list_refunds(request: Request) -> list[RefundShown]:
    """At most 200."""
    async with context_of(request).reader.connect() as connection:
        return [_shown(it) for it in await store.listed(connection)]


@router.get("/refunds/{refund}", summary="One refund")
async def show_refund(request: Request, refund: UUID) -> RefundShown:
    """With every state that it went through."""
    async with context_of(request).reader.connect() as connection:
        return _shown(await store.named(connection, refund))


@router.post("/refunds/{refund}/cancel", summary="Cancel a refund that is not on its way")
async def cancel_refund(request: Request, caller: Caller, refund: UUID, body: WhyCancelled) -> RefundShown:
    """The money is on the card again, and the cards that were blocked for it pay again."""
    provider = request.app.state.provider
    return _shown(
        await service.cancel(ledger_of(request), provider, refund, actor=caller.actor, reason=body.reason.strip())
    )


@router.get("/refund-files", summary="The bank's files of refunds, the newest first")
async def list_refund_files(request: Request) -> list[BankFile]:
    """At most 50."""
    async with context_of(request).reader.connect() as connection:
        return [_file(it) for it in await outgoing.files(connection)]


@router.post("/refund-files", status_code=201, summary="Make the bank's file of all refunds that are ready")
async def create_refund_file(request: Request, caller: Caller) -> BankFile:
    """Somebody else releases it."""
    id_ = await service.make_file(ledger_of(request), actor=caller.actor)
    async with context_of(request).reader.connect() as connection:
        return _file(await outgoing.named(connection, id_))


@router.post("/refund-files/{file}/release", summary="Release a file that another made")
async def release_refunds(request: Request, caller: Caller, file: UUID) -> BankFile:
    """From then on it may be fetched and sent."""
    await service.release_file(ledger_of(request), file, actor=caller.actor)
    async with context_of(request).reader.connect() as connection:
        return _file(await outgoing.named(connection, file))


def _file(it: outgoing.File) -> BankFile:
    return BankFile(**{name: getattr(it, name) for name in BankFile.model_fields})


def _shown(it: store.Request) -> RefundShown:
    values = {name: getattr(it, name) for name in RefundShown.model_fields if name not in {"iban", "lines", "events"}}
    lines = [RefundLine(**{name: getattr(one, name) for name in RefundLine.model_fields}) for one in it.lines]
    events = [RefundEvent(**{name: getattr(one, name) for name in RefundEvent.model_fields}) for one in it.events]
    return RefundShown(**values, iban=it.iban[-4:], lines=lines, events=events)
