"""A door without network: the desk over a journal of its own, with a list that a server signed before."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.rules.ids import uuid7
from app.rules.tickets import encode
from app.wire import PairingReply
from app.wire.door import DoorEvent, DoorList, DoorTicket
from readers.journal import Clock, Journal
from readers.sync import Link
from readers.terminal.door import DoorBook
from readers.terminal.view import MemberShown
from readers.till.door import DoorDesk

HOUR_US = 3_600_000_000
AWA, BOB = "04A1B2C3D4E580", "04000000000001"
STAFF = UUID("0193a000-0000-7000-8000-00000000a4f2")


@dataclass
class AtTheDoor:
    desk: DoorDesk
    book: DoorBook
    journal: Journal
    key: Ed25519PrivateKey
    events: list[DoorEvent]
    tickets: list[DoorTicket]

    def code(self, ticket: int) -> str:
        it = self.tickets[ticket]
        return encode(it.event, it.id, self.key)

    @property
    def said(self) -> Any:
        shown = self.desk.shown()
        assert shown is not None
        return shown.result


async def at_the_door(folder: Path, on_change: Callable[[], None] = lambda: None, more: int = 0) -> AtTheDoor:
    """Tonight: two tickets on Awa's card, Bob's refunded one, Chloé's without a card; tomorrow: one of Bob's. `more`
    tickets without a name."""
    clock, key = Clock(), Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    journal = await Journal.open(folder / "journal.db", clock)
    device = uuid7()
    reply = PairingReply(
        device=device, epoch=1, name="Porte A", venue=uuid7(), venue_name="La Raffinerie", server_key=public
    )
    await journal.pair(reply, "ABCD-1234")
    now = clock.now_us()
    tonight = _event("Bal folk", "Folk ball", now - HOUR_US)
    tomorrow = _event("Concert", "Concert", now + 24 * HOUR_US)
    full, reduced = {"fr": "Plein tarif", "en": "Full price"}, {"fr": "Tarif réduit", "en": "Reduced"}

    def ticket(serial: int, price: dict[str, str], at: DoorEvent = tonight, **told: Any) -> DoorTicket:
        return DoorTicket(**{"id": uuid7(), "event": at.id, "serial": serial, "state": "valid", "price": price, **told})

    tickets = [
        ticket(1, full, name="Awa Payet", cards=(AWA,)),
        ticket(2, reduced, cards=(AWA,)),
        ticket(3, full, name="Bob Hoarau", cards=(BOB,), state="refunded"),
        ticket(4, reduced, name="Chloé Grondin"),
        ticket(1, full, tomorrow, name="Bob Hoarau", cards=(BOB,)),
        *(ticket(10 + at, full, cards=(f"0411{at:010X}",)) for at in range(more)),
    ]
    book = DoorBook()
    book.take(DoorList(device=device, events=(tonight, tomorrow), tickets=tuple(tickets)))
    desk = DoorDesk(book, journal, Link(clock.now_us), clock, lambda: STAFF, on_change, _members)
    return AtTheDoor(desk, book, journal, key, [tonight, tomorrow], tickets)


def _members(uid: str) -> tuple[MemberShown, ...]:
    return (
        (MemberShown({"fr": "Adhésion", "en": "Membership"}, "La Raffinerie", "2027-08-31", "valid"),)
        if uid == AWA
        else ()
    )


def _event(fr: str, en: str, starts_us: int) -> DoorEvent:
    return DoorEvent(
        id=uuid7(),
        titles={"fr": fr, "en": en},
        doors_at_us=starts_us,
        starts_at_us=starts_us + HOUR_US,
        ends_at_us=starts_us + 5 * HOUR_US,
        capacity=200,
    )
