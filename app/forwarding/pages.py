"""A holder hands a ticket on by a link, and a friend takes it: onto a card, or onto the link's own page."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from uuid import UUID

import segno
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import cards_described
from app.cards.visits import require_tap
from app.events.tickets import Ticket
from app.forwarding import service
from app.forwarding.service import Forward
from app.guests.letters import named_by, token_of
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, NotFound
from app.platform.limits import RateLimit, client_address
from app.rules.tickets import encode
from app.venues.service import the_network, venue_named
from app.web import N_, render

router = APIRouter(include_in_schema=False)

# What a link does: one for one thing opens no other.
PURPOSE: Final = b"comptoir-forward-1"
OFFERED = RateLimit("ticket-forwards", "30/minute")
TRIES: Final = RateLimit("forward", "30/minute")
_WHY: Final = {
    "ticket-used": N_("It was used at the door already."),
    "ticket-kept": N_("It was given to you in person, is part of a pass, or no longer counts."),
    "forward-over": N_("Somebody has taken it, or it is no longer offered. Ask who sent it."),
    "own-ticket": N_("The ticket is on this card already."),
    "price-for-others": N_("This price is for members or helpers: your card is neither. Ask who sent it."),
    "card-needed": N_("Each card has so many places at this price: put the ticket on yours."),
    "price-had": N_("This card has as many places at this price as one may."),
    "card-blocked": N_("This card is blocked."),
}


@router.get("/c/{token}/tickets/{ticket}/forward")
async def forward_ticket_page(request: Request, token: str, ticket: UUID) -> Response:
    return await _holder_page(request, token, ticket)


@router.post("/c/{token}/tickets/{ticket}/forward")
async def offer_ticket(request: Request, token: str, ticket: UUID) -> Response:
    """Once: the same form sent again gives the same link."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    OFFERED.check(request, str(card.id))
    try:
        await service.offer(context_of(request).engine, ticket, card.wallet)
    except Conflict as error:
        return await _holder_page(request, token, ticket, error)
    return RedirectResponse(f"/c/{token}/tickets/{ticket}/forward", 303)


@router.post("/c/{token}/tickets/{ticket}/forward/withdraw")
async def keep_ticket(request: Request, token: str, ticket: UUID) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    await service.withdraw(context_of(request).engine, ticket, card.wallet)
    return RedirectResponse(f"/c/{token}/tickets/{ticket}/forward", 303)


@router.get("/forward/{which}")
async def forwarded_ticket_page(request: Request, which: str) -> Response:
    """Looking takes nothing: mail scanners and messengers look at every address."""
    return await _friend_page(request, await _named(request, which), which)


@router.post("/forward/{which}")
async def take_forwarded_ticket(request: Request, which: str) -> Response:
    it = await _named(request, which)
    TRIES.check(request, client_address(request))
    form = await request.form()
    typed, card = str(form.get("card") or "").strip(), None
    if form.get("onto") == "card":
        async with context_of(request).reader.connect() as connection:
            found = await cards_described(connection, typed) if typed else []
        if len(found) != 1:
            # Where several answer to what was typed, it is nobody's.
            return await _friend_page(request, it, which, typed=typed, unknown=True)
        card = found[0]
    try:
        await service.take(ledger_of(request), it.id, card)
    except DomainError as error:
        return await _friend_page(request, await _named(request, which), which, typed=typed, error=error)
    return RedirectResponse(f"/forward/{which}", 303)


async def _holder_page(request: Request, token: str, of: UUID, error: Conflict | None = None) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    context = context_of(request)
    async with context.reader.connect() as connection:
        it = await service.ticket_offered(connection, of)
        if it.ticket.wallet != card.wallet:
            raise NotFound("There is no such ticket.")
        network, venue = await the_network(connection), await venue_named(connection, it.event.venue)
        known = await service.open_forward(connection, of)
        if known is None and error is None:
            try:
                await service.require_forwardable(connection, it, now_us())
            except Conflict as why:
                error = why
    address = "" if known is None else _link(request, known)
    return render(
        request,
        "forwarding/offer.html",
        status_code=409 if error else 200,
        headers={"Cache-Control": "no-store"},
        network_name=network.name,
        home=f"/c/{card.token}",
        it=it,
        zone=venue.zone,
        address=address,
        code=_drawn(address) if address else "",
        why=_WHY.get(error.code) if error else None,
    )


async def _friend_page(
    request: Request,
    it: Forward,
    which: str,
    *,
    typed: str = "",
    unknown: bool = False,
    error: DomainError | None = None,
) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        old = await service.ticket_offered(connection, it.ticket)
        network, venue = await the_network(connection), await venue_named(connection, old.event.venue)
        new = None if it.new_ticket is None else (await service.ticket_offered(connection, it.new_ticket)).ticket
    # Whoever has the link of a ticket that lies on a card reads nothing about that card.
    shown: Ticket | None = new if it.address is not None else None
    return render(
        request,
        "forwarding/take.html",
        status_code=409 if error or unknown else 200,
        headers={"Cache-Control": "no-store"},
        network_name=network.name,
        it=it,
        which=which,
        event=old.event,
        price=old.event.price(old.ticket.price),
        venue=venue,
        standing=old.event.standing(now_us()),
        shown=shown,
        code=_drawn(encode(old.event.id, shown.id, context.keys.signing)) if shown else "",
        typed=typed,
        unknown=unknown,
        why=_WHY.get(error.code, N_("Load this page again.")) if error else None,
    )


def _link(request: Request, it: Forward) -> str:
    context = context_of(request)
    return f"{context.settings.base_url.rstrip('/')}/forward/{token_of(context.keys.token, it.id, PURPOSE)}"


async def _named(request: Request, which: str) -> Forward:
    id_ = named_by(context_of(request).keys.token, which, PURPOSE)
    if id_ is None:
        TRIES.check(request, client_address(request))
        raise NotFound("There is no such offer.")
    async with context_of(request).reader.connect() as connection:
        return await service.forward_named(connection, id_)


@lru_cache(maxsize=256)
def _drawn(text: str) -> str:
    """An SVG to stand in a page."""
    return segno.make(text, error="m").svg_inline(border=4, light="#fff", omitsize=True)
