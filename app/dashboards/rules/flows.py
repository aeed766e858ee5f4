"""Loads and spends: what a movement between two kinds of account is, and days in stretches. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

PURSE = frozenset({"wallet", "overdraft"})
REVERSAL = ".reversal"
LEAST_SHOWN = 7

Step = Literal["day", "week", "month"]


class Movement(Protocol):
    @property
    def day(self) -> date: ...
    @property
    def kind(self) -> str: ...
    @property
    def debit(self) -> str: ...
    @property
    def credit(self) -> str: ...
    @property
    def amount(self) -> int: ...


@dataclass(slots=True)
class Flows:
    """Minor units. `loaded`: put onto cards, less what of it was undone. `spent`: sold to cards, less what was taken
    back, as the positions have it. `left`: left cards without buying anything, refunded or lapsed."""

    loaded: int = 0
    spent: int = 0
    left: int = 0

    def add(self, it: Movement) -> None:
        if it.kind in {"sale", f"sale{REVERSAL}"}:
            self.spent += it.amount * ((it.credit == "claim") - (it.debit == "claim"))
        if it.debit == "issuance" and it.credit in PURSE:
            self.loaded += it.amount
        elif it.credit == "issuance" and it.debit in PURSE:
            if it.kind.endswith(REVERSAL):
                self.loaded -= it.amount
            else:
                self.left += it.amount


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days that are shown as one, both included."""

    first: date
    last: date


def stretches(first: date, last: date, step: Step) -> list[Stretch]:
    """All days from `first` to `last`: single, in weeks from Monday, or in months; those at the ends may be cut off."""
    found: list[Stretch] = []
    while first <= last:
        if step == "day":
            end = first
        elif step == "week":
            end = first + timedelta(days=6 - first.weekday())
        else:
            end = first.replace(day=monthrange(first.year, first.month)[1])
        found.append(Stretch(first, min(end, last)))
        first = end + timedelta(days=1)
    return found


def first_moved(flows: Sequence[Flows], held: Sequence[tuple[int, int]]) -> int:
    """From where on there is something to show; a new money has nothing before. LEAST_SHOWN are always shown."""
    nothing = Flows()
    moved = next((place for place, it in enumerate(flows) if it != nothing or any(held[place])), len(flows))
    return max(0, min(moved, len(flows) - LEAST_SHOWN))


def by_stretch(movements: Iterable[Movement], of: Sequence[Stretch]) -> Mapping[Stretch, Flows]:
    """The sums of each; what lies in none is left out. Stretches are in order and do not overlap."""
    found = {it: Flows() for it in of}
    place_of = {it.first + timedelta(days=day): it for it in of for day in range((it.last - it.first).days + 1)}
    for movement in movements:
        stretch = place_of.get(movement.day)
        if stretch is not None:
            found[stretch].add(movement)
    return found
