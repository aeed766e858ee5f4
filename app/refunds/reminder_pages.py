"""Where the link of a reminder leads that ends reminders: its page only asks, for mail scanners look at every link."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.platform.context import context_of
from app.platform.limits import RateLimit
from app.refunds import reminding
from app.venues.service import the_network
from app.web import render

router = APIRouter(include_in_schema=False)

LOOKS = RateLimit("reminders", "30/minute")


@router.get("/reminders/{mark}", dependencies=[Depends(LOOKS)])
async def reminders_page(request: Request, mark: str) -> Response:
    return await _page(request, mark, done=False)


@router.post("/reminders/{mark}", dependencies=[Depends(LOOKS)])
async def stop_reminders(request: Request, mark: str) -> Response:
    account = reminding.account_of(context_of(request).keys.token, mark)
    async with context_of(request).engine.begin() as connection:
        await reminding.stop(connection, account)
    return await _page(request, mark, done=True)


async def _page(request: Request, mark: str, *, done: bool) -> Response:
    reminding.account_of(context_of(request).keys.token, mark)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render(request, "refunds/reminders.html", network_name=network.name, done=done, here=f"/reminders/{mark}")
