"""The programme for programs that follow it: calendars, feed readers, and what search engines ask for first."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.artists.service import artists
from app.platform.clock import now_us
from app.platform.context import context_of
from app.programme.answers import public
from app.programme.calendars import calendar
from app.programme.feed import atom
from app.programme.places import place_at, places
from app.programme.reading import coming_shows, published_shows, show_at
from app.programme.rules import DAY_US, Place, Show, local
from app.programme.views import HERE, base_of
from app.venues.service import the_network
from app.web import texts_of

router = APIRouter(include_in_schema=False)

# Calendars keep what lay in the file; for a while they should still find it there.
_KEPT_US: Final = 60 * DAY_US
# What search engines may look at. A page of somebody's card or of the staff says "noindex" besides.
_OPEN: Final = (HERE, "/venues/", "/artists/", "/places", "/photos/", "/static/", "/sitemap.xml")
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"

Venue = Annotated[str, Query(max_length=100)]


@router.get("/programme.ics")
async def programme_calendar(request: Request) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        shows = await coming_shows(connection, now_us() - _KEPT_US)
    return _calendar(request, shows, network.name, "programme")


@router.get("/venues/{slug}.ics")
async def venue_calendar(request: Request, slug: str) -> Response:
    async with context_of(request).reader.connect() as connection:
        place = (await place_at(connection, slug)).place
        shows = await coming_shows(connection, now_us() - _KEPT_US, place.id)
    return _calendar(request, shows, place.name, slug)


@router.get(f"{HERE}/{{slug}}.ics")
async def event_calendar(request: Request, slug: str) -> Response:
    async with context_of(request).reader.connect() as connection:
        show = await show_at(connection, slug)
    return _calendar(request, [show], show.title(texts_of(request).language), slug)


@router.get("/programme.atom")
async def programme_feed(request: Request, venue: Venue = "") -> Response:
    texts = texts_of(request)
    place: Place | None = None
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        if venue:
            place = (await place_at(connection, venue)).place
        shows = await coming_shows(connection, now_us(), None if place is None else place.id)
    title = network.name if place is None else f"{place.name} · {network.name}"
    query = f"?venue={place.slug}" if place else ""
    content = atom(shows, title, f"/programme.atom{query}", f"{HERE}{query}", base_of(request), texts)
    answer = Response(content, media_type="application/atom+xml")
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return public(request, answer)


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    lines = [
        "User-agent: *",
        *(f"Allow: {it}" for it in _OPEN),
        "Disallow: /",
        "",
        f"Sitemap: {base_of(request)}/sitemap.xml",
    ]
    return public(request, Response("\n".join(lines) + "\n", media_type="text/plain"))


@router.get("/sitemap.xml")
async def sitemap(request: Request) -> Response:
    """Every public page with the day it last changed: events that are over too, for what was played is looked for."""
    base = base_of(request)
    async with context_of(request).reader.connect() as connection:
        shows, at = await published_shows(connection), await places(connection)
        shown = [it for it in (await artists(connection)).values() if it.shown]
    ET.register_namespace("", _SITEMAP)
    urls = ET.Element(f"{{{_SITEMAP}}}urlset")
    for path in (HERE, *(f"/venues/{it.place.slug}" for it in at.values()), *(f"/artists/{it.slug}" for it in shown)):
        _url(urls, base + path)
    for slug, changed_us in shows:
        _url(urls, f"{base}{HERE}/{slug}", local(changed_us, "UTC").strftime("%Y-%m-%d"))
    content = ET.tostring(urls, encoding="utf-8", xml_declaration=True)
    return public(request, Response(content, media_type="application/xml"))


def _url(urls: ET.Element, address: str, changed: str = "") -> None:
    url = ET.SubElement(urls, f"{{{_SITEMAP}}}url")
    ET.SubElement(url, f"{{{_SITEMAP}}}loc").text = address
    if changed:
        ET.SubElement(url, f"{{{_SITEMAP}}}lastmod").text = changed


def _calendar(request: Request, shows: list[Show], name: str, stem: str) -> Response:
    base = base_of(request)
    host = urlsplit(base).hostname or "comptoir"
    content = calendar(shows, name, base, host, texts_of(request).language)
    # Shown in a calendar, not kept as a file, where the browser knows how.
    headers = {"Content-Disposition": f'inline; filename="{stem}.ics"', "Vary": "Accept-Language, Cookie"}
    return public(request, Response(content, media_type="text/calendar; charset=utf-8", headers=headers))
