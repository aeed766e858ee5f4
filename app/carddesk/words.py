"""States of cards in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.cards.listing import State
from app.web import N_


@dataclass(frozen=True, slots=True)
class Said:
    """`said`: one card's state; `many`: that of several; `tint` and `icon`: of its tag."""

    said: str
    many: str
    tint: str
    icon: str | None = None


STATES: Final[Mapping[State, Said]] = {
    "active": Said(N_("Usable"), N_("Usable cards"), "good"),
    "blocked": Said(N_("Blocked"), N_("Blocked cards"), "bad", "block"),
    "replaced": Said(N_("Replaced"), N_("Replaced cards"), "calm"),
    "retired": Said(N_("Retired"), N_("Retired cards"), "calm"),
}
