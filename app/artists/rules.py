"""What may be said of an artist, and how they are addressed. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

LINE_MAX: Final = 120
WORDS_MAX: Final = 4000
LINKS_MAX: Final = 12
LINK_MAX: Final = 500
PHOTOS_MAX: Final = 8
SLUG_MAX: Final = 60

Link = tuple[str, str]


def slug_of(name: str, taken: Collection[str] = ()) -> str:
    """A name as an address: "Éloïse & les Zinc" is "eloise-les-zinc"; with a number where that one is taken."""
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "OE")).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:SLUG_MAX].strip("-") or "artiste"
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    return slug


def links_of(typed: str) -> tuple[list[Link], list[str]]:
    """(links, lines that are none). One on each line: its address, after a label if there is one."""
    links: list[Link] = []
    wrong: list[str] = []
    for line in filter(None, (it.strip() for it in typed.splitlines())):
        label, _, address = line.rpartition(" ")
        if len(line) > LINK_MAX or not _is_address(address):
            wrong.append(line)
        else:
            links.append((label.strip(" :") or _host(address), address))
    return links[:LINKS_MAX], wrong + [address for _, address in links[LINKS_MAX:]]


def typed_links(links: Collection[Link]) -> str:
    """As they would be typed."""
    return "\n".join(f"{label} {address}" for label, address in links)


def _is_address(text: str) -> bool:
    """A page of the web: nothing that a browser would run."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and text.isprintable()


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")
