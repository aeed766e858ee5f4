"""The programme as a feed (Atom, RFC 4287): an entry for each event, the last changed first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from app.programme.rules import Show, local, short
from app.web import Texts
from app.web.dates import moment

_ATOM: Final = "http://www.w3.org/2005/Atom"
_XML: Final = "http://www.w3.org/XML/1998/namespace"


def atom(shows: Iterable[Show], title: str, here: str, page: str, base: str, texts: Texts) -> bytes:
    """`here`, `page`: the paths of the feed and of the page it follows."""
    ET.register_namespace("", _ATOM)
    newest = sorted(shows, key=lambda it: (-it.changed_us, it.slug))
    feed = ET.Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": texts.language})
    _text(feed, "title", title)
    _text(feed, "id", f"{base}{here}")
    _link(feed, "self", f"{base}{here}", "application/atom+xml")
    _link(feed, "alternate", f"{base}{page}", "text/html")
    # A feed of nothing has never changed.
    _text(feed, "updated", _utc(max((it.changed_us for it in newest), default=0)))
    _text(ET.SubElement(feed, f"{{{_ATOM}}}author"), "name", title)
    for show in newest:
        entry = ET.SubElement(feed, f"{{{_ATOM}}}entry")
        _text(entry, "id", f"urn:uuid:{show.id}")
        _text(entry, "title", _titled(show, texts))
        _link(entry, "alternate", f"{base}/programme/{show.slug}", "text/html")
        _text(entry, "published", _utc(show.published_us))
        _text(entry, "updated", _utc(show.changed_us))
        _text(entry, "summary", f"{moment(show.begins_us, show.place.zone, texts)}, {show.place.name}")
        if words := show.words(texts.language):
            _text(entry, "content", short(words, 2000))
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _titled(show: Show, texts: Texts) -> str:
    title = show.title(texts.language)
    return texts.gettext("Cancelled: %(title)s", title=title) if show.state == "cancelled" else title


def _text(parent: ET.Element, name: str, text: str) -> None:
    # What XML 1.0 cannot hold is left out.
    kept = "".join(it for it in text if it in "\t\n\r" or it >= " ")
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = kept


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}link", {"rel": rel, "href": href, "type": kind})


def _utc(at_us: int) -> str:
    return local(at_us, "UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
