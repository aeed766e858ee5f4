"""How a venue sells: hours in which products cost something else, what it is paid in beside cards, where tips go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.rules.goods import LINE_MAX, is_line
from app.rules.ids import uuid7
from app.rules.proven import DEMANDS
from app.venues import hours, hours_form, offer, service
from app.venues.hours import Hours
from app.venues.rules import DEMAND_TEXTS
from app.venues.service import MEANS, Venue
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/products"
MEANS_TEXTS: Final = {
    "cash": N_("Cash"),
    "bank_card": N_("Bank card, with its own card machine"),
    "cheque": N_("Cheque"),
    "meal_voucher": N_("Meal voucher"),
}


@router.get(f"{HERE}/{{venue}}/hours/new")
async def new_price_hours_page(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at = await service.venue_named(connection, venue)
        return await _hours_form(request, session, connection, at, None, hours_form.blank(), {})


@router.get(f"{HERE}/{{venue}}/hours/{{which}}")
async def price_hours_page(request: Request, caller: Caller, session: SignedIn, venue: UUID, which: UUID) -> Response:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at = await service.venue_named(connection, venue)
        it = _one_of(await hours.hours_of(connection, venue), which)
        typed = hours_form.filled(it, await currencies(connection), texts_of(request).language)
        return await _hours_form(request, session, connection, at, it, typed, {})


@router.post(f"{HERE}/{{venue}}/hours/new")
async def add_price_hours(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    return await _save_hours(request, caller, session, venue, None)


@router.post(f"{HERE}/{{venue}}/hours/{{which}}")
async def change_price_hours(request: Request, caller: Caller, session: SignedIn, venue: UUID, which: UUID) -> Response:
    """Save them as they were typed, or end them."""
    return await _save_hours(request, caller, session, venue, which)


@router.get(f"{HERE}/{{venue}}/paid")
async def paid_page(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at = await service.venue_named(connection, venue)
        typed = {f"means.{it}": "yes" for it in at.means} | {"tips_to": at.tips_to or ""}
        typed["proven_cards"] = at.proven_cards or ""
        return await _paid_form(request, session, connection, at, typed, {})


@router.post(f"{HERE}/{{venue}}/paid")
async def change_paid(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    texts = texts_of(request)
    typed = await typed_in(request)
    async with context_of(request).engine.begin() as connection:
        await offer.held(connection)
        at = await service.venue_named(connection, venue)
        means = tuple(it for it in MEANS if typed.get(f"means.{it}") == "yes")
        tips_to, wrong = typed.get("tips_to", "").strip(), {}
        if tips_to and not is_line(tips_to):
            wrong["tips_to"] = texts.gettext("Write a name.")
        elif len(tips_to) > LINE_MAX:
            wrong["tips_to"] = texts.gettext("This is too long: %(num)s characters at most.", num=LINE_MAX)
        demand = next((it for it in DEMANDS if it == typed.get("proven_cards")), None)
        if demand is None and typed.get("proven_cards"):
            wrong["proven_cards"] = texts.gettext("Choose one.")
        if typed.get("seen") != offer.mark_paid(at):
            wrong[""] = texts.gettext("Somebody else changed this meanwhile. Look at yours again, then save.")
        if wrong:
            return await _paid_form(request, session, connection, at, typed, wrong)
        await offer.set_paid(connection, session.principal.actor, at, means, tips_to or None, demand)
    return RedirectResponse(f"{HERE}?venue={venue}", 303)


async def _save_hours(request: Request, caller: Caller, session: SignedIn, venue: UUID, which: UUID | None) -> Response:
    caller.require_venue(venue)
    texts, actor = texts_of(request), session.principal.actor
    typed = await typed_in(request)
    async with context_of(request).engine.begin() as connection:
        await offer.held(connection)
        at, sold = await service.venue_named(connection, venue), await service.products(connection, venue)
        known, all_hours = await currencies(connection), await hours.hours_of(connection, venue)
        was = None if which is None else _one_of(all_hours, which)
        wrong: dict[str, str] = {}
        if was is not None and typed.get("seen") != offer.mark_hours(was):
            wrong[""] = texts.gettext("Somebody else changed this meanwhile. Look at yours again, then save.")
        elif was is not None and typed.get("act") == "end":
            await offer.end_hours(connection, actor, venue, was)
            return RedirectResponse(f"{HERE}?venue={venue}", 303)
        others = {it.name for it in all_hours if it.id != which}
        now, found = hours_form.understood(
            which or uuid7(), typed, sold, [known[code] for code in at.accepted], others, texts
        )
        if wrong := {**found, **wrong}:
            return await _hours_form(request, session, connection, at, was, typed, wrong)
        await offer.save_hours(connection, actor, venue, was, now)
    return RedirectResponse(f"{HERE}?venue={venue}", 303)


def _one_of(all_hours: list[Hours], id_: UUID) -> Hours:
    found = next((it for it in all_hours if it.id == id_), None)
    if found is None:
        raise NotFound("This venue has no such hours.")
    return found


async def typed_in(request: Request) -> dict[str, str]:
    """What was sent with a form, without files."""
    return {name: value for name, value in (await request.form()).items() if not isinstance(value, UploadFile)}


async def _hours_form(
    request: Request,
    session: SignedIn,
    connection: AsyncConnection,
    venue: Venue,
    it: Hours | None,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
) -> Response:
    network, known = await service.the_network(connection), await currencies(connection)
    sold = await service.products(connection, venue.id)
    return render_admin(
        request,
        session,
        "venues/hours.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        venue=venue,
        hours=it,
        seen="" if it is None else offer.mark_hours(it),
        days=hours_form.DAYS,
        asked=hours_form.asked(sold, [known[code] for code in venue.accepted]),
        typed=typed,
        wrong=wrong,
    )


async def _paid_form(
    request: Request,
    session: SignedIn,
    connection: AsyncConnection,
    venue: Venue,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
) -> Response:
    network = await service.the_network(connection)
    funds = {it.tips_to for it in (await service.venues(connection)).values() if it.tips_to}
    return render_admin(
        request,
        session,
        "venues/paid.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        venue=venue,
        seen=offer.mark_paid(venue),
        means=MEANS_TEXTS,
        funds=sorted(funds),
        demands=DEMAND_TEXTS,
        network_demand=network.settings.proven_cards,
        typed=typed,
        wrong=wrong,
    )
