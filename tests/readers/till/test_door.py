"""The door at a terminal without network: what it says is in its journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.rules.ids import uuid7
from app.rules.tickets import encode
from app.wire.door import DoorPassage, PassageRow
from readers.terminal.commands import TillError
from tests.support.door import AWA, BOB, HOUR_US, AtTheDoor, at_the_door

pytestmark = pytest.mark.anyio


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[AtTheDoor]:
    it = await at_the_door(tmp_path)
    it.desk.open(None)
    yield it
    await it.journal.close()


async def told(door: AtTheDoor) -> list[tuple[str, str]]:
    rows = [row for _, row in await door.journal.rows_of("passage", 0)]
    return [(row.result, row.means) for row in rows if isinstance(row, PassageRow)]


async def test_two_tickets_on_one_card_go_in_one_by_one_and_out_again(door: AtTheDoor) -> None:
    await door.desk.card(AWA)
    assert (door.said.answer, door.said.serial, door.said.more) == ("in", 1, 1)
    await door.desk.more(5)
    assert (door.said.answer, door.said.serial, door.said.more) == ("in", 2, 0)
    await door.desk.card(AWA)
    assert (door.said.answer, door.said.last_terminal) == ("inside", "Porte A")
    door.desk.turn("out")
    await door.desk.card(AWA)
    assert (door.said.answer, door.said.more) == ("out", 1)
    door.desk.turn("in")
    await door.desk.code(door.code(0))
    assert door.said.answer == "again"
    shown = door.desk.shown()
    assert shown is not None
    assert (shown.inside, shown.expected) == (2, 3)
    assert await told(door) == [
        *(("in", "card"), ("in", "card"), ("inside", "card")),
        *(("out", "card"), ("again", "code")),
    ]


async def test_what_does_not_pass_says_why(door: AtTheDoor) -> None:
    await door.desk.card("04FFFFFFFFFFFF")
    assert door.said.answer == "no_ticket"
    await door.desk.card(BOB)
    assert door.said.answer == "refunded"
    await door.desk.code(door.code(4))
    assert (door.said.answer, door.said.other["fr"]) == ("wrong_event", "Concert")
    await door.desk.code(encode(door.events[0].id, uuid7(), Ed25519PrivateKey.generate()))
    assert door.said.answer == "no_ticket", "somebody else's signature"
    await door.desk.code(encode(door.events[0].id, uuid7(), door.key))
    assert (door.said.answer, door.said.serial) == ("in", None), "sold since the list was made"
    door.desk.open(door.events[1].id)
    await door.desk.card(BOB)
    assert door.said.answer == "early"
    await door.desk.anyway()
    assert door.said.answer == "in"


async def test_the_list_finds_by_name_and_number_and_tells_who_is_inside(door: AtTheDoor) -> None:
    (found,) = door.desk.listed("chlo")
    await door.desk.ticket(found.id)
    assert door.said.name == "Chloé Grondin"
    assert [(it.serial, it.inside) for it in door.desk.listed("4")] == [(4, True)]
    with pytest.raises(TillError, match="no_ticket"):
        await door.desk.ticket(uuid7())
    door.desk.close()
    with pytest.raises(TillError, match="no_event"):
        door.desk.listed("")


async def test_what_another_terminal_saw_counts(door: AtTheDoor) -> None:
    at = door.tickets[3]
    seen = DoorPassage(
        id=uuid7(),
        ticket=at.id,
        at_event=at.event,
        direction="in",
        at_us=door.events[0].doors_at_us + HOUR_US // 2,
        terminal="Porte B",
    )
    assert door.book.add([seen, seen])
    assert not door.book.add([seen])
    await door.desk.code(door.code(3))
    assert (door.said.answer, door.said.last_terminal) == ("inside", "Porte B")
