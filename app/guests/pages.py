"""Standing in line for places of an event, on a holder's phone, and going by the link of a message."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.conditions.service import known_of
from app.events.rules import Event
from app.events.service import event_at, event_named
from app.guests import waiting
from app.guests.letters import named_by
from app.guests.offering import offer_now
from app.guests.rules import WAIT_MAX, State, Waiting
from app.guests.waiting import Wish
from app.ledger.service import ledger_of
from app.mail.rules import address
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.platform.limits import RateLimit, client_address
from app.rules.entitlement import entitled
from app.venues.service import the_network
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

JOINED: Final = RateLimit("waiting-list", "30/minute")
TRIES: Final = RateLimit("waiting-leave", "30/minute")


class WishBody(BaseModel):
    """`email`: where to tell; null: the card's pages alone do."""

    model_config = ConfigDict(extra="forbid")

    event: UUID
    price: UUID
    places: Annotated[int, Field(ge=1, le=WAIT_MAX, strict=True)]
    email: Annotated[str, Field(max_length=254)] | None = None


class PlaceInLine(BaseModel):
    """`order`: the places that are kept, once they are offered."""

    state: State
    turn: int
    places: int
    order: UUID | None


@router.post("/c/{token}/events/{slug}/waiting")
async def join_line_from_page(request: Request, token: str, slug: str) -> Response:
    """Where there are places after all, the page shows them."""
    card = await _mine(request, token)
    form = await request.form()
    async with context_of(request).reader.connect() as connection:
        at = await event_at(connection, slug)
    here = RedirectResponse(f"/c/{token}/events/{slug}", 303)
    try:
        price, places = UUID(str(form.get("price"))), int(str(form.get("places")))
    except ValueError:
        raise NotFound from None
    typed = str(form.get("email") or "").strip()
    email = address(typed) if typed else None
    if typed and email is None:
        return RedirectResponse(f"/c/{token}/events/{slug}?waiting=email", 303)
    try:
        await _join(request, card, at, price, places, email)
    except Conflict as error:
        if error.code not in {"places-free", "not-on-sale"}:
            raise
    return here


@router.post("/c/{token}/events/{slug}/waiting/leave")
async def leave_line_from_page(request: Request, token: str, slug: str) -> Response:
    card = await _mine(request, token)
    async with context_of(request).reader.connect() as connection:
        at = await event_at(connection, slug)
    await _leave(request, at.id, card)
    return RedirectResponse(f"/c/{token}/events/{slug}", 303)


@router.post("/c/{token}/waiting")
async def join_line(request: Request, token: str, body: WishBody) -> PlaceInLine:
    """Conflict("places-free", "not-on-sale"), Forbidden("price-for-others", "card-blocked")."""
    card = await _mine(request, token)
    async with context_of(request).reader.connect() as connection:
        at = await event_named(connection, body.event)
    email = None if body.email is None else address(body.email)
    if body.email is not None and email is None:
        raise Invalid("This is no e-mail address.", field="email")
    return _told(await _join(request, card, at, body.price, body.places, email))


@router.get("/c/{token}/waiting/{event}")
async def show_place_in_line(request: Request, token: str, event: UUID) -> PlaceInLine:
    card = await card_behind(request, token)
    await require_tap(request, card)
    async with context_of(request).reader.connect() as connection:
        found = await waiting.place_in_line(connection, event, card.wallet)
    if found is None:
        raise NotFound("This card is not in line.")
    return _told(found)


@router.delete("/c/{token}/waiting/{event}", status_code=204)
async def leave_line(request: Request, token: str, event: UUID) -> None:
    """Again changes nothing."""
    await _leave(request, event, await _mine(request, token))


@router.get("/waiting/{which}")
async def leave_by_mail_page(request: Request, which: str) -> Response:
    """Looking ends nothing: mail scanners look at every address."""
    return await _by_mail(request, await _named(request, which), which, gone=False)


@router.post("/waiting/{which}")
async def leave_by_mail(request: Request, which: str) -> Response:
    it = await _named(request, which)
    await waiting.leave(context_of(request).engine, it)
    await offer_now(context_of(request), it.event)
    return await _by_mail(request, it, which, gone=True)


async def _mine(request: Request, token: str) -> Card:
    card = await card_behind(request, token)
    await require_tap(request, card)
    JOINED.check(request, str(card.id))
    return card


async def _join(request: Request, card: Card, at: Event, price: UUID, places: int, email: str | None) -> Waiting:
    context, wanted = context_of(request), at.price(price)
    if wanted is None:
        raise NotFound("There is no such price.")
    if not entitled(wanted.condition, wanted.least, await known_of(ledger_of(request), card, at)):
        raise Forbidden("This price is for others.", "price-for-others")
    language = texts_of(request).language
    wish = Wish(price, places, email, "en" if language == "en" else "fr")
    made = await waiting.join(context.engine, at.id, card, wish)
    # There may be places that nobody in line could use.
    await offer_now(context, at.id)
    async with context.engine.connect() as connection:
        return await waiting.waiting_named(connection, made.id)


async def _leave(request: Request, event: UUID, card: Card) -> None:
    async with context_of(request).reader.connect() as connection:
        found = await waiting.place_in_line(connection, event, card.wallet)
    if found is not None:
        await waiting.leave(context_of(request).engine, found)
        await offer_now(context_of(request), event)


async def _named(request: Request, which: str) -> Waiting:
    id_ = named_by(context_of(request).keys.token, which)
    if id_ is None:
        TRIES.check(request, client_address(request))
        raise NotFound
    async with context_of(request).reader.connect() as connection:
        return await waiting.waiting_named(connection, id_)


async def _by_mail(request: Request, it: Waiting, which: str, *, gone: bool) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await event_named(connection, it.event)
    # Places that are paid are not a line to leave.
    over = it.state not in waiting.OPEN
    return render(request, "guests/leave.html", network_name=network.name, event=at, which=which, gone=gone or over)


def _told(it: Waiting) -> PlaceInLine:
    return PlaceInLine(state=it.state, turn=it.turn, places=it.places, order=it.order_id)
