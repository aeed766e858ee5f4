"""What a guest sees who opens the link of an invitation: take the place onto a card, or show its code from here."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

import segno
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import Card, cards_described
from app.events.service import event_named
from app.events.tickets import tickets_of
from app.guests import invitations
from app.guests.invitations import Invitation
from app.guests.letters import INVITED, named_by
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, NotFound
from app.platform.limits import RateLimit, client_address
from app.rules.tickets import encode
from app.venues.service import the_network, venue_named
from app.web import render

router = APIRouter(include_in_schema=False)

TRIES: Final = RateLimit("invitation", "30/minute")


@router.get("/invitation/{which}")
async def invitation_page(request: Request, which: str) -> Response:
    """Looking takes nothing: mail scanners look at every address."""
    return await _page(request, await _named(request, which), which)


@router.post("/invitation/{which}")
async def take_invitation(request: Request, which: str) -> Response:
    it = await _named(request, which)
    TRIES.check(request, client_address(request))
    form = await request.form()
    typed = str(form.get("card") or "").strip()
    try:
        async with context_of(request).reader.connect() as connection:
            at = await event_named(connection, it.event)
            card = None
            if form.get("onto") == "card":
                found = await cards_described(connection, typed) if typed else []
                card = _only(found)
                if card is None:
                    return await _page(request, it, which, unknown=True)
        await invitations.take(context_of(request).engine, it, at, card)
    except DomainError as error:
        return await _page(request, await _named(request, which), which, error=error)
    return RedirectResponse(f"/invitation/{which}", 303)


def _only(found: list[Card]) -> Card | None:
    """Where several answer to what was typed, it is nobody's."""
    return found[0] if len(found) == 1 else None


async def _named(request: Request, which: str) -> Invitation:
    id_ = named_by(context_of(request).keys.token, which, INVITED)
    if id_ is None:
        TRIES.check(request, client_address(request))
        raise NotFound
    async with context_of(request).reader.connect() as connection:
        return await invitations.invitation_named(connection, id_)


async def _page(
    request: Request, it: Invitation, which: str, *, unknown: bool = False, error: DomainError | None = None
) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        network, at = await the_network(connection), await event_named(connection, it.event)
        venue = await venue_named(connection, at.venue)
        here = [one for one in await tickets_of(connection, it.wallet) if one.order_id == it.order_id]
    # Whoever has the link of a place that lies on a card reads nothing about that card.
    codes = [] if it.on_card else [(one, _code(encode(at.id, one.id, context.keys.signing))) for one in here]
    return render(
        request,
        "guests/invitation.html",
        status_code=409 if error or unknown else 200,
        network_name=network.name,
        it=it,
        which=which,
        event=at,
        venue=venue,
        price=at.price(it.price),
        standing=at.standing(now_us()),
        codes=codes,
        onto_card=it.on_card,
        unknown=unknown,
        error=error,
    )


@lru_cache(maxsize=256)
def _code(text: str) -> str:
    """An SVG to stand in a page."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=8, border=4, light="#fff", omitsize=True, xmldecl=False)
    return out.getvalue().decode()
