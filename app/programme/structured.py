"""Events, venues and artists as search engines read them: schema.org in JSON-LD.

https://developers.google.com/search/docs/appearance/structured-data/event names what is looked at. JSON-LD is data in
the page: browsers run nothing of it, and our content security policy has nothing against it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from app.programme.rules import Offer, Place, Player, Show, local, short
from app.venues.point import MICRO

_CONTEXT: Final = "https://schema.org"
# No word of schema.org says "full": the event takes place, and its offers are sold out.
_STATUS: Final = {"on": "EventScheduled", "full": "EventScheduled", "cancelled": "EventCancelled"}


def event(show: Show, base: str, language: str, network: str) -> dict[str, Any]:
    """`base`: this server's address, without a slash at its end."""
    url = f"{base}/programme/{show.slug}"
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Event",
        "@id": url,
        "name": show.title(language),
        "url": url,
        "inLanguage": language,
        "startDate": _iso(show.begins),
        "eventStatus": f"{_CONTEXT}/{_STATUS[show.state]}",
        "eventAttendanceMode": f"{_CONTEXT}/OfflineEventAttendanceMode",
        "location": place(show.place, base),
        "organizer": {"@type": "Organization", "name": network, "url": f"{base}/programme"},
    }
    if show.ends_us is not None:
        found["endDate"] = _iso(local(show.ends_us, show.place.zone))
    if show.doors_us is not None:
        found["doorTime"] = _iso(local(show.doors_us, show.place.zone))
    if show.words(language):
        found["description"] = short(show.words(language), 1000)
    if show.picture:
        found["image"] = [f"{base}{show.picture}"]
    if show.players:
        found["performer"] = [_performer(it, base) for it in show.players]
    if offers := [_offer(it, show, url, language) for it in show.offers if it.euro_cents is not None]:
        found["offers"] = offers
    return found


def place(at: Place, base: str) -> dict[str, Any]:
    said = {"streetAddress": at.address, "addressLocality": at.town}
    address = {key: text for key, text in said.items() if text}
    found: dict[str, Any] = {
        "@type": "EventVenue",
        "name": at.name,
        "url": f"{base}/venues/{at.slug}",
        # Without one, its name is what a map would be asked for.
        "address": {"@type": "PostalAddress", **address} if address else at.name,
    }
    if at.point is not None:
        north, east = at.point.latitude / MICRO, at.point.longitude / MICRO
        found["geo"] = {"@type": "GeoCoordinates", "latitude": north, "longitude": east}
    return found


def venue(at: Place, base: str, words: str) -> dict[str, Any]:
    told = {"description": short(words, 1000)} if words else {}
    return {"@context": _CONTEXT, **place(at, base), **told}


def performer(it: Player, base: str, words: str, links: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": short(words, 1000)} if words else {}
    if links:
        told["sameAs"] = links
    return {"@context": _CONTEXT, **_performer(it, base), **told}


def _performer(it: Player, base: str) -> dict[str, Any]:
    picture = {"image": f"{base}{it.picture}"} if it.picture else {}
    return {"@type": "PerformingGroup", "name": it.name, "url": f"{base}/artists/{it.slug}", **picture}


def _offer(it: Offer, show: Show, url: str, language: str) -> dict[str, Any]:
    sold = "InStock" if it.open and show.state == "on" else "SoldOut" if show.state == "full" else "OutOfStock"
    offer: dict[str, Any] = {
        "@type": "Offer",
        "name": it.name(language),
        "price": f"{(it.euro_cents or 0) / 100:.2f}",
        "priceCurrency": "EUR",
        "availability": f"{_CONTEXT}/{sold}",
        "url": url,
    }
    if it.from_us is not None:
        offer["validFrom"] = _iso(local(it.from_us, show.place.zone))
    return offer


def _iso(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()
