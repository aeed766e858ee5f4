"""What a terminal asks before and while it stands at a door."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from app.door import service
from app.identity.guard import Caller
from app.identity.roles import Principal
from app.platform.clock import now_us
from app.platform.context import Context, context_of
from app.platform.errors import NotFound
from app.terminals.service import Terminal, admitted, require_active
from app.wire.door import DoorList, DoorPassages
from app.wire.snapshot import SIGNATURE_HEADER

router = APIRouter(prefix="/api/v1", tags=["terminals"])


@router.get(
    "/terminals/door",
    summary="The events and tickets at whose door a terminal may stand",
    response_model=DoorList,
    responses={304: {"description": "As in the last answer"}},
)
async def door_list(request: Request, caller: Caller) -> Response:
    """Events of the terminal's venue that are on now or within a day and a half, each with all of its tickets. The
    header `Comptoir-Signature` is base64 of the server's Ed25519 signature over the body."""
    context = context_of(request)
    async with context.reader.connect() as connection:
        at = await _terminal(connection, caller)
        found = await service.door_list(connection, at.id, at.venue, now_us())
    body = await asyncio.to_thread(lambda: found.model_dump_json().encode())
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return _signed(context, body, {"ETag": tag})


@router.get(
    "/terminals/door/passages",
    summary="What the other terminals saw at the venue's doors",
    response_model=DoorPassages,
)
async def door_passages(
    request: Request, caller: Caller, after_us: Annotated[int, Query(ge=0, lt=2**52)] = 0
) -> Response:
    """Those that reached the server since `after_us`, which is `until_us` of the answer before; some come twice. Signed
    as the list is."""
    context = context_of(request)
    async with context.reader.connect() as connection:
        at = await _terminal(connection, caller)
        found = await service.passages_since(connection, at.venue, after_us, now_us())
    return _signed(context, found.model_dump_json().encode(), {})


async def _terminal(connection: AsyncConnection, caller: Principal) -> Terminal:
    if caller.device is None or caller.epoch is None:
        raise NotFound("Only terminals stand at doors.")
    terminal = await admitted(connection, caller.device, caller.epoch)
    require_active(terminal)
    return terminal


def _signed(context: Context, body: bytes, headers: dict[str, str]) -> Response:
    signature = base64.b64encode(context.keys.signing.sign(body)).decode()
    return Response(body, headers={SIGNATURE_HEADER: signature, **headers}, media_type="application/json")
