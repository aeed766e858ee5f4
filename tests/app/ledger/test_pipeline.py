"""The queue before the database: order, bounds, neighbours, lost connections, several processes, odd clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from app.ledger.rules.operations import (
    Entry,
    Held,
    Hold,
    Invalid,
    Operation,
    Outcome,
    Posted,
    Refused,
    Release,
    Tombstone,
)
from app.ledger.service import Busy, Ledger, OutcomeUnknown
from app.ledger.store import PostgresStore, PostingStore, Rejected, open_store
from app.ledger.store import postgres as postgres_store
from app.ledger.tables import head, operation, seal
from app.rules.ids import uuid7
from tests.app.ledger.conftest import KEY, Books

NEVER_US = 2**60
# A database-only rule: the ledger's own code knows nothing of it.
POISON = "poison"


class FakeStore:
    """Answers every operation with the next number; `before` may wait or fail."""

    def __init__(self, before: Callable[[Sequence[Entry]], Any] | None = None) -> None:
        self.batches: list[list[Entry]] = []
        self.before = before
        self.closed = False
        self.number = 0

    async def post(
        self,
        entries: Sequence[Entry],
        now_us: int,
        writing: Callable[[], None] = lambda: None,
        joining: Callable[[], Sequence[Entry]] = tuple,
    ) -> list[Outcome]:
        self.batches.append(list(entries))
        if self.before is not None:
            await self.before(entries)
        self.number += len(entries)
        return [Posted(self.number - len(entries) + place, ()) for place in range(1, len(entries) + 1)]

    async def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def pipeline(store: PostingStore, **limits: int) -> AsyncIterator[Ledger]:
    """A ledger that only posts: the fake store needs no database."""
    ledger = Ledger(_no_engine(), store, **limits)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.stop()


def _no_engine() -> AsyncEngine:
    class NoEngine:
        dialect = sa.create_engine("sqlite://").dialect

        def execution_options(self, **_: object) -> NoEngine:
            return self

    return cast("AsyncEngine", NoEngine())


def _entries(count: int) -> list[Entry]:
    return [Tombstone(uuid7(), "test") for _ in range(count)]


@asynccontextmanager
async def waiting_writer(**limits: int) -> AsyncIterator[tuple[Ledger, FakeStore, asyncio.Event]]:
    """The writer is in the middle of a first batch until the event is set."""
    go = asyncio.Event()

    async def wait(_: Sequence[Entry]) -> None:
        await go.wait()

    store = FakeStore(wait)
    async with pipeline(store, **limits) as ledger:
        first = asyncio.create_task(ledger.post(_entries(1)))
        await until(lambda: len(store.batches) == 1)
        yield ledger, store, go
        go.set()
        await first


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


async def test_what_is_booked_is_told_though_the_next_batch_must_wait() -> None:
    """The next batch goes to the database first, but nobody waits for it while that takes long."""
    go = asyncio.Event()

    async def wait(_: Sequence[Entry]) -> None:
        if len(store.batches) > 1:
            await go.wait()

    store = FakeStore(wait)
    async with pipeline(store, batch_limit=1) as ledger:
        first, second = (asyncio.create_task(ledger.post(_entries(1))) for _ in range(2))
        try:
            async with asyncio.timeout(10):
                await first
            assert len(store.batches) == 2
            assert not second.done()
        finally:
            go.set()
        await second


async def test_the_next_batch_is_sent_before_callers_are_told() -> None:
    told: list[int] = []

    async def note(_: Sequence[Entry]) -> None:
        told.append(sum(task.done() for task in tasks))

    store = FakeStore(note)
    async with pipeline(store, batch_limit=1) as ledger:
        tasks = [asyncio.create_task(ledger.post(_entries(1))) for _ in range(2)]
        await asyncio.gather(*tasks)
    assert told == [0, 0]


async def test_a_lone_operation_is_posted_at_once() -> None:
    """No timer gathers company: within the event loop's next few turns the store has it."""
    store = FakeStore()
    async with pipeline(store) as ledger:
        task = asyncio.create_task(ledger.post(_entries(1)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(store.batches) == 1
        await task


async def test_what_accumulates_meanwhile_is_one_batch_in_the_order_of_its_coming() -> None:
    async with waiting_writer() as (ledger, store, go):
        entries = _entries(20)
        tasks = [asyncio.create_task(ledger.post([entry])) for entry in entries]
        await asyncio.sleep(0)
        go.set()
        answers = await asyncio.gather(*tasks)
    assert store.batches[1] == entries
    assert [answer[0].seq for answer in answers] == list(range(2, 22))  # type: ignore[union-attr]


async def test_a_batch_is_no_longer_than_its_limit_and_no_request_is_split() -> None:
    async with waiting_writer(batch_limit=10) as (ledger, store, go):
        tasks = [asyncio.create_task(ledger.post(_entries(size))) for size in (4, 4, 4, 25, 1)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)
    assert [len(batch) for batch in store.batches] == [1, 8, 4, 25, 1]


async def test_beyond_its_limit_the_queue_takes_nothing_in_and_says_so_at_once() -> None:
    async with waiting_writer(queue_limit=5) as (ledger, store, go):
        waiting = asyncio.create_task(ledger.post(_entries(4)))
        await asyncio.sleep(0)
        with pytest.raises(Busy) as busy:
            await ledger.post(_entries(2))
        assert busy.value.retry_after_s > 0
        last = asyncio.create_task(ledger.post(_entries(1)))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(waiting, last)
        assert len(await ledger.post(_entries(5))) == 5, "and once it is empty, it takes again"
    assert sum(len(batch) for batch in store.batches) == 1 + 4 + 1 + 5


async def test_stopping_posts_what_waits_and_takes_nothing_new() -> None:
    async with waiting_writer() as (ledger, store, go):
        waiting = [asyncio.create_task(ledger.post(_entries(3))) for _ in range(5)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(ledger.stop())
        await until(lambda: ledger._pipeline._stopping)
        with pytest.raises(Busy):
            await ledger.post(_entries(1))
        assert not store.closed
        go.set()
        await stopping
        assert store.closed
        assert [len(answer) for answer in await asyncio.gather(*waiting)] == [3] * 5


async def test_a_caller_who_gave_up_waiting_stops_nobody() -> None:
    async with waiting_writer() as (ledger, _, go):
        gone, stays = (asyncio.create_task(ledger.post(_entries(1))) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        go.set()
        assert len(await stays) == 1
        assert len(await ledger.post(_entries(1))) == 1


async def test_a_store_that_committed_before_it_went_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ledger.pipeline.RETRY_DELAYS_S", (0.0, 0.0))
    left = 2

    async def lose(_: Sequence[Entry]) -> None:
        nonlocal left
        if left:
            left -= 1
            raise OutcomeUnknown("lost")

    store = FakeStore(lose)
    async with pipeline(store) as ledger:
        assert len(await ledger.post(_entries(2))) == 2
    assert store.batches[0] == store.batches[1] == store.batches[2]


async def test_a_store_that_stays_away_leaves_the_outcome_unknown_and_the_writer_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.ledger.pipeline.RETRY_DELAYS_S", (0.0,))
    away = True

    async def lose(_: Sequence[Entry]) -> None:
        if away:
            raise OutcomeUnknown("lost")

    async with pipeline(FakeStore(lose)) as ledger:
        with pytest.raises(OutcomeUnknown):
            await ledger.post(_entries(1))
        away = False
        assert len(await ledger.post(_entries(1))) == 1


async def test_an_entry_that_nobody_can_write_spoils_none_of_its_neighbours() -> None:
    """Whatever the store stumbles over, even a mistake of ours, is found and told to the one who brought it."""
    bad = Tombstone(uuid7(), POISON)

    async def stumble(entries: Sequence[Entry]) -> None:
        if bad in entries:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    async with waiting_writer() as (ledger, store, go):
        store.before = stumble
        tasks = [asyncio.create_task(ledger.post([entry])) for entry in (*_entries(3), bad, *_entries(3))]
        await asyncio.sleep(0)
        with capture_logs() as logged:
            go.set()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [(it["log_level"], it["entry"]) for it in logged] == [("error", str(bad.id))]
    assert isinstance(answers[3], UnicodeEncodeError)
    assert [isinstance(answer, list) for answer in answers] == [True] * 3 + [False] + [True] * 3


async def test_what_the_database_alone_refuses_is_told_of_that_entry_only() -> None:
    async def refuse(entries: Sequence[Entry]) -> None:
        if any(isinstance(it, Tombstone) and it.actor == POISON for it in entries):
            raise Rejected("not here")

    async with pipeline(FakeStore(refuse)) as ledger:
        first, bad, last = await ledger.post([*_entries(1), Tombstone(uuid7(), POISON), *_entries(1)])
    assert isinstance(first, Posted)
    assert bad == Invalid("rejected")
    assert isinstance(last, Posted)


async def test_a_listener_that_fails_stops_nobody() -> None:
    def fail(_: int) -> None:
        raise RuntimeError("not now")

    heard: list[int] = []
    async with pipeline(FakeStore()) as ledger:
        ledger.add_listener(fail)
        ledger.add_listener(heard.append)
        with capture_logs() as logged:
            assert len(await ledger.post(_entries(2))) == 2
            assert len(await ledger.post(_entries(1))) == 1
    assert [it["newest"] for it in logged] == [2, 3]
    assert heard == [2, 3]


# From here on with real databases.


async def _constrain(books: Books, database_kind: str) -> None:
    async with books.engine.begin() as connection:
        if database_kind == "postgresql":
            rule = f"ALTER TABLE operation ADD CONSTRAINT only_here CHECK (actor <> '{POISON}')"
        else:
            rule = (
                f"CREATE TRIGGER only_here BEFORE INSERT ON operation WHEN NEW.actor = '{POISON}' "
                "BEGIN SELECT RAISE(ABORT, 'not here'); END"
            )
        await connection.execute(sa.text(rule))


async def test_a_rule_of_the_database_stops_one_operation_and_not_its_neighbours(
    books: Books, database_kind: str
) -> None:
    await books.top_up("alice", 1000)
    await _constrain(books, database_kind)
    good = [books.operation(("alice", "claim", 1 + n)) for n in range(9)]
    bad = replace(books.operation(("alice", "claim", 500)), actor=POISON)
    answers = await asyncio.gather(*(books.ledger.post([it]) for it in (*good[:5], bad, *good[5:])))
    assert [type(answer[0]) for answer in answers] == [Posted] * 5 + [Invalid] + [Posted] * 4
    assert await books.balance("alice") == 1000 - 45
    (answer,) = await books.ledger.post([replace(bad, actor="test")])
    assert isinstance(answer, Posted), "nothing was remembered under its id"


async def test_texts_that_no_database_keeps_spoil_none_of_their_neighbours(books: Books, database_kind: str) -> None:
    await books.top_up("alice", 1000)
    good = [books.operation(("alice", "claim", 1)) for _ in range(4)]
    bad = replace(books.operation(("alice", "claim", 500)), actor="\ud800")
    with capture_logs():
        answers = await asyncio.gather(
            *(books.ledger.post([it]) for it in (*good[:2], bad, *good[2:])), return_exceptions=True
        )
    assert [isinstance(answer, list) for answer in answers] == [True, True, False, True, True]
    assert await books.balance("alice") == 996


async def test_a_hold_may_rest_on_money_that_comes_in_the_same_batch(books: Books) -> None:
    top_up = books.operation(("clearing", "liability", 1000), ("issuance", "alice", 1000))
    hold = Hold(uuid7(), b"", books.ids["alice"], 1000, NEVER_US, "test")
    first, second = await books.ledger.post([top_up, hold])
    assert isinstance(first, Posted)
    assert second == Held()
    assert isinstance(await books.post(("alice", "claim", 1)), Refused)


async def test_what_an_ended_hold_set_free_may_be_spent_in_the_same_batch(books: Books) -> None:
    await books.top_up("alice", 1000)
    hold = Hold(uuid7(), b"", books.ids["alice"], 1000, NEVER_US, "test")
    await books.ledger.post([hold])
    outcomes = await books.ledger.post(
        [Release(hold.id), books.operation(("alice", "claim", 400)), replace(hold, id=uuid7(), amount=600)]
    )
    assert [type(it) for it in outcomes] == [Held, Posted, Held]


async def test_a_whole_life_of_a_hold_may_be_one_batch(books: Books) -> None:
    top_up = books.operation(("clearing", "liability", 1000), ("issuance", "alice", 1000))
    hold = Hold(uuid7(), b"", books.ids["alice"], 1000, NEVER_US, "test")
    capture = replace(books.operation(("alice", "claim", 1000)), captures=hold.id)
    outcomes = await books.ledger.post([top_up, hold, capture, Release(hold.id)])
    assert [type(it) for it in outcomes] == [Posted, Held, Posted, Held]
    assert outcomes[3] == Held("captured", replayed=True)
    assert await books.balance("alice") == 0


async def test_a_clock_that_runs_backwards_does_not_turn_the_ledger_back(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([5_000_000, 9_000_000, 1_000_000, 3_000_000, 9_500_000])
    start_us = 1_900_000_000_000_000
    monkeypatch.setattr("app.ledger.pipeline.now_us", lambda: start_us + next(clock))
    for _ in range(5):
        await books.post(("hours issued", "alice hours", 1))
    async with books.engine.connect() as connection:
        rows = await connection.execute(sa.select(operation.c.booked_at_us).order_by(operation.c.seq))
        assert [row.booked_at_us - start_us for row in rows] == [5_000_000, 9_000_000, 9_000_000, 9_000_000, 9_500_000]


class Flaky:
    """The real store, which loses the answer after it has committed."""

    def __init__(self, store: PostingStore, lose: int) -> None:
        self.store, self.lose = store, lose

    async def post(
        self,
        entries: Sequence[Entry],
        now_us: int,
        writing: Callable[[], None] = lambda: None,
        joining: Callable[[], Sequence[Entry]] = tuple,
    ) -> list[Outcome]:
        outcomes = await self.store.post(entries, now_us)
        if self.lose:
            self.lose -= 1
            raise OutcomeUnknown("the answer was lost")
        return outcomes

    async def close(self) -> None:
        await self.store.close()


async def test_an_answer_lost_after_the_commit_is_found_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ledger.pipeline.RETRY_DELAYS_S", (0.0, 0.0))
    await books.top_up("alice", 1000)
    books.ledger._pipeline._store = Flaky(books.ledger._pipeline._store, lose=1)
    hold = Hold(uuid7(), b"", books.ids["alice"], 100, NEVER_US, "test")
    sale, dear, late = (books.operation(("alice", "claim", amount)) for amount in (600, 900, 50))
    outcomes = await books.ledger.post([sale, dear, hold, Tombstone(late.id, "test"), late])
    assert isinstance(outcomes[0], Posted)
    assert outcomes[1:] == [
        Refused("insufficient-funds", None, replayed=True),
        Held(replayed=True),
        Refused("cancelled", None, replayed=True),
        Refused("cancelled", None, replayed=True),
    ]
    assert await books.balance("alice") == 400


@asynccontextmanager
async def processes(books: Books, url: str, count: int) -> AsyncIterator[list[Ledger]]:
    """Ledgers that know nothing of each other, as in so many API processes."""
    ledgers = [Ledger.open(books.engine, url, KEY) for _ in range(count)]
    for ledger in ledgers:
        await ledger.start()
    try:
        yield ledgers
    finally:
        await asyncio.gather(*(ledger.stop() for ledger in ledgers))


async def test_several_ledgers_on_one_database_book_everything_once_and_in_one_row(
    books: Books, database_url: str
) -> None:
    await books.top_up("alice", 1000)
    async with processes(books, database_url, 3) as ledgers:
        sales = [books.operation(("alice", "claim", 10)) for _ in range(60)]
        answers = await asyncio.gather(
            *(ledgers[n % 3].post([sale]) for n, sale in enumerate(sales)),
            *(ledgers[(n + 1) % 3].post([sale]) for n, sale in enumerate(sales)),
        )
    first, second = ([answer[0] for answer in answers[at : at + 60]] for at in (0, 60))
    assert all(isinstance(it, Posted) for it in (*first, *second))
    assert [it.seq for it in first] == [it.seq for it in second]  # type: ignore[union-attr]
    assert sorted(it.seq for it in first) == list(range(2, 62))  # type: ignore[union-attr]
    replayed = [(a.replayed, b.replayed) for a, b in zip(first, second, strict=True)]  # type: ignore[union-attr]
    assert all(a != b for a, b in replayed), "each was booked by one of them and known to the other"
    assert await books.balance("alice") == 400


async def _until_somebody_waits(engine: AsyncEngine) -> None:
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(10), engine.connect() as connection:
        while not (await connection.execute(waiting)).scalar_one():
            await asyncio.sleep(0.01)
            await connection.rollback()


class TestPostgres:
    @pytest.fixture
    def database_kind(self) -> str:
        return "postgresql"

    @pytest.mark.parametrize(
        "error",
        [
            asyncpg.SerializationError("could not serialize access"),
            asyncpg.DeadlockDetectedError("deadlock detected"),
            asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
            asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
            asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction"),
            asyncpg.InvalidPasswordError("password authentication failed"),
            asyncpg.DiskFullError("could not extend file"),
            asyncpg.InternalClientError("got result for unknown protocol state"),
            ConnectionResetError("reset by peer"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_what_may_pass_is_tried_again(
        self, books: Books, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        """None of these says anything about the operation, so none may be taken for a refusal."""
        await books.top_up("alice", 1000)
        write, fails = postgres_store._write, 2

        async def stumble(*arguments: Any) -> Any:
            nonlocal fails
            written = await write(*arguments)
            if fails:
                fails -= 1
                raise error
            return written

        monkeypatch.setattr(postgres_store, "_write", stumble)
        monkeypatch.setattr("app.ledger.pipeline.RETRY_DELAYS_S", (0.0, 0.0))
        outcome = await books.post(("alice", "claim", 600))
        assert isinstance(outcome, Posted)
        assert not outcome.replayed
        assert await books.balance("alice") == 400

    async def test_what_comes_while_another_process_writes_goes_with_what_waits(self, books: Books) -> None:
        """Two processes in turn would otherwise post small batches each, and pay for each the way to the database."""
        await books.top_up("alice", 1000)
        sales = [books.operation(("alice", "claim", 10)) for _ in range(5)]
        async with books.engine.begin() as another:
            await another.execute(sa.select(head).with_for_update())
            tasks = [asyncio.create_task(books.ledger.post([sales[0]]))]
            await _until_somebody_waits(books.engine)
            tasks += [asyncio.create_task(books.ledger.post([sale])) for sale in sales[1:]]
            await asyncio.sleep(0)
        answers = [answer for (answer,) in await asyncio.gather(*tasks)]
        assert [it.seq for it in answers] == [2, 3, 4, 5, 6]  # type: ignore[union-attr]
        async with books.engine.connect() as connection:
            sealed = (
                await connection.execute(sa.select(seal.c.first_operation, seal.c.last_operation).order_by(seal.c.id))
            ).all()
        assert sealed[-1] == (2, 6), "one batch of all"

    async def test_what_joined_a_batch_that_was_lost_is_posted_again_with_it(
        self, books: Books, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await books.top_up("alice", 1000)
        write, fails = postgres_store._write, 1

        async def stumble(*arguments: Any) -> Any:
            nonlocal fails
            written = await write(*arguments)
            if fails:
                fails -= 1
                raise asyncpg.SerializationError("could not serialize access")
            return written

        monkeypatch.setattr(postgres_store, "_write", stumble)
        async with books.engine.begin() as another:
            await another.execute(sa.select(head).with_for_update())
            tasks = [asyncio.create_task(books.post(("alice", "claim", 10)))]
            await _until_somebody_waits(books.engine)
            tasks.append(asyncio.create_task(books.post(("alice", "claim", 20))))
            await asyncio.sleep(0)
        assert all(isinstance(it, Posted) and not it.replayed for it in await asyncio.gather(*tasks))
        assert await books.balance("alice") == 970

    async def test_a_server_that_only_reads_has_refused_nothing(
        self, books: Books, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A primary that was demoted: the next connection may find the new one."""
        monkeypatch.setattr("app.ledger.pipeline.RETRY_DELAYS_S", (0.0,))
        name = sa.make_url(database_url).database
        await books.top_up("alice", 1000)
        sale = books.operation(("alice", "claim", 600))
        async with books.engine.begin() as connection:
            await connection.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        await books.ledger._pipeline._store.close()
        with pytest.raises(OutcomeUnknown):
            await books.ledger.post([sale])
        async with books.engine.begin() as connection:
            await connection.execute(sa.text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        assert isinstance((await books.ledger.post([sale]))[0], Posted)

    @pytest.mark.parametrize("after_write", [False, True])
    async def test_a_connection_killed_in_mid_batch_changes_no_answer(
        self, books: Books, monkeypatch: pytest.MonkeyPatch, after_write: bool
    ) -> None:
        await books.top_up("alice", 1000)
        write, killed = postgres_store._write, False

        async def cut(connection: Any, *arguments: Any) -> Any:
            nonlocal killed
            written = await write(connection, *arguments) if after_write else None
            if not killed:
                killed = True
                async with books.engine.begin() as other:
                    pid = connection.get_server_pid()
                    await other.execute(sa.text(f"SELECT pg_terminate_backend({pid}, 5000)"))
            return written or await write(connection, *arguments)

        monkeypatch.setattr(postgres_store, "_write", cut)
        outcomes = await books.ledger.post([books.operation(("alice", "claim", 600)) for _ in range(2)])
        assert [type(it) for it in outcomes] == [Posted, Refused]
        assert await books.balance("alice") == 400

    async def test_a_commit_whose_answer_never_comes_is_booked_once(
        self, books: Books, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection dies between the server's commit and our hearing of it."""
        await books.top_up("alice", 1000)
        transaction, killed = postgres_store._transaction, False

        @asynccontextmanager
        async def cut(connection: Any) -> AsyncIterator[None]:
            nonlocal killed
            async with transaction(connection):
                yield
            if not killed:
                killed = True
                connection.terminate()
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

        monkeypatch.setattr(postgres_store, "_transaction", cut)
        outcome = await books.post(("alice", "claim", 600))
        assert isinstance(outcome, Posted)
        assert outcome.replayed
        assert await books.balance("alice") == 400

    async def test_ids_beyond_any_account_are_unknown_and_harm_nobody(self, books: Books) -> None:
        await books.top_up("alice", 1000)
        far = books.operation(("alice", "claim", 1))
        far = replace(far, postings=(replace(far.postings[0], credit=2**70),))
        answers = await asyncio.gather(books.ledger.post([far]), books.ledger.post([_sale(books)]))
        assert isinstance(answers[0][0], Invalid)
        assert isinstance(answers[1][0], Posted)


def _sale(books: Books) -> Operation:
    return books.operation(("alice", "claim", 1))


async def test_an_accepted_sale_is_sealed_in_the_order_of_its_number(books: Books, database_url: str) -> None:
    """The head names the last of everything, whoever posted it."""
    await books.top_up("alice", 1000)
    async with processes(books, database_url, 2) as ledgers:
        for n in range(6):
            await ledgers[n % 2].post([_sale(books)])
    async with books.engine.connect() as connection:
        row = (await connection.execute(sa.select(head))).one()
    assert (row.operation_seq, row.seal_id, row.transfer_id) == (7, 7, 8)


def test_each_database_has_its_store(tmp_path: object) -> None:
    assert isinstance(open_store("postgresql+asyncpg://me@/db?host=/run", KEY), PostgresStore)
    assert not isinstance(open_store(f"sqlite+aiosqlite:///{tmp_path}/x", KEY), PostgresStore)
