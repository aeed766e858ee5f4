"""The counter as a state machine: a basket, a card, a result. Pure transitions; whoever does the I/O calls them.

    ready --ask--> present_card --card--> checking --conclude--> paid | refused --card left, or time is up--> ready
                        |                                             |
                        +--withdraw--> ready                          +--ask--> present_card (the next customer)
                                                                      +--go on--> checking (staff take the rest)

A refusal that staff can do something about (`open`) stays until they do, or put it away: they may take the rest
themselves, or ask for a second card as for the first.

A card acts once for each time it is laid on the reader: after it was checked it must leave before it acts again, or a
card that is forgotten there would pay for the next customer too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from app.rules.offline import Assurance
from readers.terminal.shop import Basket
from readers.terminal.view import Amount, Phase, RestMeans, Result

# look.md: "Result stays until the card leaves or 3 s". A quick hand takes its card away in a third of a second, and
# somebody has to be able to read the result: so it stays for the first of these at least.
RESULT_NS_MIN = 1_500_000_000
RESULT_NS_MAX = 3_000_000_000
# Whoever gives change back counts it out from the screen.
CHANGE_NS = 10_000_000_000
# A card that is looked at has several lines to read, for somebody who took it back at once.
LOOK_NS = 8_000_000_000
RESULT_NS = (RESULT_NS_MIN, RESULT_NS_MAX, LOOK_NS, CHANGE_NS)

Hint = Literal["unusable_card", "two_cards", "remove_card", "other_card", "card_left"]


@dataclass(frozen=True, slots=True)
class Card:
    """A card on the reader: its whole UID in upper-case hexadecimal, and how sure we are of it."""

    uid: str
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Held:
    """A card that pays, and what it holds in minor units by currency, as far as we know."""

    card: Card
    available: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pending:
    """A sale whose intent is in the journal, and `asked`, the id of the first sale that was tried for its basket.

    `first`: cards that paid their part already and left `missing` to pay, to the next card or, by `rest`, to staff.
    """

    sale: UUID
    basket: Basket
    cashier: UUID
    asked: UUID
    first: tuple[Held, ...] = ()
    rest: RestMeans | None = None
    missing: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A card is asked for something else than a basket: `act` says what, `wish` what staff want of it.

    `sale` is the act's own id, named as a sale's because the journal knows the intent by it; `journalled`: there is
    one. `amounts` is what the screen says that it is about. A card that only `looks` is not used up by it: the same
    card may pay next without being lifted.
    """

    sale: UUID
    act: str
    wish: object
    cashier: UUID
    amounts: tuple[Amount, ...] = ()
    journalled: bool = True
    looks: bool = False
    first: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Counter:
    """`card` is what lies on the reader now; `spent`: it was checked since it was laid there.

    `open` is a basket that was refused and may still be paid in another way. `again`: the card left before it was done
    with, and is waited for.
    """

    phase: Phase = "ready"
    pending: Pending | Ask | None = None
    result: Result | None = None
    result_ns: int = 0
    open: Pending | None = None
    card: Card | None = None
    spent: bool = False
    trouble: Literal["unusable_card", "two_cards"] | None = None
    again: bool = False

    @property
    def hint(self) -> Hint | None:
        if self.phase != "present_card":
            return None
        if self.trouble or self.card is None:
            return self.trouble or ("card_left" if self.again else None)
        return "remove_card" if self.spent else "other_card" if self._has_paid else None

    @property
    def free(self) -> bool:
        """Whether a new sale may begin."""
        return self.phase in ("ready", "paid", "refused")

    @property
    def may_check(self) -> Card | None:
        """The card to check now, if a sale waits for one and there is one that may act."""
        if self.phase != "present_card" or self.spent or self.trouble or self._has_paid:
            return None
        return self.card

    @property
    def _has_paid(self) -> bool:
        """Whether the card on the reader is one that this basket was already taken from."""
        first = self.pending.first if self.pending else ()
        return self.card is not None and self.card.uid in {held.card.uid for held in first}

    # What staff do

    def ask(self, pending: Pending | Ask) -> Counter:
        """The intent is in the journal, if there is one: ask for a card."""
        return replace(self, phase="present_card", pending=pending, result=None, open=None, again=False)

    def go_on(self, pending: Pending) -> Counter:
        """Staff take the rest themselves: the cards that were presented pay what they hold. No card acts anew."""
        return replace(self, phase="checking", pending=pending, result=None, open=None)

    def withdraw(self) -> Counter:
        """The basket was taken back before any card acted."""
        return replace(self, phase="ready", pending=None, again=False)

    def dismiss(self) -> Counter:
        """Close the result on the screen."""
        return replace(self, phase="ready", result=None, open=None) if self.phase in ("paid", "refused") else self

    # What happens on the reader

    def seen(self, card: Card) -> Counter:
        return replace(self, card=card, spent=False, trouble=None)

    def troubled(self, trouble: Literal["unusable_card", "two_cards"]) -> Counter:
        return replace(self, trouble=trouble)

    def gone(self, now_ns: int) -> Counter:
        return replace(self, card=None, spent=False, trouble=None).at(now_ns)

    # What the decision does

    def check(self) -> Counter:
        """The card on the reader is being checked; it is spent whatever comes of it, unless it was only looked at."""
        return replace(
            self, phase="checking", again=False, spent=not (isinstance(self.pending, Ask) and self.pending.looks)
        )

    def ask_again(self, pending: Pending) -> Counter:
        """The card left too soon: nothing was decided, and the same sale waits for it."""
        return replace(self, phase="present_card", pending=pending, again=True)

    def conclude(self, result: Result, now_ns: int, open_: Pending | None = None) -> Counter:
        """Show how the tap ended; `now_ns` is the monotonic clock, `open_` what may still be done about a refusal."""
        phase: Phase = "paid" if result.reason is None else "refused"
        return replace(self, phase=phase, pending=None, result=result, result_ns=now_ns, open=open_)

    def at(self, now_ns: int) -> Counter:
        """The state at a later instant: a result that was shown long enough goes away."""
        if self.phase not in ("paid", "refused") or self.open:
            return self
        shown_ns = now_ns - self.result_ns
        return self.dismiss() if shown_ns >= self._shown_ns else self

    @property
    def _shown_ns(self) -> int:
        """How long the result stays."""
        if self.result and any(part.given is not None for part in self.result.taken):
            return CHANGE_NS
        if self.result and self.result.told:
            return LOOK_NS
        return RESULT_NS_MAX if self.card and self.spent else RESULT_NS_MIN
