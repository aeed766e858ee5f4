"""The sandbox provider's payment page: real in every step, and no real money. Mounted only with that provider."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

import httpx
import structlog
from fastapi import APIRouter, Form, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from app.platform.context import context_of
from app.platform.errors import Conflict, NotFound
from app.topups import online
from app.topups.sandbox import Sandbox
from app.web import render

router = APIRouter(include_in_schema=False)

NOTICE_TIMEOUT_S = 10.0

_log = structlog.get_logger("comptoir.sandbox")


@router.get("/sandbox/pay/{reference}")
async def sandbox_page(request: Request, reference: str) -> Response:
    payment = await _sandbox(request).payment(reference)
    back = online.near(request, payment.return_url)
    return render(request, "topups/sandbox.html", theme="light", payment=payment, back=back)


@router.post("/sandbox/pay/{reference}")
async def finish_sandbox_payment(
    request: Request, reference: str, act: Annotated[Literal["paid", "failed", "cancelled"], Form()]
) -> Response:
    """The payer goes back to us; a notice goes out besides, for payers who never arrive."""
    try:
        payment = await _sandbox(request).finish(reference, act)
    except Conflict:
        return RedirectResponse(f"/sandbox/pay/{reference}", 303)
    notice = BackgroundTask(_notify, context_of(request).settings.base_url, reference)
    return RedirectResponse(online.near(request, payment.return_url), 303, background=notice)


@router.post("/sandbox/pay/{reference}/dispute")
async def dispute_sandbox_payment(
    request: Request, reference: str, act: Annotated[Literal["taken", "won"], Form()]
) -> Response:
    """The payer's bank takes it back, or gives it back; a notice goes out as for a payment."""
    with suppress(Conflict):
        await _sandbox(request).dispute(reference, won=act == "won")
    notice = BackgroundTask(_notify, context_of(request).settings.base_url, reference)
    return RedirectResponse(f"/sandbox/pay/{reference}", 303, background=notice)


async def _notify(base_url: str, reference: str) -> None:
    """Best effort, as providers do it: what is lost is found by the reconciliation."""
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=NOTICE_TIMEOUT_S, trust_env=False) as client:
            answer = await client.post("/api/v1/payments/sandbox/notices", json={"reference": reference})
            answer.raise_for_status()
    except httpx.HTTPError as error:
        _log.warning("notice not delivered", reference=reference, reason=repr(error))


def _sandbox(request: Request) -> Sandbox:
    provider = online.provider_of(request)
    if not isinstance(provider, Sandbox):
        raise NotFound
    return provider
