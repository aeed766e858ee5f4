"""The way out that stands in every reminder of a membership's end."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.members import reminders
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.venues.service import the_network
from app.web import render

router = APIRouter(include_in_schema=False)

TRIES = RateLimit("membership-stop", "30/minute")


@router.get("/memberships/stop/{which}")
async def stop_reminder_page(request: Request, which: str) -> Response:
    """Looking ends nothing: mail scanners look at every address."""
    _named(request, which)
    return await _page(request, which, done=False)


@router.post("/memberships/stop/{which}")
async def stop_reminder(request: Request, which: str) -> Response:
    term = _named(request, which)
    async with context_of(request).engine.begin() as connection:
        await reminders.stop(connection, term)
    return await _page(request, which, done=True)


def _named(request: Request, which: str) -> UUID:
    term = reminders.stopped_by(context_of(request).keys.token, which)
    if term is None:
        TRIES.check(request, client_address(request))
        raise NotFound
    return term


async def _page(request: Request, which: str, *, done: bool) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render(request, "members/stop.html", network_name=network.name, which=which, done=done)
