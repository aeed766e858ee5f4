"""What a venue sells, and the form that changes it. Terminals know with their next snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import Forbidden, NotFound
from app.rules.ids import uuid7
from app.venues import offer, product_form, service
from app.venues.hours import hours_of
from app.venues.hours_form import DAYS
from app.venues.selling_pages import MEANS_TEXTS
from app.venues.service import Product, Venue
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/products"


@router.get(HERE)
async def products_page(
    request: Request, caller: Caller, session: SignedIn, venue: Annotated[UUID | None, Query()] = None
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await service.the_network(connection), await currencies(connection)
        own = [it for it in (await service.venues(connection)).values() if caller.may_see_venue(it.id)]
        chosen = next((it for it in own if venue is None or it.id == venue), None)
        if chosen is None:
            raise Forbidden("Your rights do not reach this venue.")
        sold = await service.products(connection, chosen.id)
        all_hours = await hours_of(connection, chosen.id)
    # As on the screen of the till: categories in the order of their first product.
    first = {it.category: place for place, it in reversed([*enumerate(sold)])}
    by_category = groupby(sorted(sold, key=lambda it: first[it.category]), lambda it: it.category)
    return render_admin(
        request,
        session,
        "venues/products.html",
        place=HERE,
        network_name=network.name,
        venues=own,
        venue=chosen,
        categories=[(name, list(of)) for name, of in by_category],
        currencies=[known[code] for code in chosen.accepted],
        hours=all_hours,
        days=DAYS,
        paid=", ".join(texts_of(request).gettext(MEANS_TEXTS[it]) for it in chosen.means),
    )


@router.get(f"{HERE}/{{venue}}/new")
async def new_product_page(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at, sold = await service.venue_named(connection, venue), await service.products(connection, venue)
        return await _form(request, session, connection, at, sold, None, product_form.blank(len(sold)), {})


@router.get(f"{HERE}/{{venue}}/{{product}}")
async def product_page(request: Request, caller: Caller, session: SignedIn, venue: UUID, product: UUID) -> Response:
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at, sold = await service.venue_named(connection, venue), await service.products(connection, venue)
        it, place = _sold(sold, product)
        typed = product_form.filled(it, place, await currencies(connection), texts_of(request).language)
        return await _form(request, session, connection, at, sold, it, typed, {})


@router.post(f"{HERE}/{{venue}}/new")
async def add_product(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    return await _save(request, caller, session, venue, None)


@router.post(f"{HERE}/{{venue}}/{{product}}")
async def change_product(request: Request, caller: Caller, session: SignedIn, venue: UUID, product: UUID) -> Response:
    """Save it as it was typed, or sell it no longer."""
    return await _save(request, caller, session, venue, product)


async def _save(request: Request, caller: Caller, session: SignedIn, venue: UUID, product: UUID | None) -> Response:
    caller.require_venue(venue)
    texts, actor = texts_of(request), session.principal.actor
    typed = {name: value for name, value in (await request.form()).items() if not isinstance(value, UploadFile)}
    async with context_of(request).engine.begin() as connection:
        await offer.held(connection)
        at, sold = await service.venue_named(connection, venue), await service.products(connection, venue)
        known = await currencies(connection)
        was, before = (None, 0) if product is None else _sold(sold, product)
        wrong: dict[str, str] = {}
        if was is not None and typed.get("seen") != offer.mark(was, before):
            wrong[""] = texts.gettext("Somebody else changed this product meanwhile. Look at yours again, then save.")
        elif was is not None and typed.get("act") == "withdraw":
            await offer.withdraw(connection, actor, venue, was)
            return RedirectResponse(f"{HERE}?venue={venue}", 303)
        others = {it.name_fr for it in sold if it.id != product}
        now, place, found = product_form.understood(
            product or uuid7(), typed, [known[code] for code in at.accepted], others, texts
        )
        wrong = {**found, **wrong}
        if not wrong:
            await offer.save(connection, actor, venue, sold, now, place)
            return RedirectResponse(f"{HERE}?venue={venue}", 303)
        return await _form(request, session, connection, at, sold, was, typed, wrong)


def _sold(sold: list[Product], product: UUID) -> tuple[Product, int]:
    """A product and its place, 1 for the first. NotFound."""
    for place, it in enumerate(sold, 1):
        if it.id == product:
            return it, place
    raise NotFound("This venue sells no such product.")


async def _form(
    request: Request,
    session: SignedIn,
    connection: AsyncConnection,
    venue: Venue,
    sold: list[Product],
    it: Product | None,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
) -> Response:
    network, known = await service.the_network(connection), await currencies(connection)
    accepted: list[Currency] = [known[code] for code in venue.accepted]
    return render_admin(
        request,
        session,
        "venues/product.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        venue=venue,
        product=it,
        seen="" if it is None else offer.mark(*_sold(sold, it.id)),
        categories=list(dict.fromkeys(one.category for one in sold)),
        currencies=accepted,
        kinds=product_form.KINDS,
        typed=typed,
        wrong=wrong,
    )
