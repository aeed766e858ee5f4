"""Who comes in at an event's door: the same decision at a terminal without network and, later, on the server.

A ticket is for one person: it goes in, may go out, and comes in again. Passages are what terminals have seen of it so
far; one that another terminal has not sent yet is not among them, so a ticket can go in twice. That is told afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

Direction = Literal["in", "out"]
State = Literal["valid", "void", "refunded"]
# in: comes in for the first time. again: was out. out: goes out. The others are refusals.
Answer = Literal["in", "again", "out", "inside", "not_inside", "wrong_event", "refunded", "void", "early", "over"]

PASSED: Final[frozenset[Answer]] = frozenset({"in", "again", "out"})
# Musicians load out, and somebody looks for a coat.
AFTER_END_US: Final = 3 * 3600 * 1_000_000

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Opening:
    """When a door lets people in, microseconds since the epoch."""

    doors_at_us: int
    ends_at_us: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One that happened. `terminal`: its name, for people."""

    direction: Direction
    at_us: int
    terminal: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`last`: the passage that it goes back to, where one does."""

    answer: Answer
    last: Passage | None = None

    @property
    def passes(self) -> bool:
        return self.answer in PASSED


def decide(
    state: State,
    opening: Opening,
    passages: Sequence[Passage],
    direction: Direction,
    now_us: int,
    *,
    here: bool = True,
    anyway: bool = False,
) -> Decision:
    """`here`: the ticket is for this event. `anyway`: whoever stands at the door lets people in before its time.

    Whoever is inside gets out whatever became of the ticket.
    """
    last = latest(passages)
    if not here:
        return Decision("wrong_event")
    if direction == "out":
        return Decision("out" if last and last.direction == "in" else "not_inside", last)
    if state != "valid":
        return Decision(state, last)
    if last and last.direction == "in":
        return Decision("inside", last)
    if now_us >= opening.ends_at_us + AFTER_END_US:
        return Decision("over", last)
    if now_us < opening.doors_at_us and not anyway:
        return Decision("early", last)
    return Decision("again" if last else "in", last)


def latest(passages: Iterable[Passage]) -> Passage | None:
    """By the terminals' clocks; of two in one instant, the way out."""
    return max(passages, key=lambda it: (it.at_us, it.direction == "out"), default=None)


def inside(passages: Mapping[K, Sequence[Passage]]) -> set[K]:
    """Tickets whose holders are in the house."""
    return {key for key, seen in passages.items() if (last := latest(seen)) and last.direction == "in"}


def doubtful(passages: Sequence[Passage]) -> list[tuple[Passage, Passage]]:
    """(the earlier, the later) of each two that let one ticket in without a way out between them: a copy came in, or
    somebody went out unseen."""
    turns = sorted(passages, key=lambda it: (it.at_us, it.direction == "out"))
    return [
        (before, after) for before, after in itertools.pairwise(turns) if before.direction == after.direction == "in"
    ]
