"""Events as calendars take them (iCalendar, RFC 5545), written with the library `icalendar`.

An event's UID never changes, so that a calendar moves or strikes out what it already has; SEQUENCE grows with each
change. Times are the venue's, with the rules of its zone inside the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Calendar, Event

from app.programme.rules import Show, local
from app.venues.point import MICRO

# How often a calendar that follows the programme should ask again.
REFRESH = timedelta(hours=6)


def calendar(shows: Iterable[Show], name: str, base: str, host: str, language: str) -> bytes:
    """`base`: this server's address, without a slash at its end; `host`: its name."""
    made = Calendar.new(name=name, prodid="-//Comptoir//Programme//FR", language=language, refresh_interval=REFRESH)
    made.add("x-wr-calname", name)
    for show in shows:
        made.add_component(_event(show, base, host, language))
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _event(show: Show, base: str, host: str, language: str) -> Event:
    zone, url = show.place.zone, f"{base}/programme/{show.slug}"
    event = Event()
    event.add("uid", f"{show.id}@{host}")
    event.add("dtstamp", local(show.changed_us, "UTC"))
    event.add("last-modified", local(show.changed_us, "UTC"))
    event.add("created", local(show.published_us, "UTC"))
    event.add("sequence", max(0, (show.changed_us - show.published_us) // 1_000_000))
    event.add("dtstart", show.begins.replace(microsecond=0))
    event.add("dtend", local(show.over_us, zone).replace(microsecond=0))
    event.add("summary", show.title(language))
    event.add("location", ", ".join(filter(None, (show.place.name, show.place.whole_address))))
    if (at := show.place.point) is not None:
        event.add("geo", (at.latitude / MICRO, at.longitude / MICRO))
    event.add("url", url)
    event.add("status", "CANCELLED" if show.state == "cancelled" else "CONFIRMED")
    told = [", ".join(it.name for it in show.players), show.words(language).strip(), url]
    event.add("description", "\n\n".join(filter(None, told)))
    return event
