"""The public programme for programs: read-only, for everybody, from any website."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from app.platform.clock import now_us
from app.platform.context import context_of
from app.programme.answers import KEPT_S
from app.programme.near import USUAL_KM, Near
from app.programme.places import place_at, places
from app.programme.reading import coming_shows
from app.programme.rules import Show, local
from app.programme.views import base_of

router = APIRouter(prefix="/api/v1", tags=["programme"])

LISTED_MAX = 200


class VenueOfEvent(BaseModel):
    """`point`: degrees north and east, "48.11730, -1.67780"."""

    slug: str
    name: str
    address: str
    town: str
    point: str | None
    zone: str
    url: str


class ArtistOfEvent(BaseModel):
    slug: str
    name: str
    url: str
    picture: str | None


class PriceOfEvent(BaseModel):
    """`amount`: minor units of `currency`. `euro_cents`: null where the money is not worth euros."""

    names: dict[str, str]
    currency: str
    amount: int
    euro_cents: int | None
    on_sale: bool


class EventShown(BaseModel):
    """Times are on the venue's clock, with its offset. `status`: `full` takes place, and nothing is left to buy."""

    id: UUID
    url: str
    titles: dict[str, str]
    texts: dict[str, str]
    status: Literal["on", "full", "cancelled"]
    begins: datetime
    doors: datetime | None
    ends: datetime | None
    venue: VenueOfEvent
    artists: list[ArtistOfEvent]
    prices: list[PriceOfEvent]


@router.get("/programme", summary="The coming events of the network, for everybody")
async def list_programme(
    request: Request,
    response: Response,
    venue: Annotated[str, Query(max_length=100, description="a venue's short name")] = "",
    town: Annotated[str, Query(max_length=80, description="what is on around it")] = "",
    km: Annotated[int, Query(ge=1, le=200, description="how far from the town")] = USUAL_KM,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50,
) -> list[EventShown]:
    """Published events that are not over, the earliest first; cancelled ones too, marked as such. Other websites may
    read it from their visitors' browsers."""
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        at = (await place_at(connection, venue)).place.id if venue else None
        shows = await coming_shows(connection, now, at)
        if town:
            there = Near(town, km).slugs(it.place for it in (await places(connection)).values())
            shows = [it for it in shows if it.place.slug in there]
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
    return [_shown(it, base_of(request)) for it in shows[:limit]]


def _shown(it: Show, base: str) -> EventShown:
    zone = it.place.zone
    return EventShown(
        id=it.id,
        url=f"{base}/programme/{it.slug}",
        titles={"fr": it.title("fr"), "en": it.title("en")},
        texts={"fr": it.words("fr"), "en": it.words("en")},
        status=it.state,
        begins=it.begins,
        doors=None if it.doors_us is None else local(it.doors_us, zone),
        ends=None if it.ends_us is None else local(it.ends_us, zone),
        venue=VenueOfEvent(
            slug=it.place.slug,
            name=it.place.name,
            address=it.place.address,
            town=it.place.town,
            point=None if it.place.point is None else str(it.place.point),
            zone=zone,
            url=f"{base}/venues/{it.place.slug}",
        ),
        artists=[
            ArtistOfEvent(
                slug=one.slug,
                name=one.name,
                url=f"{base}/artists/{one.slug}",
                picture=f"{base}{one.picture}" if one.picture else None,
            )
            for one in it.players
        ],
        prices=[
            PriceOfEvent(
                names={"fr": one.name("fr"), "en": one.name("en")},
                currency=one.currency,
                amount=one.amount,
                euro_cents=one.euro_cents,
                on_sale=one.open,
            )
            for one in it.offers
        ],
    )
