"""What a terminal needs to know at an event's door, and what it tells of it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.rules.door import PASSED, Answer, Direction, State
from app.wire.base import CardUid, InstantUs, Message, Row


class DoorEvent(Message):
    """`titles`: by language, "fr" always."""

    id: UUID
    titles: dict[str, str]
    doors_at_us: InstantUs
    starts_at_us: InstantUs
    ends_at_us: InstantUs
    capacity: Annotated[int, Field(ge=0)]


class DoorTicket(Message):
    """`price`: its names by language. `name`: of who comes with it, where it was asked. `cards`: those of its wallet
    that are not blocked."""

    id: UUID
    event: UUID
    serial: Annotated[int, Field(ge=1)]
    state: State
    price: dict[str, str]
    name: str | None = None
    cards: tuple[CardUid, ...] = ()


class DoorList(Message):
    """The events whose doors a terminal may stand at today, with all their tickets."""

    device: UUID
    events: tuple[DoorEvent, ...] = ()
    tickets: tuple[DoorTicket, ...] = ()


class DoorPassage(Message):
    """One that some terminal saw. `terminal`: its name."""

    id: UUID
    ticket: UUID
    at_event: UUID
    direction: Direction
    at_us: InstantUs
    terminal: str


class DoorPassages(Message):
    """Those that reached the server since it was asked last; `until_us` is what to ask from next time. Some come
    twice."""

    passages: tuple[DoorPassage, ...]
    until_us: InstantUs


class PassageRow(Row):
    """A ticket was shown at a door, and how it was decided. Only what passes counts; the rest is evidence."""

    kind: Literal["passage"] = "passage"
    id: UUID
    ticket: UUID
    at_event: UUID
    direction: Direction
    result: Answer
    means: Literal["card", "code", "list"]
    cashier: UUID | None = None
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.id

    @property
    def passed(self) -> bool:
        return self.result in PASSED
