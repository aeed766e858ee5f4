"""Has everything of this event come in, and what follows? Its terminals, its cut-off and its days of refunds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.eventclosing import form
from app.eventclosing.rules import Delivered, delivered
from app.eventclosing.service import closing_of, set_closing, set_terminals, terminals_of
from app.events.rules import Event
from app.events.service import event_named
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid
from app.rules.business_day import local_time
from app.settlement import runs
from app.venues.service import the_network, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/events/{event}/closing"
# How it is told: words, tint and icon.
_DELIVERED: Final[Mapping[Delivered, tuple[str, str, str]]] = {
    "all": (N_("everything came in"), "good", "check"),
    "rows": (N_("has sales to send"), "warn", "clock"),
    "silent": (N_("not heard of since"), "bad", "warn"),
}


@router.get(HERE)
async def event_closing_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    return await _page(request, session, await _event(request, caller, event))


@router.post(f"{HERE}/terminals")
async def choose_event_terminals(request: Request, caller: Caller, event: UUID) -> Response:
    at = await _event(request, caller, event)
    wanted = [UUID(str(it)) for it in (await request.form()).getlist("terminal")]
    async with context_of(request).engine.begin() as connection:
        await set_terminals(connection, caller.actor, at, wanted)
    return _back(at)


@router.post(f"{HERE}/terms")
async def change_event_closing(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    at, texts, sent = await _event(request, caller, event), texts_of(request), await request.form()
    typed = {name: it for name, it in sent.items() if isinstance(it, str)}
    async with context_of(request).engine.begin() as connection:
        zone = (await venues(connection))[at.venue].zone
        now, wrong = form.understood(typed, zone, texts)
        if now.cut_off_us is not None and now.cut_off_us < at.doors_at_us:
            wrong["cut_off"] = texts.gettext("The cut-off is not before the doors open.")
        if not wrong:
            await set_closing(connection, caller.actor, at, now)
    return await _page(request, session, at, typed, wrong) if wrong else _back(at)


@router.post(f"{HERE}/settle")
async def settle_event(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    """A settlement of all venues over what was booked by the event's cut-off; frozen at once."""
    at = await _event(request, caller, event)
    async with context_of(request).reader.connect() as connection:
        cut_off = (await closing_of(connection, at.id)).cut_off_us
    if cut_off is None or cut_off > now_us():
        raise Invalid("The event's cut-off has not come yet.")
    try:
        run = await runs.begin(ledger_of(request), cut_off, 100, actor=caller.actor)
    except Conflict:
        return await _page(
            request, session, at, wrong={"": N_("Another settlement is open: finish or cancel it first.")}
        )
    await runs.freeze(ledger_of(request), run.id, actor=caller.actor)
    return RedirectResponse(f"/admin/settlements/{run.id}", 303)


async def _event(request: Request, caller: Caller, event: UUID) -> Event:
    async with context_of(request).reader.connect() as connection:
        at = await event_named(connection, event)
    caller.require_venue(at.venue)
    return at


def _back(at: Event) -> Response:
    return RedirectResponse(f"/admin/events/{at.id}/closing", 303)


async def _page(
    request: Request,
    session: SignedIn,
    at: Event,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, venue = await the_network(connection), (await venues(connection))[at.venue]
        closing, tills = await closing_of(connection, at.id), await terminals_of(connection, at)
    now = now_us()
    due = closing.cut_off_us if closing.cut_off_us is not None else at.ends_at_us
    return render_admin(
        request,
        session,
        "eventclosing/closing.html",
        place="/admin/events",
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=f"/admin/events/{at.id}/closing",
        event=at,
        venue=venue,
        closing=closing,
        tills=tills,
        delivered={it.id: _DELIVERED[delivered(it.seen_at_us, it.waiting, due)] for it in tills if it.chosen},
        over=due <= now,
        today=local_time(now, venue.zone).date(),
        due=due,
        may_settle=closing.cut_off_us is not None and closing.cut_off_us <= now,
        typed=form.filled(closing, venue.zone) if typed is None else typed,
        wrong=wrong or {},
    )
