"""Money set aside, and then taken, wholly or in part, or given back."""

from __future__ import annotations

from uuid import UUID

from app.ledger.rules.operations import Conflict, Held, Hold, Invalid, Operation, Outcome, Posted, Refused, Release
from app.rules.ids import uuid7
from tests.app.ledger.conftest import Books

NEVER_US = 2**60


async def _hold(
    books: Books, amount: int, *, id_: UUID | None = None, until_us: int = NEVER_US
) -> tuple[UUID, Outcome]:
    id_ = id_ or uuid7()
    mark = str(amount).encode()
    (outcome,) = await books.ledger.post([Hold(id_, mark, books.ids["alice"], amount, until_us, "test")])
    return id_, outcome


async def _capture(books: Books, hold: UUID, amount: int) -> Outcome:
    operation = books.operation(("alice", "claim", amount))
    fields = {name: getattr(operation, name) for name in Operation.__dataclass_fields__}
    (outcome,) = await books.ledger.post([Operation(**{**fields, "captures": hold})])
    return outcome


async def test_what_is_held_cannot_be_spent_elsewhere(books: Books) -> None:
    await books.top_up("alice", 1000)
    _, outcome = await _hold(books, 700)
    assert outcome == Held()
    assert isinstance(await books.post(("alice", "claim", 301)), Refused)
    assert isinstance(await books.post(("alice", "claim", 300)), Posted)


async def test_a_hold_beyond_what_is_free_is_refused(books: Books) -> None:
    await books.top_up("alice", 1000)
    await _hold(books, 700)
    _, outcome = await _hold(books, 301)
    assert outcome == Refused("insufficient-funds", books.ids["alice"])
    _, outcome = await _hold(books, 300)
    assert outcome == Held()


async def test_a_hold_is_captured_in_part_and_the_rest_is_free(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold, _ = await _hold(books, 1000)
    assert isinstance(await _capture(books, hold, 400), Posted)
    assert await books.balance("alice") == 600
    assert isinstance(await books.post(("alice", "claim", 600)), Posted)


async def test_no_more_is_captured_than_was_held(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold, _ = await _hold(books, 400)
    assert await _capture(books, hold, 401) == Refused("over-hold", books.ids["alice"])
    assert isinstance(await _capture(books, hold, 400), Posted)


async def test_a_hold_is_captured_once(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold, _ = await _hold(books, 400)
    await _capture(books, hold, 100)
    assert await _capture(books, hold, 100) == Refused("hold-ended", books.ids["alice"])


async def test_a_released_hold_is_free_again_and_released_once(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold, _ = await _hold(books, 1000)
    assert await books.ledger.post([Release(hold), Release(hold)]) == [
        Held("released"),
        Held("released", replayed=True),
    ]
    assert isinstance(await books.post(("alice", "claim", 1000)), Posted)
    assert isinstance(await _capture(books, hold, 1), Refused)


async def test_the_same_hold_sent_twice_is_one_hold(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold, _ = await _hold(books, 600)
    assert (await _hold(books, 600, id_=hold))[1] == Held(replayed=True)
    assert (await _hold(books, 500, id_=hold))[1] == Conflict()
    assert isinstance(await books.post(("alice", "claim", 400)), Posted)


async def test_an_expired_hold_is_not_captured_and_is_swept(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold, _ = await _hold(books, 600, until_us=1)
    assert isinstance(await _capture(books, hold, 100), Refused)
    assert await books.ledger.release_expired() == 1
    assert await books.ledger.release_expired() == 0
    assert isinstance(await books.post(("alice", "claim", 1000)), Posted)


async def test_unknown_holds_and_accounts_are_told(books: Books) -> None:
    await books.top_up("alice", 1000)
    assert await books.ledger.post([Release(uuid7())]) == [Invalid("unknown-hold")]
    assert await _capture(books, uuid7(), 1) == Invalid("unknown-hold")
    assert await books.ledger.post([Hold(uuid7(), b"", 999_999, 1, NEVER_US, "test")]) == [Invalid("unknown-account")]
    assert await books.ledger.post([Hold(uuid7(), b"", books.ids["bank"], 1, NEVER_US, "test")]) == [
        Invalid("moves-nothing")
    ]
