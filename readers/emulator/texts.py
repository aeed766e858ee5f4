"""The card tray's words. A page of the demo only, so they stand here and not in the message catalogs."""

from __future__ import annotations

from babel.core import negotiate_locale

LANGUAGES = ("fr", "en")

TEXTS: dict[str, dict[str, str]] = {
    "fr": {
        "title": "Le plateau de cartes",
        "intro": "Choisissez une carte : elle se pose sur le lecteur, puis elle revient.",
        "reader": "Lecteur",
        "choose_reader": "Sur quel lecteur ?",
        "cards": "Cartes",
        "empty_reader": "Aucune carte posée",
        "on_reader": "Sur le lecteur",
        "hold": "Laisser la carte posée",
        "remove": "Reprendre la carte",
        "present": "Poser la carte sur le lecteur",
        "page": "Page de la carte",
        "search": "Chercher une carte",
        "no_match": "Aucune carte ne correspond.",
        "no_cards": "Ce plateau n’a pas encore de carte.",
        "lost": "Le plateau ne répond plus. Si la démonstration est arrêtée, relancez-la : cette page reprendra seule.",
        "needs_script": "Cette page a besoin de JavaScript.",
        "other_language": "English",
    },
    "en": {
        "title": "The card tray",
        "intro": "Choose a card: it is laid on the reader, then comes back.",
        "reader": "Reader",
        "choose_reader": "On which reader?",
        "cards": "Cards",
        "empty_reader": "No card on it",
        "on_reader": "On the reader",
        "hold": "Leave the card there",
        "remove": "Take the card back",
        "present": "Lay the card on the reader",
        "page": "The card’s page",
        "search": "Find a card",
        "no_match": "No card matches.",
        "no_cards": "There is no card on this tray yet.",
        "lost": "The tray does not answer. If the demo was stopped, start it again: this page will carry on by itself.",
        "needs_script": "This page needs JavaScript.",
        "other_language": "Français",
    },
}


def language_for(accept_language: str, chosen: str | None = None) -> str:
    """The language of a page: the one chosen by hand, else what the browser likes best, else French."""
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if weight > 0:
            wanted.append((-weight, tag))
    return negotiate_locale([tag for _, tag in sorted(wanted)], LANGUAGES, sep="-") or LANGUAGES[0]
