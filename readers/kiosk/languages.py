"""Which language the screen speaks, and its words: English msgids, translated by the catalogs in locale/."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from babel.messages.pofile import read_po

from readers.kiosk.words import WORDS

Language = Literal["fr", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
COOKIE: Final = "comptoir_kiosk_language"


def language_of(accept_language: str | None, cookie: str | None, default: Language) -> Language:
    """The cookie's language; else the one the browser likes best among ours; else `default`."""
    if cookie in LANGUAGES:
        return cookie
    best, weight = default, 0.0
    for part in (accept_language or "").split(","):
        tag, _, quality = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            q = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in LANGUAGES and q > weight:
            best, weight = language, q
    return best


@cache
def words_in(language: Language) -> Mapping[str, str]:
    """Every text of the screen by its key. A msgid without translation raises: the screen is never half English."""
    if language == "en":
        return WORDS
    with (files("readers.kiosk") / "locale" / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    words = {}
    for key, msgid in WORDS.items():
        message = catalog.get(msgid)
        if message is None or not message.string or message.fuzzy:
            raise LookupError(f"{language}.po does not translate {msgid!r}")
        words[key] = str(message.string)
    return words
