"""A writer that posts from memory: it must never know less than the database (PostgreSQL only)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from app.ledger.rules.operations import (
    Held,
    Hold,
    Operation,
    Outcome,
    Posted,
    Posting,
    Refused,
    Release,
    Stale,
    Tombstone,
)
from app.ledger.service import Ledger
from app.ledger.store import PostgresStore
from app.ledger.store.memory import ALONE_BATCHES
from app.rules.ids import uuid7
from tests.app.ledger.conftest import KEY, Books

pytestmark = pytest.mark.anyio

NEVER_US = 4_000_000_000_000_000


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


@pytest.fixture
async def alone(books: Books) -> Books:
    """Alice holds 1,000, and the writer has met nobody for long enough."""
    await books.top_up("alice", 1000 + ALONE_BATCHES)
    for _ in range(ALONE_BATCHES):
        await books.post(("alice", "claim", 1))
    assert _store(books)._memory.alone is not None
    return books


@pytest.fixture
async def other(books: Books, database_url: str) -> AsyncIterator[Ledger]:
    """Another process on the same database."""
    ledger = Ledger.open(books.engine, database_url, KEY)
    await ledger.start()
    yield ledger
    await ledger.stop()


def _store(books: Books) -> PostgresStore:
    store = books.ledger._pipeline._store
    assert isinstance(store, PostgresStore)
    return store


@pytest.fixture
def looks(books: Books, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each batch that is posted under the lock."""
    counted: list[int] = []
    under_lock = PostgresStore._under_lock

    async def count(self: PostgresStore, *arguments: Any) -> list[Outcome]:
        counted.append(1)
        return await under_lock(self, *arguments)

    monkeypatch.setattr(PostgresStore, "_under_lock", count)
    return counted


async def test_sales_of_a_writer_that_is_alone_take_no_lock(alone: Books, looks: list[int]) -> None:
    outcomes = [await alone.post(("alice", "claim", 10)) for _ in range(5)]
    assert [type(it) for it in outcomes] == [Posted] * 5
    assert looks == []
    assert await alone.balance("alice") == 950


async def test_what_is_not_there_is_never_spent(alone: Books, looks: list[int]) -> None:
    answers = await asyncio.gather(*(alone.post(("alice", "claim", 400)) for _ in range(4)))
    assert sorted(type(it).__name__ for it in answers) == ["Posted", "Posted", "Refused", "Refused"]
    assert looks, "a refusal is looked at under the lock"
    assert await alone.balance("alice") == 200


async def test_the_same_operation_again_is_the_first_result(alone: Books) -> None:
    sale = alone.operation(("alice", "claim", 10))
    (first,) = await alone.ledger.post([sale])
    again, beside = await alone.ledger.post([sale, alone.operation(("alice", "claim", 1))])
    assert isinstance(first, Posted)
    assert again == replace(first, replayed=True)
    assert isinstance(beside, Posted)
    assert await alone.balance("alice") == 989


async def test_what_another_process_booked_is_known(alone: Books, other: Ledger) -> None:
    (theirs,) = await other.post([alone.operation(("alice", "claim", 900))])
    assert isinstance(theirs, Posted)
    ours = await alone.post(("alice", "claim", 200))
    assert ours == Refused("insufficient-funds", alone.ids["alice"])
    last = await alone.post(("alice", "claim", 100))
    assert isinstance(last, Posted)
    assert last.seq == theirs.seq + 1


async def test_an_id_that_another_process_refused_stays_refused(alone: Books, other: Ledger) -> None:
    sale = alone.operation(("alice", "claim", 10))
    await other.post([Tombstone(sale.id, "test")])
    assert await alone.ledger.post([sale]) == [Refused("cancelled", replayed=True)]


async def test_a_hold_of_another_process_is_not_spent(alone: Books, other: Ledger) -> None:
    hold = Hold(uuid7(), b"", alone.ids["alice"], 995, NEVER_US, "test")
    assert await other.post([hold]) == [Held()]
    assert isinstance(await alone.post(("alice", "claim", 10)), Refused)
    await other.post([Release(hold.id)])
    assert isinstance(await alone.post(("alice", "claim", 10)), Posted)


async def test_a_floor_that_was_raised_behind_it_holds(alone: Books, looks: list[int]) -> None:
    async with alone.engine.begin() as connection:
        await Ledger.set_floor(connection, alone.ids["alice"], 500)
    assert isinstance(await alone.post(("alice", "claim", 600)), Refused)
    assert looks, "the constraint stopped it, and the lock told why"
    assert isinstance(await alone.post(("alice", "claim", 500)), Posted)


def _offline(books: Books, amount: int, **more: object) -> Operation:
    """As a sale that was made without network: what the wallet does not hold is owed."""
    posting = Posting(books.ids["alice"], books.ids["claim"], amount, debit_overflow=books.ids["alice overdraft"])
    return replace(books.operation(("alice", "claim", amount)), postings=(posting,), overrides_refusal=True, **more)


async def test_a_sale_that_could_have_been_owed_but_is_not_takes_no_lock(alone: Books, looks: list[int]) -> None:
    outcomes = await alone.ledger.post([_offline(alone, 10) for _ in range(5)])
    assert [type(it) for it in outcomes] == [Posted] * 5
    assert looks == []
    assert await alone.balance("alice") == 950


async def test_what_is_owed_is_decided_under_the_lock(alone: Books, looks: list[int]) -> None:
    (outcome,) = await alone.ledger.post([_offline(alone, 1400)])
    assert isinstance(outcome, Posted)
    assert [(t.debit, t.amount) for t in outcome.transfers] == [
        (alone.ids["alice"], 1000),
        (alone.ids["alice overdraft"], 400),
    ]
    (more,) = await alone.ledger.post([_offline(alone, 5)])
    assert isinstance(more, Posted)
    assert [t.debit for t in more.transfers] == [alone.ids["alice overdraft"]]
    assert len(looks) == 2


async def test_a_floor_that_was_lowered_behind_it_is_used_before_anything_is_owed(alone: Books) -> None:
    async with alone.engine.begin() as connection:
        await Ledger.set_floor(connection, alone.ids["alice"], -500)
    (outcome,) = await alone.ledger.post([_offline(alone, 1400)])
    assert isinstance(outcome, Posted)
    assert [(t.debit, t.amount) for t in outcome.transfers] == [(alone.ids["alice"], 1400)]


async def test_a_floor_that_was_raised_behind_it_leaves_the_rest_owed(alone: Books) -> None:
    async with alone.engine.begin() as connection:
        await Ledger.set_floor(connection, alone.ids["alice"], 500)
    (outcome,) = await alone.ledger.post([_offline(alone, 600)])
    assert isinstance(outcome, Posted)
    assert [t.amount for t in outcome.transfers] == [500, 100]


async def test_what_was_probably_posted_before_does_not_make_it_forget(alone: Books, looks: list[int]) -> None:
    sale = alone.operation(("alice", "claim", 10))
    (first,) = await alone.ledger.post([sale])
    assert await alone.ledger.post([replace(sale, again=True)]) == [replace(first, replayed=True)]  # type: ignore[type-var]
    assert isinstance((await alone.ledger.post([_offline(alone, 5, again=True)]))[0], Posted)
    assert len(looks) == 2
    assert isinstance(await alone.post(("alice", "claim", 10)), Posted)
    assert len(looks) == 2


async def test_a_change_of_prices_is_seen(alone: Books) -> None:
    async with alone.engine.begin() as connection:
        now = (await connection.execute(sa.text("SELECT value FROM revision"))).scalar_one()
    sale = replace(alone.operation(("alice", "claim", 10)), revision=now)
    assert [type(it) for it in await alone.ledger.post([sale])] == [Posted]
    async with alone.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE revision SET value = value + 1"))
    stale = replace(sale, id=uuid7())
    assert await alone.ledger.post([stale]) == [Stale()]
    assert [type(it) for it in await alone.ledger.post([replace(stale, revision=now + 1)])] == [Posted]


async def test_one_operation_sent_to_two_processes_at_once_is_booked_once(alone: Books, other: Ledger) -> None:
    for _ in range(10):
        sale = alone.operation(("alice", "claim", 10))
        (ours,), (theirs,) = await asyncio.gather(alone.ledger.post([sale]), other.post([sale]))
        assert isinstance(ours, Posted)
        assert isinstance(theirs, Posted)
        assert ours.seq == theirs.seq
        assert ours.replayed != theirs.replayed
    assert await alone.balance("alice") == 900


async def test_two_processes_that_take_turns_never_spend_twice(alone: Books, other: Ledger) -> None:
    """With pauses long enough for each to believe itself alone, and without."""
    sales = [alone.operation(("alice", "claim", 30)) for _ in range(60)]
    outcomes: list[Outcome] = []
    for start in range(0, 40, 8):
        for ledger, first in ((alone.ledger, start), (other, start + 4)):
            for sale in sales[first : first + 4]:
                outcomes += await ledger.post([sale])
    rest = await asyncio.gather(*((alone.ledger, other)[n % 2].post([sale]) for n, sale in enumerate(sales[40:])))
    outcomes += [outcome for answer in rest for outcome in answer]
    booked = [it for it in outcomes if isinstance(it, Posted)]
    assert len(booked) == 33
    assert len({it.seq for it in booked}) == 33
    assert await alone.balance("alice") == 10


async def test_a_connection_that_dies_in_mid_statement_books_once(alone: Books) -> None:
    """Its answer is lost after the commit, and the same operation is found again."""
    store, sale = _store(alone), alone.operation(("alice", "claim", 10))
    connection = await store._connected()
    fetchval, cut = connection.fetchval, 1

    async def lose(*arguments: Any) -> Any:
        nonlocal cut
        found = await fetchval(*arguments)
        if cut:
            cut = 0
            raise ConnectionResetError("reset by peer")
        return found

    store._connection = _Losing(connection, lose)  # type: ignore[assignment]
    (outcome,) = await alone.ledger.post([sale])
    assert isinstance(outcome, Posted)
    assert outcome.replayed
    assert await alone.balance("alice") == 990


class _Losing:
    """A connection with another `fetchval`."""

    def __init__(self, connection: Any, fetchval: Any) -> None:
        self._connection, self.fetchval = connection, fetchval

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
