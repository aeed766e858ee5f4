"""Who is inside? What terminals saw at an event's door, and what of it is doubtful."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.door.service import BEFORE_US, HOUR_US, SHOWN_MAX, Seen, seen_at
from app.events.rules import Event
from app.events.service import events
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.clock import now_us
from app.platform.context import context_of
from app.rules.door import PASSED, Passage, doubtful, inside
from app.venues.service import the_network, venues
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/doors"
# A week later somebody may still ask who was there.
KEPT_US: Final = 7 * 24 * HOUR_US
RESULTS: Final = {
    "in": N_("In"),
    "again": N_("Back in"),
    "out": N_("Out"),
    "inside": N_("Refused: inside already"),
    "not_inside": N_("Refused: was not inside"),
    "wrong_event": N_("Refused: for another event"),
    "refunded": N_("Refused: refunded"),
    "void": N_("Refused: no longer valid"),
    "early": N_("Refused: too early"),
    "over": N_("Refused: it is over"),
}


@router.get(HERE)
async def doors_page(request: Request, caller: Caller, session: SignedIn, event: str = "") -> Response:
    return render_admin(request, session, "door/doors.html", place=HERE, **await _shown(request, caller, event))


@router.get(HERE + "/now")
async def doors_now(request: Request, caller: Caller, event: str = "") -> Response:
    """The part of the page that changes by itself."""
    return render(request, "door/doors_now.html", **await _shown(request, caller, event))


async def _shown(request: Request, caller: Caller, chosen: str) -> dict[str, Any]:
    texts, now = texts_of(request), now_us()
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        found = await events(connection, statuses=["published"], ends_after_us=now - KEPT_US)
        near = [it for it in found.values() if it.doors_at_us < now + BEFORE_US and caller.may_see_venue(it.venue)]
        event = next((it for it in near if str(it.id) == chosen), _nearest(near, now))
        seen = await seen_at(connection, event.id) if event else []
    passed: dict[UUID, list[Passage]] = {}
    for it in seen:
        if it.result in PASSED:
            passed.setdefault(it.ticket, []).append(it.passage)
    by_ticket = {it.ticket: it for it in seen}
    return {
        "network_name": network.name,
        "here": HERE,
        "near": [(it, it.title(texts.language), at[it.venue]) for it in near],
        "event": event,
        "title": event.title(texts.language) if event else "",
        "zone": at[event.venue].zone if event else network.settings.zone,
        "inside": len(inside(passed)),
        "came": len(passed),
        "twice": [
            (_named(by_ticket[ticket], texts.language), before, after)
            for ticket, turns in passed.items()
            for before, after in doubtful(turns)
        ],
        "unknown": sum(1 for ticket in passed if by_ticket[ticket].serial is None),
        "rows": [(it, _named(it, texts.language), texts.gettext(RESULTS[it.result])) for it in seen[:SHOWN_MAX]],
    }


def _nearest(near: list[Event], now: int) -> Event | None:
    """The one that is on, or is the next, or was the last."""
    coming = [it for it in near if it.ends_at_us > now]
    return coming[0] if coming else (near[-1] if near else None)


def _named(it: Seen, language: str) -> str:
    serial = "?" if it.serial is None else f"N° {it.serial}"
    price = (it.price_fr or it.price_en) if language == "fr" else (it.price_en or it.price_fr)
    return " · ".join(part for part in (serial, price, it.name) if part)
