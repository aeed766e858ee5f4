"""The counter as a state machine: a basket, a card, a result. Pure transitions; whoever does the I/O calls them.

    ready --ask--> present_card --card--> checking --conclude--> paid | refused --card left, or time is up--> ready
                        |                                             |
                        +--withdraw--> ready                          +--ask--> present_card (the next customer)

A card acts once for each time it is laid on the reader: after it was checked it must leave before it acts again, or a
card that is forgotten there would pay for the next customer too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from app.rules.offline import Assurance
from readers.terminal.shop import Basket
from readers.terminal.view import Phase, Result

# look.md: "Result stays until the card leaves or 3 s". A quick hand takes its card away in a third of a second, and
# somebody has to be able to read the result: so it stays for the first of these at least.
RESULT_NS_MIN = 1_500_000_000
RESULT_NS_MAX = 3_000_000_000

Hint = Literal["unusable_card", "two_cards", "remove_card"]


@dataclass(frozen=True, slots=True)
class Card:
    """A card on the reader: its whole UID in upper-case hexadecimal, and how sure we are of it."""

    uid: str
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Pending:
    """A sale whose intent is in the journal."""

    sale: UUID
    basket: Basket
    cashier: UUID


@dataclass(frozen=True, slots=True)
class Counter:
    """`card` is what lies on the reader now; `spent`: it was checked since it was laid there."""

    phase: Phase = "ready"
    pending: Pending | None = None
    result: Result | None = None
    result_ns: int = 0
    card: Card | None = None
    spent: bool = False
    trouble: Literal["unusable_card", "two_cards"] | None = None

    @property
    def hint(self) -> Hint | None:
        if self.phase != "present_card":
            return None
        return self.trouble or ("remove_card" if self.card and self.spent else None)

    @property
    def free(self) -> bool:
        """Whether a new sale may begin."""
        return self.phase in ("ready", "paid", "refused")

    @property
    def may_check(self) -> Card | None:
        """The card to check now, if a sale waits for one and there is one that may act."""
        if self.phase != "present_card" or self.spent or self.trouble:
            return None
        return self.card

    # What staff do

    def ask(self, pending: Pending) -> Counter:
        """The sale's intent is in the journal: ask for a card."""
        return replace(self, phase="present_card", pending=pending, result=None)

    def withdraw(self) -> Counter:
        """The basket was taken back before any card acted."""
        return replace(self, phase="ready", pending=None)

    def dismiss(self) -> Counter:
        """Close the result on the screen."""
        return replace(self, phase="ready", result=None) if self.phase in ("paid", "refused") else self

    # What happens on the reader

    def seen(self, card: Card) -> Counter:
        return replace(self, card=card, spent=False, trouble=None)

    def troubled(self, trouble: Literal["unusable_card", "two_cards"]) -> Counter:
        return replace(self, trouble=trouble)

    def gone(self, now_ns: int) -> Counter:
        return replace(self, card=None, spent=False, trouble=None).at(now_ns)

    # What the decision does

    def check(self) -> Counter:
        """The card on the reader is being checked; it is spent whatever comes of it."""
        return replace(self, phase="checking", spent=True)

    def conclude(self, result: Result, now_ns: int) -> Counter:
        """Show how the tap ended; `now_ns` is the monotonic clock."""
        phase: Phase = "paid" if result.reason is None else "refused"
        return replace(self, phase=phase, pending=None, result=result, result_ns=now_ns)

    def at(self, now_ns: int) -> Counter:
        """The state at a later instant: a result that was shown long enough goes away."""
        if self.phase not in ("paid", "refused"):
            return self
        shown_ns = now_ns - self.result_ns
        over = shown_ns >= (RESULT_NS_MAX if self.card and self.spent else RESULT_NS_MIN)
        return self.dismiss() if over else self
