"""First in, first out: which load a purse's spending comes from. Pure; the ledger's transfers in, what changed out.

A purse is a holder's wallet and overdraft in one book. What is loaded is a lot; what is spent takes from the oldest
lots; what is spent beyond them is a shortfall, which the next load makes good before it becomes a lot. A void gives
back what its sale took, last taken first, to the lots it came from in age and origin.

Always: what remains of a purse's lots, less what remains of its shortfalls, is wallet + overdraft.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

NOWHERE = UUID(int=0)

PurseKey = tuple[int, str]


class Leg(NamedTuple):
    """A transfer into or out of purses, in minor units. `debit`, `credit`: the purse (book, owner) on that side, if it
    is one. `purpose`, `venue`: kind and venue of the account that a purse paid. `origin`: the venue where this was
    loaded. `takes_back`: the transfer that it reverses."""

    transfer: int
    amount: int
    day: date
    debit: PurseKey | None
    credit: PurseKey | None
    purpose: str
    venue: UUID
    origin: UUID
    takes_back: int | None


@dataclass(slots=True)
class Lot:
    transfer: int
    part: int
    purse: PurseKey
    origin: UUID
    day: date
    amount: int
    remaining: int


@dataclass(slots=True)
class Use:
    transfer: int
    place: int
    origin: UUID
    day: date
    amount: int
    returned: int = 0


@dataclass(slots=True)
class Shortfall:
    transfer: int
    purse: PurseKey
    purpose: str
    venue: UUID
    amount: int
    remaining: int


class Cell(NamedTuple):
    """`day`: when it went; `origin`: where it had been loaded; `purpose`, `venue`: where it went."""

    day: date
    book: int
    origin: UUID
    purpose: str
    venue: UUID


class Piece(NamedTuple):
    """An amount of one origin and age."""

    origin: UUID
    day: date
    amount: int


@dataclass(slots=True)
class Lots:
    """Open lots and shortfalls of the purses that are touched, and the uses of what is taken back; `apply` changes
    them in place. `cells`: what moved from where to where."""

    lots: defaultdict[PurseKey, list[Lot]] = field(default_factory=lambda: defaultdict(list))
    shortfalls: defaultdict[PurseKey, list[Shortfall]] = field(default_factory=lambda: defaultdict(list))
    uses: defaultdict[int, list[Use]] = field(default_factory=lambda: defaultdict(list))
    short_by: dict[int, Shortfall] = field(default_factory=dict)
    paid: dict[int, tuple[str, UUID]] = field(default_factory=dict)
    cells: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))

    def apply(self, leg: Leg) -> None:
        if leg.debit is not None and leg.credit is not None:
            self._load(leg, leg.credit, self._spend(leg, leg.debit))
        elif leg.debit is not None:
            self._spend(leg, leg.debit)
        elif leg.credit is not None:
            taken_back = self._take_back(leg) if leg.takes_back is not None else None
            self._load(leg, leg.credit, [Piece(leg.origin, leg.day, leg.amount)] if taken_back is None else taken_back)

    def _spend(self, leg: Leg, purse: PurseKey) -> list[Piece]:
        """Take from the oldest lots; what it was made of, beyond the lots without an origin."""
        missing, used, uses = leg.amount, [], self.uses[leg.transfer]
        self.paid[leg.transfer] = leg.purpose, leg.venue
        open_lots = self.lots[purse]
        for lot in open_lots:
            if not missing:
                break
            if taken := min(missing, lot.remaining):
                lot.remaining -= taken
                missing -= taken
                uses.append(Use(leg.transfer, len(uses), lot.origin, lot.day, taken))
                used.append(Piece(lot.origin, lot.day, taken))
                self.cells[Cell(leg.day, purse[0], lot.origin, leg.purpose, leg.venue)] += taken
        if missing:
            short = Shortfall(leg.transfer, purse, leg.purpose, leg.venue, missing, missing)
            self.shortfalls[purse].append(short)
            self.short_by[leg.transfer] = short
            used.append(Piece(NOWHERE, leg.day, missing))
        return used

    def _load(self, leg: Leg, purse: PurseKey, pieces: Iterable[Piece]) -> None:
        """Make the oldest shortfalls good; the rest becomes lots, in the order of their age."""
        part = 0
        for piece in pieces:
            left = piece.amount
            for short in self.shortfalls[purse]:
                if not left:
                    break
                if filled := min(left, short.remaining):
                    short.remaining -= filled
                    left -= filled
                    uses = self.uses[short.transfer]
                    uses.append(Use(short.transfer, len(uses), piece.origin, piece.day, filled))
                    self.cells[Cell(leg.day, purse[0], piece.origin, short.purpose, short.venue)] += filled
            if left:
                self.lots[purse].append(Lot(leg.transfer, part, purse, piece.origin, piece.day, left, left))
                part += 1
        self.lots[purse].sort(key=lambda it: (it.day, it.transfer, it.part))

    def _take_back(self, leg: Leg) -> list[Piece] | None:
        """What a purse gets back of the transfer that is reversed: first what it had not paid yet, then what it had,
        last taken first. None where that transfer took nothing from a purse."""
        original = leg.takes_back
        if original is None or original not in self.paid:
            return None
        left, pieces = leg.amount, []
        if (short := self.short_by.get(original)) is not None and short.remaining:
            # The debt is gone with its cause: nothing comes back for it.
            cancelled = min(left, short.remaining)
            short.remaining -= cancelled
            left -= cancelled
        purpose, venue = self.paid[original]
        book = leg.credit[0] if leg.credit is not None else 0
        for use in reversed(self.uses[original]):
            if not left:
                break
            if back := min(left, use.amount - use.returned):
                use.returned += back
                left -= back
                pieces.append(Piece(use.origin, use.day, back))
                self.cells[Cell(leg.day, book, use.origin, purpose, venue)] -= back
        if left:
            pieces.append(Piece(NOWHERE, leg.day, left))
        return pieces
