"""Which tickets does this counter sell, and what did it sell? And of an event: who else sells its places?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.counter import counter_of
from app.currencies.service import currencies
from app.events.rules import PLACES_MAX, Event, Price, sellable
from app.events.service import event_named, events
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.ticketcounter import service
from app.ticketcounter.quotas import Quota, quotas_of, set_quota
from app.ticketcounter.reading import Sold, sold_here
from app.ticketcounter.service import Wish
from app.venues.service import Venue, the_network, venues
from app.web import N_, Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/ticket-counter"
PARTNERS: Final = "/admin/events/{event}/partners"
Line = Annotated[str, Form(max_length=300)]
WRONG: Final[Mapping[str, str]] = {
    "sold-out": N_("There are not that many places left."),
    "quota-full": N_("Your venue has sold what it was given of these."),
    "not-on-sale": N_("These places are not sold now."),
    "price-had": N_("This card has as many places at this price as one may."),
    "price-for-others": N_("This price is for members or helpers, and this card is neither."),
    "card-blocked": N_("This card is blocked."),
    "not-undone": N_("The event is over, or a ticket of it was used, given back or handed on: it stays."),
    "idempotency-key-reused": N_("Load this page again."),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A price that may be sold here. `left`: places; None: nobody counts them. `partner`: whose event it is, if not of
    the counter's own venue."""

    event: Event
    price: Price
    text: str
    left: int | None
    partner: Venue | None


@router.get(HERE)
async def ticket_counter_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    venue: Annotated[UUID | None, Query()] = None,
    done: Annotated[UUID | None, Query()] = None,
) -> Response:
    return await _page(request, caller, session, venue, {}, done=done)


@router.post(HERE)
async def sell_tickets(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    price: Line = "",
    places: Line = "",
    card: Line = "",
) -> Response:
    """From the card that lies there. The same form sent twice sells once."""
    texts = texts_of(request)
    typed = {"price": price, "places": places.strip(), "card": card}
    counter = await counter_of(request, caller, card, venue)
    chosen = next((it for it in await _tiles(request, counter.venue) if str(it.price.id) == price), None)
    wrong: dict[str, str] = {}
    if chosen is None:
        wrong["price"] = texts.gettext("Choose what is sold.")
    if not (typed["places"].isascii() and typed["places"].isdecimal() and 0 < int(typed["places"]) <= PLACES_MAX):
        wrong["places"] = texts.gettext("Write a number from 1 to %(most)s.", most=PLACES_MAX)
    if counter.card is None:
        wrong["card"] = texts.gettext("No single card matches this. Check what is printed on it.")
    if not wrong and chosen is not None and counter.card is not None:
        wish = Wish(id, chosen.event.id, chosen.price.id, int(typed["places"]), counter.card, counter.venue.id)
        try:
            await service.sell(ledger_of(request), caller.actor, wish)
        except DomainError as error:
            wrong[""] = _told(error, counter.currencies[chosen.price.currency].text, texts)
    if wrong:
        return await _page(request, caller, session, venue, typed, wrong)
    return RedirectResponse(f"{HERE}?venue={counter.venue.id}&done={id}", 303)


@router.post(f"{HERE}/{{order}}/undo")
async def undo_tickets(
    request: Request, caller: Caller, session: SignedIn, order: UUID, venue: Annotated[UUID, Form()]
) -> Response:
    counter = await counter_of(request, caller, "", venue)
    try:
        await service.undo(ledger_of(request), caller.actor, order, counter.venue.id)
    except DomainError as error:
        if error.code not in WRONG:
            raise
        wrong = {"": texts_of(request).gettext(WRONG[error.code])}
        return await _page(request, caller, session, venue, {}, wrong)
    return RedirectResponse(f"{HERE}?venue={counter.venue.id}", 303)


@router.get(PARTNERS)
async def event_partners_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    return await _partners(request, caller, session, event, {})


@router.post(PARTNERS)
async def set_event_partner(
    request: Request,
    caller: Caller,
    session: SignedIn,
    event: UUID,
    price: Annotated[UUID, Form()],
    partner: Annotated[UUID, Form()],
    places: Line = "",
) -> Response:
    texts, typed = texts_of(request), {"price": str(price), "partner": str(partner), "places": places.strip()}
    async with context_of(request).reader.connect() as connection:
        caller.require_venue((await event_named(connection, event)).venue)
    wrong = {}
    if not (typed["places"].isascii() and typed["places"].isdecimal() and len(typed["places"]) < 7):
        wrong["places"] = texts.gettext("Write a whole number; 0 takes the quota away.")
    else:
        try:
            async with context_of(request).engine.begin() as connection:
                await set_quota(connection, caller.actor, event, price, partner, int(typed["places"]))
        except DomainError as error:
            if error.code != "quota-sold":
                raise
            sold = error.extra["sold"]
            wrong["places"] = texts.gettext("%(sold)s are sold already: no fewer than that.", sold=sold)
    if wrong:
        return await _partners(request, caller, session, event, typed, wrong)
    return RedirectResponse(f"/admin/events/{event}/partners", 303)


async def _tiles(request: Request, at: Venue) -> list[Tile]:
    """What this venue's counter may sell now: its own first, by date."""
    now, language = now_us(), texts_of(request).language
    async with context_of(request).reader.connect() as connection:
        found = await events(connection, statuses=["published"], ends_after_us=now)
        quotas = {it.price: it for it in await quotas_of(connection, venue=at.id)}
        known, places = await currencies(connection), await venues(connection)
    tiles = [
        Tile(
            one,
            price,
            known[price.currency].text(price.amount, language) if price.amount else "",
            _left(one, price, quotas.get(price.id)),
            None if one.venue == at.id else places[one.venue],
        )
        for one in found.values()
        for price in one.prices
        if sellable(one, price, "till", now) and (one.venue == at.id or price.id in quotas)
    ]
    return sorted(tiles, key=lambda it: (it.partner is not None, it.event.starts_at_us, it.price.position))


def _left(at: Event, price: Price, quota: Quota | None) -> int:
    here = at.left_at(price)
    counts = [at.left, *([] if here is None else [here]), *([] if quota is None else [quota.left])]
    return max(0, min(counts))


def _told(error: DomainError, text: Any, texts: Texts) -> str:
    if error.code == "insufficient-funds":
        return texts.gettext(
            "%(amount)s is missing on this card: top it up first.",
            amount=text(int(str(error.extra["missing"])), texts.language),
        )
    if error.code not in WRONG:
        raise error
    return texts.gettext(WRONG[error.code])


async def _page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    venue: UUID | None,
    typed: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    done: UUID | None = None,
) -> Response:
    counter, language = await counter_of(request, caller, typed.get("card", ""), venue), texts_of(request).language
    tiles = await _tiles(request, counter.venue)
    shown = {it.event.id: it.event for it in tiles}
    async with context_of(request).reader.connect() as connection:
        sold: list[Sold] = await sold_here(connection, counter.venue.id)
    return render_admin(
        request,
        session,
        "ticketcounter/counter.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=counter.network.name,
        here=HERE,
        counter=counter,
        groups=[(one, [it for it in tiles if it.event.id == id_]) for id_, one in shown.items()],
        sold=[(it, counter.currencies[it.currency].text(it.amount, language)) for it in sold],
        just=next((it for it in sold if it.order == done), None),
        id=uuid7(),
        most=PLACES_MAX,
        typed=typed,
        wrong=wrong or {},
    )


async def _partners(
    request: Request,
    caller: Caller,
    session: SignedIn,
    event: UUID,
    typed: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        it = await event_named(connection, event)
        caller.require_venue(it.venue)
        network, places = await the_network(connection), await venues(connection)
        quotas = await quotas_of(connection, [event])
    return render_admin(
        request,
        session,
        "ticketcounter/partners.html",
        place="/admin/events",
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=f"/admin/events/{event}/partners",
        event=it,
        venue=places[it.venue],
        quotas=[(one, places[one.venue], it.price(one.price)) for one in quotas],
        prices=[one for one in it.prices if one.channel in {"any", "till"}],
        partners=[one for one in places.values() if one.id != it.venue],
        typed=typed,
        wrong=wrong or {},
    )
