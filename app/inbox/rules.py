"""What a fault is, how pressing it is, and where it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

State = Literal["open", "waiting", "done"]
Act = Literal["take", "give", "wait", "open", "note", "done", "book"]

# The first are the most pressing: money that is missing, money that nobody has, what only looks odd.
URGENCY: Mapping[str, int] = {
    "reserve-short": 0,
    "forked-journal": 0,
    "payment-not-known": 0,
    "paid-not-credited": 0,
    "paid-otherwise": 0,
    "payment-stray": 0,
    "chargeback": 1,
    "payment-failed": 1,
    "payout-late": 1,
    "dispute-unanswered": 1,
    "not-booked": 1,
    "unreadable": 1,
    "currency-unknown": 1,
    "unknown-card": 2,
    "blocked-card": 2,
    "offline-overdraft": 2,
    "bank-line": 2,
    "payout-line": 2,
    "late-rows": 2,
    "line-disputed": 2,
    "sale-disputed": 2,
    "let-in-twice": 2,
    "put-off": 3,
    "till-difference": 3,
    "not-undone": 3,
    "ticket-not-leased": 2,
    "void-of-unknown-sale": 3,
}
LEAST = 4

# What is put right elsewhere, and over by itself once it is: closing it here would only hide it.
NOT_TO_CLOSE = frozenset(
    {
        *("reserve-short", "forked-journal", "late-rows", "bank-line", "line-disputed", "put-off"),
        *("sale-disputed", "dispute-unanswered"),
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """`key`: what names it for ever, as in "sale:<id>". `cause`: whether it still stands; None where there is nothing
    to put right, only to be seen. `venue` None: the network's own. `operation`: what was booked, if anything was.
    `facts`: what its kind tells (app.inbox.words). `owner`: whose it is while nobody took it."""

    key: str
    kind: str
    at_us: int
    venue: UUID | None = None
    terminal: UUID | None = None
    operation: UUID | None = None
    cause: bool | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""

    @property
    def urgency(self) -> int:
        return URGENCY.get(self.kind, LEAST)


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did about a fault, and how it stood after that. `owner` "": nobody's."""

    number: int
    act: Act
    state: State
    owner: str
    text: str
    operation: UUID | None
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Case:
    """A fault and what was done about it, the first step first."""

    fault: Fault
    steps: tuple[Step, ...] = ()

    @property
    def owner(self) -> str:
        return self.steps[-1].owner if self.steps else self.fault.owner

    @property
    def number(self) -> int:
        """Of the newest step, 0 before the first."""
        return self.steps[-1].number if self.steps else 0

    @property
    def said(self) -> State:
        """How it stands by what people said, whatever the facts say."""
        return self.steps[-1].state if self.steps else "open"

    @property
    def state(self) -> State:
        """A fault whose cause is gone is done, whoever saw to it."""
        return "done" if self.fault.cause is False else self.said

    @property
    def unwritten(self) -> bool:
        """Done, for its cause is gone, and no step says so yet."""
        return self.fault.cause is False and self.said != "done"

    @property
    def by_itself(self) -> bool:
        """Done without anybody's doing."""
        return self.fault.cause is False and not any(it.act in {"done", "book"} for it in self.steps)

    @property
    def needs_reason(self) -> bool:
        """To be closed though its cause stands."""
        return self.fault.cause is True

    @property
    def may_close(self) -> bool:
        return not (self.fault.cause and self.fault.kind in NOT_TO_CLOSE)


def in_order(cases: Iterable[Case]) -> list[Case]:
    """What is most pressing first; of what presses alike, what has waited longest."""
    return sorted(cases, key=lambda it: (it.state != "open", it.fault.urgency, it.fault.at_us, it.fault.key))
