"""Who comes to an event without buying a place: who waits, as a number and an order, and whom the venue invites."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from app.cards.service import Card, cards_described
from app.events.service import event_named
from app.guests import waiting
from app.guests.api import link_of, require_own, require_seen, runs
from app.guests.invitations import AT_ONCE_MAX, Guest, invitation_named, invitations_of, invite, listed, withdraw
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid, NotFound
from app.rules.ids import uuid7
from app.venues.service import the_network, venue_named
from app.web import texts_of
from app.web.sheets import as_csv

router = APIRouter(include_in_schema=False)

PLACE: Final = "/admin/box-office"


@router.get("/admin/events/{event}/guests")
async def guests_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    return await _page(request, caller, session, event)


@router.post("/admin/events/{event}/guests")
async def give_invitations(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    """A place for each name, one a line: by links, or the one onto a card. The same form again gives nothing twice."""
    engine, form = context_of(request).engine, await request.form()
    names = [line.strip() for line in str(form.get("names") or "").splitlines() if line.strip()]
    typed = {name: str(form.get(name) or "") for name in ("names", "price", "card")}
    try:
        id_, price = UUID(str(form.get("id"))), UUID(typed["price"])
    except ValueError:
        raise NotFound from None
    try:
        async with engine.connect() as connection:
            require_own(caller, await event_named(connection, event))
            card = await _card(connection, typed["card"].strip())
        if not names or len(names) > AT_ONCE_MAX:
            raise Invalid(f"One to {AT_ONCE_MAX} names, one a line.", field="names")
        if card is not None and len(names) > 1:
            raise Invalid("One name for one card.", field="names")
        for place, name in enumerate(names):
            await invite(engine, caller.actor, event, Guest(uuid5(id_, str(place)), price, name, card))
    except DomainError as error:
        return await _page(request, caller, session, event, error, typed)
    return RedirectResponse(f"/admin/events/{event}/guests", 303)


@router.post("/admin/events/{event}/guests/{invitation}/withdraw")
async def withdraw_invitation_from_page(
    request: Request, caller: Caller, session: SignedIn, event: UUID, invitation: UUID
) -> Response:
    async with context_of(request).reader.connect() as connection:
        require_own(caller, await event_named(connection, event))
        it = await invitation_named(connection, invitation)
    if it.event != event:
        raise NotFound
    try:
        await withdraw(context_of(request).engine, caller.actor, it)
    except DomainError as error:
        return await _page(request, caller, session, event, error)
    return RedirectResponse(f"/admin/events/{event}/guests", 303)


@router.get("/admin/events/{event}/guests.csv")
async def guest_list(request: Request, caller: Caller, event: UUID) -> Response:
    """The names that the door has, for whoever has no terminal there."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        at = await event_named(connection, event)
        require_own(caller, at)
        rows = await listed(connection, event)
    _ = texts.gettext
    told: list[tuple[object, ...]] = [(_("Guest"), _("Price"), _("Ticket"))]
    for name, price, serial in rows:
        known = at.price(price)
        told.append((name, known.name(texts.language) if known else "", serial))
    return as_csv(f"{at.slug}-guests.csv", texts, told)


async def _page(
    request: Request,
    caller: Principal,
    session: SignedIn,
    event: UUID,
    error: DomainError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await event_named(connection, event)
        require_seen(caller, at)
        venue, line = await venue_named(connection, at.venue), await waiting.line_of(connection, event)
        invited = await invitations_of(connection, event) if runs(caller, at) else []
    going = at.status == "published" and now_us() < at.ends_at_us
    return render_admin(
        request,
        session,
        "guests/guests.html",
        status_code=409 if error else 200,
        place=PLACE,
        network_name=network.name,
        event=at,
        venue=venue,
        line=line,
        wanted=sum(it.places for it in line if it.state == "waiting"),
        kept=sum(it.places for it in line if it.state == "offered"),
        own=runs(caller, at),
        going=going,
        free=[it for it in at.prices if it.sold_by("invitation") and not it.amount],
        invited=[(it, link_of(request, it) if it.address and it.state == "held" else "") for it in invited],
        error=error,
        typed=typed or {"names": "", "price": "", "card": ""},
        id=uuid7(),
    )


async def _card(connection: AsyncConnection, typed: str) -> Card | None:
    if not typed:
        return None
    found = await cards_described(connection, typed)
    if len(found) != 1:
        raise Invalid("No one card has this label or number.", field="card")
    return found[0]
