"""What is on in the network? The programme by days, and a page for each event, venue and artist. Nothing on them needs
a script, and nothing of them tells anybody who reads them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.artists.service import artist_at, photo_bytes
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.programme import structured
from app.programme.answers import public
from app.programme.near import DISTANCES_KM, USUAL_KM, Near, towns
from app.programme.places import place_at, places
from app.programme.press_kit import press_kit
from app.programme.reading import coming_shows, player_of, show_at, shows_of_artist, shows_of_venue
from app.programme.rules import by_day, paragraphs
from app.programme.views import HERE, base_of, page, summary
from app.venues.service import the_network
from app.web import render, texts_of
from app.web.dates import clock, local

router = APIRouter(include_in_schema=False)

EMBED: Final = f"{HERE}/embed"
# In somebody else's page: as much as one looks at there.
_EMBEDDED_MAX: Final = 12
# Making one takes half a second of a processor.
KITS = RateLimit("press-kit", "10/minute")

Venue = Annotated[str, Query(max_length=100)]
Town = Annotated[str, Query(max_length=80)]
Km = Annotated[int, Query(ge=1, le=1000)]


@router.get(HERE)
async def programme_page(request: Request, venue: Venue = "", town: Town = "", km: Km = USUAL_KM) -> Response:
    """At one venue, around a town, or everywhere."""
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await places(connection)
        chosen = next((it for it in at.values() if it.place.slug == venue), None)
        if venue and chosen is None:
            raise NotFound("There is no such venue.")
        shows = await coming_shows(connection, now, None if chosen is None else chosen.place.id)
    around = [it.place for it in at.values()]
    near = Near(town, km) if town in towns(around) and km in DISTANCES_KM and chosen is None else None
    if near is not None:
        there = near.slugs(around)
        shows = [it for it in shows if it.place.slug in there]
    texts = texts_of(request)
    title = texts.gettext("Programme") if chosen is None else chosen.place.name
    asked = {"venue": venue} if venue else None
    if near is not None:
        title, asked = near.text(texts), {"town": near.town, "km": str(near.km)}
    description = texts.gettext(
        "Concerts, parties and meetings of %(network)s: %(venues)s.",
        network=network.name,
        venues=", ".join(it.place.name for it in (at.values() if chosen is None else [chosen])),
    )
    answer = page(
        request,
        "programme/programme.html",
        network_name=network.name,
        title=title,
        description=description,
        asked=asked,
        picture=next((it.picture for it in shows if it.picture), ""),
        days=by_day(shows),
        venues=[it.place for it in at.values()],
        chosen=None if chosen is None else chosen.place,
        near=near,
        towns=towns(around),
        distances=DISTANCES_KM,
        usual=USUAL_KM,
    )
    return public(request, answer)


@router.get(EMBED)
async def programme_embed(request: Request, venue: Venue = "") -> Response:
    """The next events, small, to be shown inside another website's page."""
    now, texts = now_us(), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        chosen = (await place_at(connection, venue)).place if venue else None
        shows = await coming_shows(connection, now, None if chosen is None else chosen.id)
    answer = render(
        request,
        "programme/embed.html",
        network_name=network.name,
        chosen=chosen,
        days=by_day(shows[:_EMBEDDED_MAX]),
        clock=lambda at_us, zone: clock(local(at_us, zone), texts),
        today=lambda zone, at_us: local(at_us, zone).date(),
        base=base_of(request),
    )
    return public(request, answer)


@router.get("/venues/{slug}")
async def public_venue_page(request: Request, slug: str) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, about = await the_network(connection), await place_at(connection, slug)
        shows = await shows_of_venue(connection, about.place.id, now)
    words = about.words(texts_of(request).language)
    coming = [it for it in shows if it.coming(now)]
    answer = page(
        request,
        "programme/venue.html",
        network_name=network.name,
        title=about.place.name,
        description=". ".join(filter(None, (about.place.whole_address, words or about.place.name))),
        picture=next((it.picture for it in coming if it.picture), ""),
        data=structured.venue(about.place, base_of(request), words),
        about=about,
        paragraphs=paragraphs(words),
        days=by_day(coming),
        past=[it for it in reversed(shows) if not it.coming(now) and it.state != "cancelled"],
    )
    return public(request, answer)


@router.get("/artists/{slug}")
async def public_artist_page(request: Request, slug: str) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, artist = await the_network(connection), await artist_at(connection, slug)
        shows = await shows_of_artist(connection, artist.id, now)
    language = texts_of(request).language
    words = artist.words(language)
    answer = page(
        request,
        "programme/artist.html",
        network_name=network.name,
        title=artist.name,
        description=". ".join(filter(None, (artist.line(language), words or artist.name))),
        picture=artist.photos[0].url() if artist.photos else "",
        data=structured.performer(player_of(artist), base_of(request), words, [url for _, url in artist.links]),
        artist=artist,
        paragraphs=paragraphs(words),
        days=by_day(it for it in shows if it.coming(now)),
        past=[it for it in reversed(shows) if not it.coming(now) and it.state != "cancelled"],
    )
    return public(request, answer)


@router.get(f"{HERE}/{{slug}}/buy")
async def programme_buy(request: Request, slug: str) -> Response:
    """A ticket is bought from a card's page, whose address only its holder has: how one gets there."""
    async with context_of(request).reader.connect() as connection:
        network, show = await the_network(connection), await show_at(connection, slug)
    return public(request, render(request, "programme/buy.html", network_name=network.name, show=show))


@router.get(f"{HERE}/{{slug}}")
async def programme_event(request: Request, slug: str) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, show = await the_network(connection), await show_at(connection, slug)
    language = texts_of(request).language
    answer = page(
        request,
        "programme/event.html",
        network_name=network.name,
        title=show.title(language),
        description=summary(show, request),
        picture=show.picture,
        data=structured.event(show, base_of(request), language, network.name),
        show=show,
        coming=show.coming(now),
        paragraphs=paragraphs(show.words(language)),
    )
    return public(request, answer)


@router.get("/artists/{slug}/press-kit.zip")
async def artist_press_kit(request: Request, slug: str) -> Response:
    KITS.check(request, client_address(request))
    now, texts = now_us(), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        artist = await artist_at(connection, slug)
        shows = await shows_of_artist(connection, artist.id, now)
        photos = [(await photo_bytes(connection, it.id, "large"))[0] for it in artist.photos]
    coming = [it for it in shows if it.coming(now) and it.state != "cancelled"]
    address = f"{base_of(request)}/artists/{slug}"
    content = await asyncio.to_thread(press_kit, artist, photos, coming, address, texts)
    headers = {"Content-Disposition": f'attachment; filename="{slug}-press-kit.zip"', "X-Robots-Tag": "noindex"}
    return Response(content, media_type="application/zip", headers=headers)
