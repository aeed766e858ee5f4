"""What a room does with the rows of a journal that are its own.

Rooms on one floor do not know each other, and a journal holds rows of several of them. So each room has a table of its
kinds of row, made of what stands here; app.main puts the tables together, and the intake books by them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.currencies.service import Currency
from app.identity.staff import Staff
from app.ledger.rules.operations import Posted
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.rules.business_day import day_that_counts
from app.terminals.service import Terminal
from app.venues.service import Venue
from app.wire import Row


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row was written: the terminal, its venue, and the network's currencies."""

    terminal: Terminal
    venue: Venue
    currencies: Mapping[str, Currency]

    @property
    def actor(self) -> str:
        return f"terminal:{self.terminal.id}"


@dataclass(slots=True)
class Exceptions:
    """What needs a person, gathered while rows are booked: (event, kind, details)."""

    found: list[tuple[UUID, str, dict[str, object]]] = field(default_factory=list)

    def add(self, event: UUID, kind: str, **details: object) -> None:
        self.found.append((event, kind, details))


# Rows of one kind that follow each other in a journal, in order. What was delivered has happened: it is booked, or
# becomes an exception, and never raises for what is wrong with it. Only what asking again may heal is raised
# (Unavailable). Taken in again, the same rows book nothing twice.
# The second argument is a Place or more: app.sales.booking.Counter is one with the rules of its currencies.
BookRows = Callable[[Ledger, Any, Sequence[Any], Exceptions], Awaitable[None]]

HandlersOf = Mapping[type[Row], BookRows]

# One row that is asked for while a card lies on the reader: booked now, or a DomainError says why not. Staff: the
# cashier that the row names. Asked again, what was booked is told again.
AskRow = Callable[[Ledger, Place, Staff, Any], Awaitable[Posted]]

Asks = Mapping[type[Row], AskRow]

# What the operations are called that terminals ask for beside sales: a snapshot must know which of them it contains.
ASKED_KINDS = ("topup.cash", "refund.cash", "shift", "gift", "contribution")
# And when one of them is taken back, which is asked for too.
UNDONE_KINDS = tuple(f"{kind}.reversal" for kind in ASKED_KINDS)


def day_of(place: Place, at_us: int) -> tuple[date, bool]:
    """(business day, late) of what happened at a place at this instant by its terminal's clock."""
    now = now_us()
    return day_that_counts(place.venue.day_of(at_us), at_us, place.venue.day_of(now), now)
