"""The door of an event at this terminal: a card, a code or a name, and a decision that is in the journal before the
light turns green."""

from __future__ import annotations

import base64
from collections.abc import Callable
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.rules.door import Direction
from app.rules.ids import uuid7
from app.rules.tickets import NoTicket, verified
from app.wire.door import DoorEvent, DoorTicket, PassageRow
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link
from readers.sync.door import passage_of
from readers.terminal.commands import TillError
from readers.terminal.door import DoorBook, Shown
from readers.terminal.view import DoorListed, DoorResult, DoorShown, DoorSide, MemberShown

_log = structlog.get_logger(__name__)


class DoorDesk:
    """`on`: whoever lays down a card is at the door and pays nothing."""

    def __init__(
        self,
        book: DoorBook,
        journal: Journal,
        link: Link,
        clock: Clock,
        cashier: Callable[[], UUID],
        on_change: Callable[[], None],
        members: Callable[[str], tuple[MemberShown, ...]] = lambda _: (),
    ) -> None:
        self._book = book
        self._journal = journal
        self._link = link
        self._clock = clock
        self._cashier = cashier
        self._on_change = on_change
        self._members = members
        self._event: UUID | None = None
        self._direction: Direction = "in"
        self._result: DoorResult | None = None
        # Tickets of the card that was laid down last which could pass as well.
        self._more: list[DoorTicket] = []
        self._early: Shown | None = None
        self._means = "list"
        self.on = False

    # What the screen says

    def shown(self) -> DoorShown | None:
        """None where this terminal's venue has no event."""
        book = self._book
        if not book.events:
            return None
        event = self._chosen()
        return DoorShown(
            on=self.on,
            events=tuple(
                DoorSide(it.id, it.titles, it.doors_at_us, it.starts_at_us)
                for it in sorted(book.events.values(), key=lambda it: it.starts_at_us)
            ),
            event=event.id if event else None,
            direction=self._direction,
            inside=book.inside(event.id) if event else 0,
            expected=book.expected(event.id) if event else 0,
            result=self._result,
        )

    def listed(self, text: str) -> tuple[DoorListed, ...]:
        event, book = self._require(), self._book
        return tuple(
            DoorListed(it.id, it.serial, it.name, it.price, it.state, book.inside_now(it.id))
            for it in book.find(event.id, text)
        )

    # What staff do

    def open(self, event: UUID | None) -> None:
        """Stand at the door of this event, or of the one that is next. TillError: no_event."""
        self._cashier()
        if event is not None and event not in self._book.events:
            raise TillError("no_event")
        self.on, self._event = True, event
        if self._chosen() is None:
            self.on = False
            raise TillError("no_event")
        self._clear()

    def close(self) -> None:
        self.on = False
        self._direction = "in"
        self._clear()

    def turn(self, direction: Direction) -> None:
        self._direction = direction
        self._clear()

    def dismiss(self) -> None:
        self._clear()

    # What is shown to it

    async def card(self, uid: str) -> None:
        """The tickets on a card: the first that passes does, and the others are offered. Never raises."""
        try:
            await self._card(self._require(), uid)
        except TillError as error:
            self._show(DoorResult(uuid7(), error.reason, self._clock.now_us()))

    async def code(self, text: str) -> None:
        """What a scanner read, or somebody typed. TillError."""
        event = self._require()
        self._more, self._means = [], "code"
        public = base64.b64decode(self._journal.pairing.server_key)
        try:
            of, ticket = verified(text.strip().upper(), Ed25519PublicKey.from_public_bytes(public))
        except NoTicket:
            self._show(DoorResult(uuid7(), "no_ticket", self._clock.now_us()))
            return
        await self._pass(event, self._judge(event, ticket, of))

    async def ticket(self, ticket: UUID) -> None:
        """One of the list. TillError: no_ticket."""
        event, known = self._require(), self._book.tickets.get(ticket)
        if known is None:
            raise TillError("no_ticket")
        self._more, self._means = [], "list"
        await self._pass(event, self._judge(event, ticket, known.event))

    async def more(self, count: int) -> None:
        """So many of the other tickets of the card that was laid down last. TillError."""
        event = self._require()
        chosen, self._more = self._more[:count], self._more[count:]
        passing = [it for one in chosen if (it := self._judge(event, one.id, one.event)).decision.passes]
        if passing:
            await self._pass(event, *passing)

    async def anyway(self) -> None:
        """Let in before the doors' time whoever was told to wait. TillError."""
        event, early = self._require(), self._early
        if early is None:
            raise TillError("no_ticket")
        now_us = self._clock.now_us()
        book = self._book
        await self._pass(event, book.judge(event, early.id, early.event, self._direction, now_us, anyway=True))

    # Within

    async def _card(self, event: DoorEvent, uid: str) -> None:
        held = self._book.of_card(uid)
        self._more, self._means = [], "card"
        judged = [self._judge(event, it.id, it.event) for it in held]
        passing = [it for it in judged if it.decision.passes]
        if passing:
            self._more = [it.ticket for it in passing[1:] if it.ticket]
            await self._pass(event, passing[0])
        elif judged:
            # What is said of a ticket for tonight says more than what is said of one for tomorrow.
            await self._pass(event, min(judged, key=lambda it: it.decision.answer == "wrong_event"))
        else:
            self._show(DoorResult(uuid7(), "no_ticket", self._clock.now_us()))

    def _judge(self, event: DoorEvent, ticket: UUID, of: UUID) -> Shown:
        return self._book.judge(event, ticket, of, self._direction, self._clock.now_us())

    async def _pass(self, event: DoorEvent, *shown: Shown) -> None:
        """Write down how they were decided, all alike, and say it. TillError: journal_failed, not_allowed."""
        cashier, now_us = self._cashier(), self._clock.now_us()
        if self._journal.pairing.halted:
            raise TillError("not_allowed")
        rows = [
            PassageRow.model_validate(
                {
                    "id": uuid7(),
                    "ticket": it.id,
                    "at_event": event.id,
                    "direction": self._direction,
                    "result": it.decision.answer,
                    "means": self._means,
                    "cashier": cashier,
                    "at_us": now_us,
                }
            )
            for it in shown
        ]
        try:
            await self._journal.append(*rows)
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        name = self._journal.pairing.name
        self._book.add(passage_of(it, name) for it in rows if it.passed)
        self._link.want_sync()
        first = shown[0]
        answer, last, known = first.decision.answer, first.decision.last, first.ticket
        other = self._book.events.get(first.event) if answer == "wrong_event" else None
        self._early = first if answer == "early" else None
        told = DoorResult(
            rows[0].id,
            answer,
            now_us,
            count=len(shown),
            more=len(self._more),
            serial=known.serial if known else None,
            name=known.name if known else None,
            price=known.price if known else {},
            last_at_us=last.at_us if last else None,
            last_terminal=last.terminal if last else None,
            other=other.titles if other else {},
            other_at_us=other.starts_at_us if other else None,
            members=self._members(known.cards[0]) if known and known.cards else (),
        )
        self._show(told)

    def _show(self, result: DoorResult) -> None:
        self._result = result
        self._on_change()

    def _clear(self) -> None:
        self._result, self._early, self._more = None, None, []
        self._on_change()

    def _chosen(self) -> DoorEvent | None:
        """Where nobody chose: the event that is on, or comes next."""
        events = self._book.events
        if self._event in events and self._event is not None:
            return events[self._event]
        now_us = self._clock.now_us()
        coming = sorted((it for it in events.values() if it.ends_at_us > now_us), key=lambda it: it.starts_at_us)
        return coming[0] if coming else next(iter(events.values()), None)

    def _require(self) -> DoorEvent:
        event = self._chosen()
        if not self.on or event is None:
            raise TillError("no_event")
        return event
