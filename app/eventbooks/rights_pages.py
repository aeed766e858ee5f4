"""How are authors’ rights counted? What the venue writes of its contract, for one event or for all."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.eventbooks.pages import HERE
from app.eventbooks.rights import rights_of, set_rights
from app.eventbooks.rules import Rights
from app.events.service import event_named
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.money import AmountNotUnderstood, RateNotUnderstood, Unit, format_amount, format_rate, parse_amount, parse_rate
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.venues.service import the_network, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

WRONG: Final = {
    "rate": N_("Write a rate such as 8.8, or nothing."),
    "minimum": N_("Write an amount such as 25 or 12.50."),
}
Line = Annotated[str, Form(max_length=40)]


@router.get(f"{HERE}/{{event}}/rights")
async def event_rights_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    return await _form(request, caller, session, event)


@router.post(f"{HERE}/{{event}}/rights")
async def change_event_rights(
    request: Request,
    caller: Caller,
    session: SignedIn,
    event: UUID,
    for_: Annotated[Literal["event", "venue", "none"], Form(alias="for")],
    base: Annotated[Literal["net", "gross"], Form()] = "net",
    rate: Line = "",
    minimum: Line = "",
) -> Response:
    """`for`: this event, all of the venue's that say nothing of their own, or (none) this one as the venue's others."""
    typed = {"for": for_, "base": base, "rate": rate, "minimum": minimum}
    try:
        new = None if for_ == "none" else _read(base, rate, minimum)
        async with context_of(request).engine.begin() as connection:
            it = await event_named(connection, event)
            caller.require_venue(it.venue)
            subject = None if for_ == "venue" else event
            await set_rights(connection, session.principal.actor, it.venue, subject, new)
    except Invalid as error:
        if error.extra.get("field") not in WRONG:
            raise
        return await _form(request, caller, session, event, typed=typed, wrong=str(error.extra["field"]))
    return RedirectResponse(f"{HERE}/{event}#rights", 303)


def _read(base: Literal["net", "gross"], rate: str, minimum: str) -> Rights:
    try:
        points = parse_rate(rate) if rate.strip() else None
    except RateNotUnderstood as error:
        raise Invalid("This is no rate.", field="rate") from error
    try:
        cents = parse_amount(minimum, Unit.CENT) if minimum.strip() else 0
    except AmountNotUnderstood as error:
        raise Invalid("This is no amount.", field="minimum") from error
    return Rights(base, points, cents)


async def _form(
    request: Request,
    caller: Caller,
    session: SignedIn,
    event: UUID,
    *,
    typed: dict[str, str] | None = None,
    wrong: str = "",
) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, it = await the_network(connection), await event_named(connection, event)
        caller.require_venue(it.venue)
        venue = (await venues(connection))[it.venue]
        rights, own = await rights_of(connection, it.venue, event)
    stands: dict[str, Any] = {
        "for": "event" if own else "venue",
        "base": rights.base,
        "rate": "" if rights.rate is None else format_rate(rights.rate, texts.language),
        "minimum": format_amount(rights.minimum_cents, Unit.CENT, "", texts.language).strip()
        if rights.minimum_cents
        else "",
    }
    return render_admin(
        request,
        session,
        "eventbooks/rights.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=f"{HERE}/{event}",
        event=it,
        venue=venue,
        own=own,
        typed=typed or stands,
        wrong={wrong: texts.gettext(WRONG[wrong])} if wrong else {},
    )
