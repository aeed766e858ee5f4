"""The cash of a drawer in the books of its venue: against what it was laid in, taken out, or found to differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KIND: Final = "drawer"
_AGAINST: Final = {
    "to_safe": "till.safe",
    "change": "till.safe",
    "supplier": "drawer.supplier",
    "other": "drawer.other",
}
_REASONS: Final = {"to_safe": "coffre", "change": "monnaie", "supplier": "fournisseur", "other": "autre"}


def booked(details: Mapping[str, Any]) -> tuple[str, int]:
    """(the account's key against which the cash stands, euro cents that the drawer gains)."""
    cents: int = details["cents"]
    match details["kind"]:
        case "float":
            return "till.safe", cents
        case "difference":
            return ("drawer.over" if cents > 0 else "drawer.short"), cents
        case _:
            return _AGAINST[details["reason"]], cents


def label(details: Mapping[str, Any]) -> str:
    match details["kind"]:
        case "float":
            said = f"Fond de caisse, clôture no {details['number']}"
        case "difference":
            said = f"Écart de caisse, clôture no {details['number']}"
        case _:
            way = "Entrée en caisse" if details["cents"] > 0 else "Sortie de caisse"
            said = f"{way}, {_REASONS[details['reason']]}"
    return f"{said} : {note}" if (note := details.get("note", "").strip()) else said
