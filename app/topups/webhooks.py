"""Where payment providers send their notices. Nothing in one is believed: the provider is asked, after the answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid, NotFound
from app.platform.limits import RateLimit, client_address
from app.topups import notices, online
from app.topups.provider import NotGenuine

router = APIRouter(include_in_schema=False)

BODY_MAX_BYTES = 256 * 1024
FAILURES = RateLimit("payment-webhook-failures", "60/minute")


class Taken(BaseModel):
    """`new`: false for a notice that had come before."""

    new: bool


@router.post("/payments/{provider}")
async def payment_webhook(request: Request, provider: str) -> Taken:
    """Signed as the provider documents it; a notice that is not is refused with 400 and does nothing."""
    known = online.provider_of(request)
    if provider != known.name:
        raise NotFound
    body = await _body(request)
    try:
        notice = known.notice(request.headers, body)
    except NotGenuine as error:
        FAILURES.check(request, client_address(request))
        raise Invalid("This is no notice of the payment provider.", "notice-not-genuine") from error
    taken = await notices.take(context_of(request).engine, provider, notice)
    if not taken.new and not notice.event:
        # It may be anybody's, guessing.
        FAILURES.check(request, client_address(request))
    if taken.new:
        bell: online.Bell = request.app.state.bell
        bell.ring(disputes=taken.taken_back)
    return Taken(new=taken.new)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > BODY_MAX_BYTES:
            raise DomainError("body-too-large", f"A notice may have at most {BODY_MAX_BYTES} bytes.")
    return bytes(found)
