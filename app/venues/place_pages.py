"""Where cards are taken and topped up, for everybody; and the form in which a venue says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.database import one_by_one
from app.rules.business_day import local_time
from app.venues import offer, place_form, places, service
from app.venues.hours_form import DAYS
from app.venues.opening import Opening, Span, now_of
from app.venues.places import Place
from app.venues.selling_pages import HERE, typed_in
from app.venues.service import Venue
from app.web import N_, Texts, dates, render, texts_of

router = APIRouter(include_in_schema=False)

TOP_UP_TEXTS: Final = {"cash": N_("in cash"), "bank_card": N_("by bank card")}
# It says the same to everybody, and nothing in it is worth asking for more often.
CACHED: Final = "public, max-age=60"
SHOWN_DAYS: Final = 60


@router.get("/places")
async def places_page(request: Request) -> Response:
    # A choice of language sets a cookie, which no shared cache may hand on.
    cached = CACHED if "lang" not in request.query_params else "private, no-cache"
    return await places_told(request, headers={"Cache-Control": cached})


async def places_told(request: Request, *, headers: Mapping[str, str], home: str = "") -> Response:
    """The page of all venues. `home`: the card's page that it was reached from, to go back to."""
    texts, now = texts_of(request), now_us()
    async with one_by_one(context_of(request).reader).connect() as connection:
        network, known = await service.the_network(connection), await currencies(connection)
        at, said = await service.venues(connection), await places.places(connection)
    rows = []
    for it in at.values():
        if not it.accepted:
            continue
        place = said.get(it.id, Place())
        rows.append(
            {
                "venue": it,
                "place": place,
                "takes": [known[code].names[texts.language] for code in known if code in it.accepted],
                "tops_up": [texts.gettext(TOP_UP_TEXTS[one]) for one in place.tops_up],
                **_when(place.opening, it, now, texts),
            }
        )
    # Who wants to go somewhere now reads from the top.
    rows.sort(key=lambda row: not row["open"])
    return render(request, "venues/places.html", headers=headers, network_name=network.name, rows=rows, home=home)


def _when(it: Opening, at: Venue, now: int, texts: Texts) -> dict[str, Any]:
    """Whether it is open, and how that is said: {open, said, week, days}."""
    state, today = now_of(it, now, at.zone), local_time(now, at.zone).date()
    said = ""
    if state.until is not None:
        said = texts.gettext("Open now, until %(clock)s", clock=dates.clock(state.until, texts))
    elif state.next is not None:
        said = texts.gettext("Closed, opens %(when)s", when=_then(state.next, today, texts))
    elif it.told:
        said = texts.gettext("Closed")
    until = today + timedelta(days=SHOWN_DAYS)
    return {
        "open": state.until is not None,
        "told": it.told,
        "said": said,
        "week": [(texts.gettext(name), _spans(it.weekly.get(day, ()), texts)) for day, name in enumerate(DAYS)],
        "days": [
            (dates.day_in_words(day, today, texts), _spans(spans, texts))
            for day, spans in sorted(it.days.items())
            if today <= day <= until
        ],
    }


def _then(at: datetime, today: date, texts: Texts) -> str:
    return texts.gettext(
        "%(day)s, %(clock)s", day=dates.day_in_words(at.date(), today, texts), clock=dates.clock(at, texts)
    )


def _spans(spans: tuple[Span, ...], texts: Texts) -> str:
    day = date(2000, 1, 1)
    told = [
        f"{dates.clock(datetime.combine(day, a), texts)} – {dates.clock(datetime.combine(day, b), texts)}"
        for a, b in spans
    ]
    return ", ".join(told) or texts.gettext("shut")


@router.get(f"{HERE}/{{venue}}/place")
async def place_page(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at, was = await service.venue_named(connection, venue), await places.place_of(connection, venue)
        return await _form(request, session, connection, at, was, place_form.filled(was, texts_of(request)), {})


@router.post(f"{HERE}/{{venue}}/place")
async def change_place(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    texts, typed = texts_of(request), await typed_in(request)
    async with context_of(request).engine.begin() as connection:
        await offer.held(connection)
        at, was = await service.venue_named(connection, venue), await places.place_of(connection, venue)
        now, wrong = place_form.understood(typed, texts)
        if typed.get("seen") != was.mark:
            wrong[""] = texts.gettext("Somebody else changed this meanwhile. Look at yours again, then save.")
        if wrong:
            return await _form(request, session, connection, at, was, typed, wrong)
        await places.change_place(connection, session.principal.actor, venue, was, now)
    return RedirectResponse(f"{HERE}?venue={venue}", 303)


async def _form(
    request: Request,
    session: SignedIn,
    connection: AsyncConnection,
    venue: Venue,
    was: Place,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
) -> Response:
    network = await service.the_network(connection)
    return render_admin(
        request,
        session,
        "venues/place.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        venue=venue,
        seen=was.mark,
        days=DAYS,
        tops_up=TOP_UP_TEXTS,
        typed=typed,
        wrong=wrong,
    )
