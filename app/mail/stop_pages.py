"""The way out that stands in every e-mail that was agreed to: one press, and no more of them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.mail import consents
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.venues.service import the_network
from app.web import render

router = APIRouter(include_in_schema=False)

TRIES = RateLimit("mail-stop", "30/minute")


@router.get("/mail/stop/{which}")
async def stop_mail_page(request: Request, which: str) -> Response:
    """Looking ends nothing: mail scanners look at every address."""
    _named(request, which)
    return await _page(request, which, done=False)


@router.post("/mail/stop/{which}")
async def stop_mail(request: Request, which: str) -> Response:
    id_ = _named(request, which)
    async with context_of(request).engine.begin() as connection:
        await consents.withdraw(connection, id_)
    return await _page(request, which, done=True)


def _named(request: Request, which: str) -> UUID:
    id_ = consents.stopped_by(context_of(request).keys.token, which)
    if id_ is None:
        TRIES.check(request, client_address(request))
        raise NotFound
    return id_


async def _page(request: Request, which: str, *, done: bool) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render(request, "mail/stop.html", network_name=network.name, which=which, done=done)
