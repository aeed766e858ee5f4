"""How long what is on cards has been there (the oldest money is spent first), and how long its cards have rested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.ledger.figures import reads
from app.ledger.service import Ledger
from app.web import N_, Texts

# Upper ends in days, of 0 to 1, 1 to 3, 3 to 6, 6 to 12 and 12 to 24 months; what is older is in the last part.
ENDS = (30, 91, 182, 365, 730)
_NAMES = (
    N_("up to 1 month"),
    N_("1 to 3 months"),
    N_("3 to 6 months"),
    N_("6 to 12 months"),
    N_("1 to 2 years"),
    N_("more than 2 years"),
)


@dataclass(frozen=True, slots=True)
class Rest:
    """Minor units on cards that last moved so long ago, and how many these are."""

    amount: int = 0
    cards: int = 0


def names(texts: Texts) -> list[str]:
    return [texts.gettext(it) for it in _NAMES]


def part_of(loaded: date, today: date) -> int:
    """Which part of `ENDS` money loaded on that day is in."""
    age = (today - loaded).days
    return next((place for place, end in enumerate(ENDS) if age <= end), len(ENDS))


async def unspent(ledger: Ledger, today: date) -> Mapping[str, Sequence[int]]:
    """By currency: minor units on cards in each part, youngest first."""
    found: dict[str, list[int]] = {}
    for it in await reads.unspent(ledger.reader):
        found.setdefault(it.book.currency, [0] * (len(ENDS) + 1))[part_of(it.day, today)] += it.amount
    return found


async def dormant(ledger: Ledger, today: date) -> Mapping[str, Sequence[Rest]]:
    """By currency: what is on cards by how long ago each was last used or topped up, in the same parts."""
    found: dict[str, list[Rest]] = {}
    for it in await reads.resting(ledger.reader):
        parts = found.setdefault(it.book.currency, [Rest()] * (len(ENDS) + 1))
        place = part_of(it.day, today)
        parts[place] = Rest(parts[place].amount + it.amount, parts[place].cards + it.wallets)
    return found
