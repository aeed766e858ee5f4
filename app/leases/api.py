"""Tickets lent to terminals: for programs of the venue, and for the terminals themselves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.events.service import event_named
from app.identity.guard import Caller
from app.leases.service import LEASED_MAX, Leased, leased_of, lend, stock_of
from app.platform.context import context_of
from app.platform.errors import Forbidden, NotFound
from app.terminals.service import admitted, listed, require_active, require_till
from app.wire.snapshot import SIGNATURE_HEADER
from app.wire.tickets import TicketStock

router = APIRouter(prefix="/api/v1/events", tags=["events"])
terminals = APIRouter(prefix="/api/v1", tags=["terminals"])

Many = Annotated[int, Field(ge=0, le=LEASED_MAX, strict=True)]


class LeaseBody(BaseModel):
    """`keep`: by price, how many tickets the terminal may have unsold. Fewer than it has: it gives the others back at
    its next look, and only then are their places others'."""

    model_config = ConfigDict(extra="forbid")

    keep: Annotated[dict[UUID, Many], Field(min_length=1, max_length=50)]


class LeaseShown(BaseModel):
    """`leased`: unsold, as far as the terminal's journal has reached us; their places count as taken. `sold` and
    `returned`: what became of the others."""

    price: UUID
    terminal: UUID
    keep: int
    leased: int
    sold: int
    returned: int


@router.put(
    "/{event}/leases/{terminal}",
    summary="Lend tickets to a terminal, or ask for them back",
    responses={
        404: {"description": "not-found: no such event, price or terminal of the event's venue"},
        409: {"description": "sold-out (with `left`), not-on-sale"},
    },
)
async def lend_tickets(
    request: Request, caller: Caller, event: UUID, terminal: UUID, body: LeaseBody
) -> list[LeaseShown]:
    """So that it sells them without network. Prices that are not named stay as they were."""
    async with context_of(request).engine.begin() as connection:
        own = await event_named(connection, event)
        if not caller.may_see_venue(own.venue):
            raise NotFound("There is no such event.")
        caller.require_venue(own.venue)
        to = await listed(connection, terminal)
        require_till(to)
        return [_shown(it) for it in await lend(connection, caller.actor, event, to, body.keep)]


@router.get("/{event}/leases", summary="What terminals were lent of an event")
async def list_leases(request: Request, caller: Caller, event: UUID) -> list[LeaseShown]:
    async with context_of(request).reader.connect() as connection:
        own = await event_named(connection, event)
        if not caller.may_see_venue(own.venue):
            raise Forbidden("Your rights do not reach this venue.")
        return [_shown(it) for it in await leased_of(connection, event)]


@terminals.get(
    "/terminals/tickets",
    summary="The tickets that a terminal may sell",
    response_model=TicketStock,
    responses={304: {"description": "As in the last answer"}},
)
async def ticket_stock(request: Request, caller: Caller) -> Response:
    """Those of its epoch that it has neither sold nor given back, as far as its journal has reached us. The header
    `Comptoir-Signature` is base64 of the server's Ed25519 signature over the body."""
    context = context_of(request)
    if caller.device is None or caller.epoch is None:
        raise NotFound("Only terminals sell from a stock.")
    async with context.reader.connect() as connection:
        at = await admitted(connection, caller.device, caller.epoch)
        require_active(at)
        found = await stock_of(connection, at, context.keys.signing)
    body = await asyncio.to_thread(lambda: found.model_dump_json().encode())
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    signature = base64.b64encode(context.keys.signing.sign(body)).decode()
    return Response(body, headers={SIGNATURE_HEADER: signature, "ETag": tag}, media_type="application/json")


def _shown(it: Leased) -> LeaseShown:
    return LeaseShown(
        price=it.price, terminal=it.terminal, keep=it.keep, leased=it.leased, sold=it.sold, returned=it.returned
    )
