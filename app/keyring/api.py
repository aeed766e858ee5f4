"""What a terminal is given of the cards' keys."""

from __future__ import annotations

import asyncio
import base64

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.identity.guard import Caller
from app.keyring import service
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.rules.agreement import wrapped
from app.terminals.service import admitted, require_active
from app.wire.card_keys import about_keys
from app.wire.snapshot import SIGNATURE_HEADER

router = APIRouter(prefix="/api/v1", tags=["terminals"])

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "/terminals/card-keys",
    summary="The keys by which cards prove themselves at a terminal",
    response_class=Response,
    responses={
        200: {"description": "Wrapped for this device: app.rules.agreement", "content": _BYTES},
        304: {"description": "As in the last answer"},
    },
)
async def card_keys(request: Request, caller: Caller) -> Response:
    """One key of each card that the terminal's venue may meet now, and no master key. Only the device can read them;
    the header `Comptoir-Signature` is base64 of the server's Ed25519 signature over the body."""
    if caller.device is None or caller.epoch is None:
        raise NotFound("Only terminals read cards here.")
    context = context_of(request)
    async with context.reader.connect() as connection:
        terminal = await admitted(connection, caller.device, caller.epoch)
        require_active(terminal)
        given = await service.given_to(connection, context.keys.token, terminal.venue, now_us())
    tag = f'"{terminal.epoch}.{given.mark}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    await service.note_given(context.engine, terminal.id, given)
    plain = await asyncio.to_thread(given.keys)
    parcel = wrapped(plain, terminal.public_key, about_keys(terminal.id, terminal.epoch))
    signature = base64.b64encode(context.keys.signing.sign(parcel)).decode()
    return Response(parcel, headers={"ETag": tag, SIGNATURE_HEADER: signature}, media_type="application/octet-stream")
