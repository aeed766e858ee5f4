"""What a terminal knows at a door: events, tickets, and who is inside as far as it was told. It decides alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from app.rules.door import Decision, Direction, Opening, Passage, decide, inside
from app.wire.door import DoorEvent, DoorList, DoorPassage, DoorTicket

LISTED_MAX = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket and how it was decided at this door. `ticket` None: signed by the server, and newer than our list."""

    id: UUID
    event: UUID
    ticket: DoorTicket | None
    decision: Decision


@dataclass(slots=True)
class DoorBook:
    """`take` a newer list, `add` passages; both as often as anyone likes."""

    events: dict[UUID, DoorEvent] = field(default_factory=dict)
    tickets: dict[UUID, DoorTicket] = field(default_factory=dict)
    _by_card: dict[str, list[DoorTicket]] = field(default_factory=dict)
    _known: dict[UUID, DoorPassage] = field(default_factory=dict)
    _of: dict[UUID, list[Passage]] = field(default_factory=dict)

    def take(self, told: DoorList) -> None:
        self.events = {it.id: it for it in told.events}
        self.tickets = {it.id: it for it in told.tickets}
        by_card: dict[str, list[DoorTicket]] = {}
        for it in told.tickets:
            for uid in it.cards:
                by_card.setdefault(uid, []).append(it)
        self._by_card = by_card
        kept = [it for it in self._known.values() if it.at_event in self.events]
        self._known, self._of = {}, {}
        self.add(kept)

    def add(self, passages: Iterable[DoorPassage]) -> bool:
        """Whether any of them was new."""
        new = [it for it in passages if it.id not in self._known]
        for it in new:
            self._known[it.id] = it
            self._of.setdefault(it.ticket, []).append(Passage(it.direction, it.at_us, it.terminal))
        return bool(new)

    @property
    def passages(self) -> tuple[DoorPassage, ...]:
        return tuple(self._known.values())

    def of_card(self, uid: str) -> list[DoorTicket]:
        return self._by_card.get(uid, [])

    def judge(
        self, event: DoorEvent, ticket: UUID, of: UUID, direction: Direction, now_us: int, *, anyway: bool = False
    ) -> Shown:
        """`of`: the event that the ticket is for. One that is not in our list was signed by the server since."""
        known = self.tickets.get(ticket)
        opening = Opening(event.doors_at_us, event.ends_at_us)
        state = known.state if known else "valid"
        here = of == event.id and (known is None or known.event == of)
        decision = decide(state, opening, self._of.get(ticket, ()), direction, now_us, here=here, anyway=anyway)
        return Shown(ticket, of, known, decision)

    def inside(self, event: UUID) -> int:
        at = {it.ticket for it in self._known.values() if it.at_event == event}
        return len(inside({id_: self._of[id_] for id_ in at}))

    def expected(self, event: UUID) -> int:
        """Tickets that are valid."""
        return sum(1 for it in self.tickets.values() if it.event == event and it.state == "valid")

    def inside_now(self, ticket: UUID) -> bool:
        return bool(inside({ticket: self._of.get(ticket, ())}))

    def find(self, event: UUID, text: str) -> list[DoorTicket]:
        """By a part of the name, or by the ticket's number; without either all, by name."""
        wanted = text.strip().casefold()
        found = [
            it
            for it in self.tickets.values()
            if it.event == event and (wanted in (it.name or "").casefold() or wanted == str(it.serial))
        ]
        return sorted(found, key=lambda it: (not it.name, (it.name or "").casefold(), it.serial))[:LISTED_MAX]
