"""What is on, and what is it like? A venue's events: the list, the form of one, its prices, its dates and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.artists.service import artists
from app.currencies.service import Currency, currencies
from app.eventdesk import form, series
from app.eventdesk.dates import EVERY, Every, again, local
from app.events import service
from app.events.rules import Event, Price
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.money import format_rate
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, NotFound
from app.rules.ids import derived, uuid7
from app.venues.service import Network, Venue, the_network, venues
from app.web import N_, texts_of
from app.web.dates import moment

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/events"
# Of what is over, the newest are listed.
PAST_MAX: Final = 40
EVERY_TEXTS: Final[Mapping[Every, str]] = {
    "week": N_("every week"),
    "2weeks": N_("every second week"),
    "4weeks": N_("every fourth week"),
    "month": N_("every month, on the same weekday (such as the second Friday)"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What every page of one event shows. `dates`: those of its series, itself among them."""

    network: Network
    event: Event
    venue: Venue
    known: Mapping[str, Currency]
    dates: list[Event]

    @property
    def zone(self) -> str:
        return self.venue.zone

    def price(self, id_: UUID) -> Price:
        found = self.event.price(id_)
        if found is None:
            raise NotFound("There is no such price.")
        return found


@router.get(HERE)
async def events_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        seen = [it for it in (await service.events(connection)).values() if caller.may_see_venue(it.venue)]
    coming = [it for it in seen if it.ends_at_us > now and it.status == "published"]
    return render_admin(
        request,
        session,
        "eventdesk/events.html",
        place=HERE,
        network_name=network.name,
        sections=[
            ("coming", N_("Coming"), coming),
            ("drafts", N_("Drafts: nobody sees them yet"), [it for it in seen if it.status == "draft"]),
            ("cancelled", N_("Cancelled"), [it for it in reversed(seen) if it.status == "cancelled"][:PAST_MAX]),
            ("past", N_("Over"), [it for it in reversed(seen) if it.standing(now) == "past"][:PAST_MAX]),
        ],
        venues=at,
        several=len({it.venue for it in seen}) > 1,
        now=now,
    )


@router.get(f"{HERE}/new")
async def new_event_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        own = _own(caller, await venues(connection))
    return await _form(request, caller, session, None, {"of": str(own[0].id), "id": str(uuid7())}, {}, ())


@router.post(f"{HERE}/new")
async def make_event(request: Request, caller: Caller, session: SignedIn) -> Response:
    """The same form sent twice makes one."""
    typed, chosen = await _sent(request)
    async with context_of(request).engine.begin() as connection:
        own = {str(it.id): it for it in _own(caller, await venues(connection))}
        at = own.get(typed.get("of", "")) or next(iter(own.values()))
        new, wrong = form.understood(_id(typed), typed, at, chosen, texts_of(request))
        if new is not None and not await service.events(connection, ids=[new.id]):
            await service.create(connection, caller.actor, new)
    if new is None:
        return await _form(request, caller, session, None, typed, wrong, chosen)
    return RedirectResponse(f"{HERE}/{new.id}", 303)


@router.get(f"{HERE}/{{event}}")
async def event_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    at = await _shown(request, caller, event)
    return await _page(request, session, at)


@router.get(f"{HERE}/{{event}}/edit")
async def event_form(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    at = await _shown(request, caller, event)
    typed = form.filled(at.event, at.zone, texts_of(request).language)
    return await _form(request, caller, session, at, typed, {}, at.event.artists)


@router.post(f"{HERE}/{{event}}/edit")
async def change_event(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    """This date, or with it those of the series that come after."""
    at, texts = await _shown(request, caller, event), texts_of(request)
    typed, chosen = await _sent(request)
    now, wrong = form.understood(event, typed, at.venue, chosen, texts)
    if now is not None:
        now = _kept(now, at.event)
        others = series.coming(at.dates, at.event) if typed.get("all") else []
        try:
            async with context_of(request).engine.begin() as connection:
                await series.edit_all(connection, caller.actor, at.event, now, at.zone, others)
        except Conflict as error:
            wrong = _refused(error, at, texts_of(request))
    if wrong:
        return await _form(request, caller, session, at, typed, wrong, chosen)
    return RedirectResponse(f"{HERE}/{event}", 303)


@router.post(f"{HERE}/{{event}}/publish")
async def publish_event_page(
    request: Request, caller: Caller, session: SignedIn, event: UUID, all: Annotated[str, Form(max_length=8)] = ""
) -> Response:
    at = await _shown(request, caller, event)
    try:
        async with context_of(request).engine.begin() as connection:
            await service.publish(connection, caller.actor, event)
            if all:
                await series.publish_all(connection, caller.actor, at.dates)
    except Conflict:
        return await _page(request, session, at, N_("An event that is over or cancelled is not published."))
    return RedirectResponse(f"{HERE}/{event}", 303)


@router.get(f"{HERE}/{{event}}/cancel")
async def cancel_event_form(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    at = await _shown(request, caller, event)
    return render_admin(request, session, "eventdesk/cancel.html", place=HERE, **_common(at))


@router.post(f"{HERE}/{{event}}/cancel")
async def cancel_event_page(request: Request, caller: Caller, event: UUID) -> Response:
    await _shown(request, caller, event)
    async with context_of(request).engine.begin() as connection:
        await service.cancel(connection, caller.actor, event)
    return RedirectResponse(f"{HERE}/{event}", 303)


@router.get(f"{HERE}/{{event}}/repeat")
async def repeat_event_form(
    request: Request, caller: Caller, session: SignedIn, event: UUID, every: str = "", until: str = ""
) -> Response:
    """How often; and once that is said, the days, each to be left out or taken."""
    at, texts = await _shown(request, caller, event), texts_of(request)
    found, wrong = list[date](), ""
    if every or until:
        last = _day(until)
        if every not in EVERY or last is None:
            wrong = texts.gettext("Choose how often, and write the last day.")
        else:
            first = local(at.event.starts_at_us, at.zone).date()
            there = {local(it.starts_at_us, at.zone).date() for it in at.dates}
            found = [it for it in again(first, every, last) if it not in there]
            wrong = "" if found else texts.gettext("There is no further day until then.")
    return render_admin(
        request,
        session,
        "eventdesk/repeat.html",
        place=HERE,
        status_code=422 if wrong else 200,
        every=every or "week",
        until=until,
        days=found,
        wrong=wrong,
        texts=EVERY_TEXTS,
        today=local(now_us(), at.zone).date(),
        **_common(at),
    )


@router.post(f"{HERE}/{{event}}/repeat")
async def repeat_event(request: Request, caller: Caller, event: UUID) -> Response:
    at = await _shown(request, caller, event)
    chosen = [day for it in (await request.form()).getlist("day") if (day := _day(it)) is not None]
    async with context_of(request).engine.begin() as connection:
        await series.repeat(connection, caller.actor, at.event, at.zone, chosen)
    return RedirectResponse(f"{HERE}/{event}#dates", 303)


@router.get(f"{HERE}/{{event}}/prices/new")
async def new_event_price_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    at = await _shown(request, caller, event)
    # Most pay in euros' worth.
    pegged = next((code for code in at.venue.accepted if at.known[code].cents_per_unit), at.venue.accepted[0])
    typed = {"vat": "0", "channel": "any", "condition": "none", "currency": pegged}
    return _price_form(request, session, at, uuid7(), typed, {})


@router.get(f"{HERE}/{{event}}/prices/{{price}}")
async def event_price_page(request: Request, caller: Caller, session: SignedIn, event: UUID, price: UUID) -> Response:
    at = await _shown(request, caller, event)
    typed = form.price_filled(at.price(price), at.known, at.zone, texts_of(request).language)
    return _price_form(request, session, at, price, typed, {})


@router.post(f"{HERE}/{{event}}/prices/{{price}}")
async def set_event_price(
    request: Request,
    caller: Caller,
    session: SignedIn,
    event: UUID,
    price: UUID,
    act: Annotated[Literal["save", "remove"], Form()] = "save",
) -> Response:
    """Made or changed, here or also on the coming dates of the series; or taken away where nobody ordered at it."""
    at, texts = await _shown(request, caller, event), texts_of(request)
    typed, _ = await _sent(request)
    accepted = {code: at.known[code] for code in at.venue.accepted}
    now, wrong = form.price_understood(price, typed, accepted, at.zone, texts)
    if act == "remove":
        wrong = {}
    try:
        if not wrong:
            async with context_of(request).engine.begin() as connection:
                if act == "remove":
                    await service.remove_price(connection, caller.actor, event, price)
                elif now is not None:
                    await service.set_price(connection, caller.actor, event, now)
                    if typed.get("all"):
                        await series.price_all(connection, caller.actor, at.event, now, at.dates)
    except Conflict as error:
        wrong = _price_refused(error, act, texts_of(request))
    if wrong:
        return _price_form(request, session, at, price, typed, wrong)
    return RedirectResponse(f"{HERE}/{event}#prices", 303)


async def _sent(request: Request) -> tuple[dict[str, str], list[UUID]]:
    """(what was typed, the artists that were chosen)."""
    sent = await request.form()
    typed = {name: value for name, value in sent.items() if isinstance(value, str)}
    return typed, [UUID(it) for it in sent.getlist("artist") if isinstance(it, str) and _is_uuid(it)]


def _kept(now: Event, before: Event) -> Event:
    """With what the form does not say; artists that were there keep their order."""
    order = {id_: place for place, id_ in enumerate(before.artists)}
    playing = tuple(sorted(now.artists, key=lambda id_: order.get(id_, len(order))))
    return replace(
        before,
        title_fr=now.title_fr,
        title_en=now.title_en,
        summary_fr=now.summary_fr,
        summary_en=now.summary_en,
        doors_at_us=now.doors_at_us,
        starts_at_us=now.starts_at_us,
        ends_at_us=now.ends_at_us,
        capacity=now.capacity,
        refund_until_us=now.refund_until_us,
        refund_fee=now.refund_fee,
        artists=playing,
    )


def _refused(error: Conflict, at: Shown, texts: Any) -> dict[str, str]:
    if error.code == "capacity-taken":
        told = texts.gettext("%(num)s places are taken already: no fewer can be.", num=error.extra["taken"])
        if "at_us" in error.extra and error.extra["at_us"] != at.event.starts_at_us:
            told += " " + texts.gettext("So it is on %(day)s.", day=moment(error.extra["at_us"], at.zone, texts))
        return {"capacity": told}
    return {"": texts.gettext("This event was cancelled: it can no longer be changed.")}


def _price_refused(error: Conflict, act: str, texts: Any) -> dict[str, str]:
    if error.code == "capacity-taken":
        told = texts.gettext("%(num)s places are taken already: no fewer can be.", num=error.extra["taken"])
        return {"quota": told}
    if act == "remove":
        return {"": texts.gettext("Places were ordered at this price. End its sale instead.")}
    return {"": texts.gettext("Places were ordered in another money, or the event was cancelled. Add another price.")}


async def _shown(request: Request, caller: Principal, event: UUID) -> Shown:
    async with context_of(request).reader.connect() as connection:
        found = await service.event_named(connection, event)
        caller.require_venue(found.venue)
        at, known = (await venues(connection))[found.venue], await currencies(connection)
        return Shown(await the_network(connection), found, at, known, await series.of_series(connection, found))


def _common(at: Shown) -> dict[str, Any]:
    return {
        "network_name": at.network.name,
        "event": at.event,
        "venue": at.venue,
        "here": f"{HERE}/{at.event.id}",
        "standing": at.event.standing(now_us()),
        "dates": at.dates,
    }


async def _page(request: Request, session: SignedIn, at: Shown, wrong: str = "") -> Response:
    language = texts_of(request).language
    async with context_of(request).reader.connect() as connection:
        names = await artists(connection, at.event.artists)
    return render_admin(
        request,
        session,
        "eventdesk/event.html",
        place=HERE,
        status_code=409 if wrong else 200,
        wrong=wrong,
        playing=[names[id_].name for id_ in at.event.artists if id_ in names],
        prices=[(it, at.known[it.currency].text(it.amount, language)) for it in at.event.prices],
        fee=format_rate(at.event.refund_fee, language),
        conditions=form.CONDITION_TEXTS,
        channels=form.CHANNEL_TEXTS,
        drafts=[it for it in at.dates if it.status == "draft" and it.ends_at_us > now_us()],
        **_common(at),
    )


async def _form(
    request: Request,
    caller: Principal,
    session: SignedIn,
    at: Shown | None,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    chosen: Any,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, every = await the_network(connection), await artists(connection)
        own = _own(caller, await venues(connection))
    return render_admin(
        request,
        session,
        "eventdesk/form.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        event=at.event if at else None,
        venues=own,
        later=len(series.coming(at.dates, at.event)) if at else 0,
        artists=sorted(every.values(), key=lambda it: it.name.casefold()),
        chosen=set(chosen),
        typed=typed,
        wrong=wrong,
    )


def _price_form(
    request: Request, session: SignedIn, at: Shown, id_: UUID, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    return render_admin(
        request,
        session,
        "eventdesk/price.html",
        place=HERE,
        status_code=422 if wrong else 200,
        price=at.event.price(id_),
        id=id_,
        moneys=[at.known[code] for code in at.venue.accepted],
        conditions=form.CONDITION_TEXTS,
        channels=form.CHANNEL_TEXTS,
        later=len(series.coming(at.dates, at.event)),
        typed=typed,
        wrong=wrong,
        **_common(at),
    )


def _own(caller: Principal, at: Mapping[UUID, Venue]) -> list[Venue]:
    own = [it for it in at.values() if caller.may_see_venue(it.id)]
    if not own:
        raise NotFound("There is no venue yet.")
    return own


def _id(typed: Mapping[str, str]) -> UUID:
    """The form's own, so that it is one event however often it is sent."""
    said = typed.get("id", "")
    return UUID(said) if _is_uuid(said) else derived("event", said)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _day(typed: object) -> date | None:
    try:
        return date.fromisoformat(str(typed))
    except ValueError:
        return None
