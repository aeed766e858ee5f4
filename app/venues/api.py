"""Venues and what they sell, for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.rules.basket import UNIT_PRICE_MAX
from app.venues import offer, service
from app.venues.opening import DAY_NAMES, DAYS_MAX, Opening, Span, read, read_day, written
from app.venues.place_form import ADDRESS_MAX, TOWN_MAX
from app.venues.places import TOP_UPS, Place, TopUp, change_place, place_of, places
from app.venues.point import point
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1", tags=["venues"])


class ProductShown(BaseModel):
    """`prices`: minor units by currency."""

    id: UUID
    names: dict[str, str]
    category: str
    prices: dict[str, int]


class OpeningShown(BaseModel):
    """`weekly`: hours by weekday ("mon" to "sun"), like "10:00-14:00, 18:00-02:00", without those on which it is shut;
    `days`: on these days instead, "closed" or hours. On the venue's wall clock; an end that is not later than its
    beginning is on the day after."""

    model_config = ConfigDict(extra="forbid")

    weekly: Annotated[dict[str, str], Field(max_length=7, examples=[{"fri": "18:00-02:00"}])] = {}
    days: Annotated[dict[str, str], Field(max_length=DAYS_MAX, examples=[{"2026-12-25": "closed"}])] = {}


class PlaceSaid(BaseModel):
    """`tops_up`: what a card is topped up with there, nothing where it is not. `point`: degrees north and east."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[str, Field(max_length=ADDRESS_MAX, pattern=r"^[^\r\n]*$")] = ""
    town: Annotated[str, Field(max_length=TOWN_MAX, pattern=r"^[^\r\n]*$")] = ""
    point: Annotated[str | None, Field(max_length=60, examples=["48.1173, -1.6778"])] = None
    tops_up: Annotated[list[TopUp], Field(max_length=2)] = []
    opening: OpeningShown = OpeningShown()


class VenueShown(BaseModel):
    id: UUID
    slug: str
    name: str
    zone: str
    cut_off: str
    accepted: list[str]
    address: str
    town: str
    point: str | None
    tops_up: list[TopUp]
    opening: OpeningShown
    products: list[ProductShown]


class Price(BaseModel):
    """`amount`: minor units."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(ge=0, le=UNIT_PRICE_MAX, strict=True, examples=[350])]


@router.get("/venues", summary="Venues with their products and prices")
async def list_venues(request: Request, caller: Caller) -> list[VenueShown]:
    async with context_of(request).reader.connect() as connection:
        said = await places(connection)
        found = [it for it in (await service.venues(connection)).values() if caller.may_see_venue(it.id)]
        return [
            VenueShown(
                id=it.id,
                slug=it.slug,
                name=it.name,
                zone=it.zone,
                cut_off=it.cut_off.isoformat("minutes"),
                accepted=list(it.accepted),
                address=(place := said.get(it.id, Place())).address,
                town=place.town,
                point=None if place.point is None else str(place.point),
                tops_up=list(place.tops_up),
                opening=_opening_shown(place.opening),
                products=[
                    ProductShown(
                        id=p.id, names={"fr": p.name_fr, "en": p.name_en}, category=p.category, prices=dict(p.prices)
                    )
                    for p in await service.products(connection, it.id)
                ],
            )
            for it in found
        ]


@router.put("/venues/{venue}/products/{product}/prices/{currency}", status_code=204, summary="Change a price")
async def set_price(
    request: Request, caller: Caller, venue: UUID, product: UUID, currency: CurrencyCode, body: Price
) -> None:
    """What was sold before keeps the price it was sold at; terminals learn of it with their next snapshot."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        at = await service.venue_named(connection, venue)
        if product not in {it.id for it in await service.products(connection, venue)}:
            raise NotFound("This venue sells no such product.")
        if currency not in at.accepted:
            raise Invalid(f"{at.name} does not accept {currency}.", "currency-not-accepted")
        await service.set_price(connection, product, currency, body.amount)


@router.put("/venues/{venue}/place", status_code=204, summary="Say where a venue is and when it is open")
async def set_place(request: Request, caller: Caller, venue: UUID, body: PlaceSaid) -> None:
    """As a whole: what is left out is no longer said. Holders read it on the page of all venues."""
    caller.require_venue(venue)
    opening = Opening(
        {_weekday(day): spans for day, text in body.opening.weekly.items() if (spans := _hours(text))},
        {_day(day): _hours(text) for day, text in body.opening.days.items()},
    )
    at = point(body.point or "")
    if body.point and at is None:
        raise Invalid(f"{body.point!r} is no point; write it like '48.1173, -1.6778'.", field="point")
    tops_up = tuple(it for it in TOP_UPS if it in body.tops_up)
    now = Place(body.address.strip(), tops_up, opening, body.town.strip(), at)
    async with context_of(request).engine.begin() as connection:
        await offer.held(connection)
        await service.venue_named(connection, venue)
        await change_place(connection, caller.actor, venue, await place_of(connection, venue), now)


def _opening_shown(it: Opening) -> OpeningShown:
    return OpeningShown(
        weekly={DAY_NAMES[day]: written(spans) for day, spans in sorted(it.weekly.items()) if spans},
        days={day.isoformat(): written(spans) for day, spans in sorted(it.days.items())},
    )


def _hours(text: str) -> tuple[Span, ...]:
    found = read(text)
    if found is None:
        raise Invalid(f"{text!r} are no hours; write them like '10:00-14:00, 18:00-02:00'.", field="opening")
    return found


def _weekday(name: str) -> int:
    if name not in DAY_NAMES:
        raise Invalid(f"{name!r} is no weekday; there are {', '.join(DAY_NAMES)}.", field="opening")
    return DAY_NAMES.index(name)


def _day(text: str) -> date:
    found = read_day(text)
    if found is None:
        raise Invalid(f"{text!r} is no day; write one like 2026-12-25.", field="opening")
    return found
