"""The languages of the pages. Message ids are English; locale/fr.po holds the French and is read at start as it is.

In messages a value is `%(name)s` and a percent sign is `%%`, in templates and in Python alike.
"""

from __future__ import annotations

import gettext
import re
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Language = Literal["fr", "en"]

# Each language by its own name, as the switch at the foot of a page shows it.
LANGUAGES: dict[Language, str] = {"fr": "Français", "en": "English"}
DEFAULT: Language = "fr"
FRENCH = Path(__file__).parent / "locale" / "fr.po"


@dataclass(frozen=True, slots=True)
class Texts:
    """The messages in one language."""

    language: Language
    translations: gettext.NullTranslations

    def gettext(self, message: str, **values: object) -> str:
        return self.translations.gettext(message) % values

    def ngettext(self, singular: str, plural: str, num: int, **values: object) -> str:
        """The form for `num` things; the message may say `%(num)s`."""
        return self.translations.ngettext(singular, plural, num) % {"num": num, **values}


@cache
def texts_in(language: Language) -> Texts:
    """The messages in `language`. English is written in the code itself, so it needs no catalog."""
    if language == "en":
        return Texts("en", gettext.NullTranslations())
    with FRENCH.open("rb") as file:
        catalog = read_po(file, locale="fr", abort_invalid=True)
    return Texts("fr", _compiled(catalog))


def language_of(accept_language: str | None, cookie: str | None) -> Language:
    """The one chosen (cookie or `?lang=`), else the one of ours that the browser likes best, else French."""
    if cookie in LANGUAGES:
        return cookie
    best, best_weight = DEFAULT, 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameter = part.partition(";")
        language = tag.strip().split("-")[0].lower()
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    """The q of an Accept-Language entry (RFC 9110, 12.4.2): 1 without one, 0 when it is not understood."""
    if not parameter.strip():
        return 1.0
    match = re.fullmatch(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", parameter, re.IGNORECASE)
    return float(match[1]) if match else 0.0


def _compiled(catalog: Catalog) -> gettext.GNUTranslations:
    for message in catalog:
        if not message.id:
            continue
        strings = message.string or ""
        message.string = _typeset(strings) if isinstance(strings, str) else tuple(_typeset(one) for one in strings)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _typeset(french: str) -> str:
    """French as printers set it: no-break spaces before : ; ? » and after «, which translators type as plain spaces."""
    french = re.sub(r" (?=[:»])|(?<=«) ", "\N{NO-BREAK SPACE}", french)
    return re.sub(r" (?=[;?])", "\N{NARROW NO-BREAK SPACE}", french)
