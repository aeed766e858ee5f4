"""Pairing and tokens of terminals; codes are made by admins."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.audit import audit
from app.identity.guard import Caller
from app.platform.context import context_of
from app.platform.limits import RateLimit
from app.terminals import logs, service
from app.terminals.status import keep
from app.venues.service import venue_named
from app.wire import LogBundle, PairingReply, PairingRequest, StatusReply, StatusReport, TokenReply, TokenRequest

router = APIRouter(prefix="/api/v1", tags=["terminals"])

# A code has 40 bits and lives for an hour; at this rate nobody guesses one.
PAIRING = RateLimit("pairing", "20/minute")
TOKENS = RateLimit("terminal-token", "120/minute")
# All terminals of a venue come from one address; each tells of itself twice a minute.
STATUSES = RateLimit("terminal-status", "600/minute")


class CodeRequest(BaseModel):
    """`terminal`: pair this known terminal again, under a new epoch, instead of adding one."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60, examples=["Bar du fond"])]
    terminal: UUID | None = None


class Code(BaseModel):
    code: str
    lives_s: int


class Revocation(BaseModel):
    """`lost`: lost or stolen, so that the keys of cards that it was given are not to be trusted any more."""

    model_config = ConfigDict(extra="forbid")

    lost: bool = False


class TerminalShown(BaseModel):
    """`waiting`: journal rows it had not delivered when it was last seen. `skew_ms`: its clock less ours."""

    id: UUID
    venue: UUID
    name: str
    status: str
    version: str
    epoch: int
    waiting: int
    skew_ms: int
    seen_at_us: int


@router.post("/venues/{venue}/pairing-codes", status_code=201, summary="A one-time code that pairs a terminal")
async def make_pairing_code(request: Request, caller: Caller, venue: UUID, body: CodeRequest) -> Code:
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        await venue_named(connection, venue)
        code = await service.make_pairing_code(connection, venue, body.name, body.terminal)
        await audit(connection, caller.actor, "terminal.pairing_code", f"venue:{venue}", name=body.name)
    return Code(code=code, lives_s=service.CODE_LIFETIME_US // 1_000_000)


@router.post("/terminals/pair", status_code=201, dependencies=[Depends(PAIRING)], summary="Redeem a pairing code")
async def pair_terminal(request: Request, body: PairingRequest) -> PairingReply:
    """The device sends its public key; its private key never leaves it."""
    context = context_of(request)
    paired = await service.pair(context.engine, body)
    async with context.reader.connect() as connection:
        venue = await venue_named(connection, paired.venue)
    return PairingReply(
        device=paired.id,
        epoch=paired.epoch,
        name=paired.name,
        venue=venue.id,
        venue_name=venue.name,
        server_key=context.keys.public_key,
    )


@router.post("/terminals/token", dependencies=[Depends(TOKENS)], summary="A bearer token for a paired terminal")
async def terminal_token(request: Request, body: TokenRequest) -> TokenReply:
    context = context_of(request)
    async with context.reader.connect() as connection:
        return await service.issue_token(connection, context.keys.token, body)


@router.post("/terminals/status", dependencies=[Depends(STATUSES)], summary="A terminal tells how it is")
async def report_status(request: Request, body: StatusReport) -> StatusReply:
    """Signed by the device; no token is needed, so that one that was set aside or revoked can tell too."""
    async with context_of(request).engine.begin() as connection:
        found = await service.terminal_named(connection, body.device)
        service.check_signature(found, body.signature, body.message())
        return await keep(connection, found, body)


@router.post(
    "/terminals/logs",
    status_code=204,
    dependencies=[Depends(STATUSES)],
    summary="A terminal sends its logs",
)
async def send_logs(request: Request, body: LogBundle) -> None:
    """Signed by the device; only for a request that is open, and once."""
    async with context_of(request).engine.begin() as connection:
        found = await service.terminal_named(connection, body.device)
        service.check_signature(found, body.signature, body.message())
        await logs.keep(connection, body)


@router.get("/terminals", summary="The fleet")
async def list_terminals(request: Request, caller: Caller) -> list[TerminalShown]:
    async with context_of(request).reader.connect() as connection:
        rows = await service.terminals(connection)
    return [
        TerminalShown(**{name: getattr(row, name) for name in TerminalShown.model_fields})
        for row in rows
        if caller.may_see_venue(row.venue)
    ]


@router.post("/terminals/{terminal}/revoke", status_code=204, summary="A terminal sells no more")
async def revoke_terminal(request: Request, caller: Caller, terminal: UUID, body: Revocation | None = None) -> None:
    """Of one that was lost or stolen, no other terminal is given the keys that it had: those cards count for what their
    bare number is worth until a card desk has written new ones."""
    lost = body is not None and body.lost
    async with context_of(request).engine.begin() as connection:
        found = await service.listed(connection, terminal)
        caller.require_venue(found.venue)
        await service.revoke(connection, terminal, lost=lost)
        await audit(connection, caller.actor, "terminal.revoke", f"terminal:{terminal}", lost=lost)
