"""Where is the rush? How fast each till sells, and what it has not sent yet."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.dashboards.asking import Reach, Typed, reach
from app.dashboards.day_reading import sold_since
from app.dashboards.files import Form, file_of
from app.dashboards.rules.rush import HOUR_US, Pace, paces, slowest
from app.dashboards.rush_view import RushView, Till
from app.dashboards.sections import said
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.terminals.fleet import Member, fleet
from app.terminals.words import duration
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/rush"


@router.get(HERE)
async def rush_page(request: Request, caller: Caller, session: SignedIn, venue: Typed = "") -> Response:
    shown = await _shown(request, await reach(request, caller, venue))
    return render_admin(request, session, "dashboards/rush.html", place=HERE, **shown)


@router.get(HERE + "/now")
async def rush_now(request: Request, caller: Caller, venue: Typed = "") -> Response:
    """The part of the page that changes by itself."""
    return render(request, "dashboards/rush_now.html", **await _shown(request, await reach(request, caller, venue)))


@router.get(HERE + "/file/{section}.{ending}")
async def rush_file(request: Request, caller: Caller, section: str, ending: Form, venue: Typed = "") -> Response:
    view: RushView = (await _shown(request, await reach(request, caller, venue)))["view"]
    return file_of(view.sections(), section, ending, "tills", texts_of(request))


async def _shown(request: Request, of: Reach) -> dict[str, Any]:
    texts, now = texts_of(request), now_us()
    found = paces(await sold_since(ledger_of(request), of.venues, now - HOUR_US, now), now)
    async with context_of(request).reader.connect() as connection:
        members = await fleet(connection, lambda venue: venue in of.venues)
    tills = [
        _till(it, of, found.get(it.row.id, Pace()), now)
        for it in members
        if it.row.kind == "till" and (it.row.status != "revoked" or it.row.waiting or it.row.id in found)
    ]
    seconds = {it.pace.apart_s for it in tills} | {it.oldest_s for it in tills} | {it.silent_s for it in tills}
    durations = {it: duration(it, texts) for it in seconds if it is not None}
    zones = {it.zone for it in of.venues.values()}
    zone = zones.pop() if len(zones) == 1 else of.network.settings.zone
    slow = slowest(found)
    view = RushView(tills, now, zone, durations, texts)
    return {
        "network_name": of.network.name,
        "here": HERE,
        "of": of,
        "query": urlencode({} if of.chosen is None else {"venue": of.chosen.id}),
        "view": view,
        "sales": sum(it.pace.sales for it in tills),
        "waiting": sum(it.waiting for it in tills),
        "slow": next(((it, durations[it.pace.apart_s or 0]) for it in tills if it.id == slow), None),
        "sections": list(view.sections()),
        "said": lambda cell: said(cell, texts),
    }


def _till(it: Member, of: Reach, pace: Pace, now: int) -> Till:
    venue, oldest = of.venues[it.row.venue], None
    if it.row.waiting and it.told is not None and it.told.status.oldest_waiting_s is not None:
        oldest = it.told.status.oldest_waiting_s + max(0, now - it.told.received_at_us) // 1_000_000
    return Till(it.row.id, it.row.name, venue.name, venue.zone, pace, it.row.waiting, oldest, it.silent_s)
