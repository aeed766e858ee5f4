"""Posting on PostgreSQL: one connection, one transaction per batch, set-based statements.

A batch is four steps (begin and lock the head, look, write, commit), or one: a writer that has met no other for a while
decides from memory (app.ledger.store.memory), and a single statement writes if the head is still as it was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.rules.decide import AccountState, Facts, Known, KnownHold, Plan, Reversible, decide
from app.ledger.rules.operations import Entry, Outcome
from app.ledger.store.base import (
    ACCOUNT_COLUMNS,
    FLOW,
    HEAD_COLUMNS,
    HOLD_COLUMNS,
    HOLD_END_ROW,
    HOLD_ROW,
    OPERATION_COLUMNS,
    REFUSAL_COLUMNS,
    SEAL_ROW,
    TRANSFER_COLUMNS,
    TRANSFER_ROW,
    Link,
    OutcomeUnknown,
    Rejected,
    accounts_of,
    hold_end_rows,
    hold_rows,
    holds_of,
    known_of,
    operation_rows,
    refusal_rows,
    seal,
    touched,
    transfer_rows,
)
from app.ledger.store.memory import Head, Memory, plain, simply_booked
from app.platform.database import BY_INDEX, POSTGRES_SETTINGS

T = TypeVar("T")

# The head's lock orders all batches of all processes. What is read then is read by statements of their own, for they
# must see what was committed while this one waited.
BEGIN = "BEGIN; SELECT 1 FROM ledger_head WHERE id = 1 FOR UPDATE"


def _arrays(columns: str) -> str:
    return ", ".join(f"array_agg({name.strip()})" for name in columns.split(","))


# The transaction that last wrote the head: another one each time, so it tells whether anybody has.
VERSION = "ledger_head.xmin::text"
KNOWN_COLUMNS = "id, fingerprint, seq, first_transfer, transfers, reason"
# Each question costs a way to the database and back, so what every batch asks is one: the head and the revision, the
# accounts (locked in id order), and what is known under the batch's ids; one array for each of their columns.
# What has a reason is a refusal.
LOOK = f"""
    SELECT {HEAD_COLUMNS}, {VERSION}, (SELECT value FROM revision), a.*, k.*
    FROM ledger_head,
        (SELECT {_arrays(ACCOUNT_COLUMNS)} FROM (
            SELECT {ACCOUNT_COLUMNS} FROM account WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) locked) a,
        (SELECT {_arrays(KNOWN_COLUMNS)} FROM (
            SELECT id, fingerprint, seq, first_transfer, transfers, NULL AS reason FROM operation WHERE id = ANY($2)
            UNION ALL SELECT id, fingerprint, 0, 0, 0, reason FROM refusal WHERE id = ANY($2)) known) k
    WHERE ledger_head.id = 1"""
_HEAD, _ACCOUNT = (len(it.split(",")) for it in (HEAD_COLUMNS + ", version, revision", ACCOUNT_COLUMNS))
# The same without locks and without ids, for accounts that the writer does not remember.
RECALL = f"""
    SELECT {HEAD_COLUMNS}, {VERSION}, (SELECT value FROM revision), a.*
    FROM ledger_head,
        (SELECT {_arrays(ACCOUNT_COLUMNS)} FROM (SELECT {ACCOUNT_COLUMNS} FROM account WHERE id = ANY($1)) found) a
    WHERE ledger_head.id = 1"""
KNOWN_TRANSFERS = f"SELECT {TRANSFER_COLUMNS} FROM transfer WHERE id = ANY($1)"
HOLDS = f"SELECT {HOLD_COLUMNS} FROM hold h LEFT JOIN hold_end e ON e.hold = h.id WHERE h.id = ANY($1)"
REVERSIBLE = """
    SELECT t.id, t.debit_account, t.credit_account, t.amount,
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM transfer r WHERE r.reverses = t.id)
    FROM transfer t WHERE t.id = ANY($1)"""
FLOWS = {
    incoming: FLOW.format(side=side, accounts="= ANY($1)", kinds="= ANY($2::text[])", first="$3", last="$4")
    for incoming, side in ((True, "credit_account"), (False, "debit_account"))
}
# Transfers fire the trigger that moves the balances; the operations they belong to are inserted by the same statement.
_WRITE = f"""
    WITH head AS (
        UPDATE ledger_head
        SET operation_seq = $28, transfer_id = $32, seal_id = $26, seal_digest = $29, booked_at_us = $31
        WHERE id = 1 {{only_if}} RETURNING {VERSION} AS version
    ), operations AS (
        INSERT INTO operation ({OPERATION_COLUMNS})
        SELECT new.* FROM head, unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::uuid[],
            $7::uuid[], $8::bigint[], $9::bigint[], $10::date[], $11::boolean[], $12::text[], $13::uuid[],
            $14::bigint[], $15::smallint[], $16::text[], $17::bytea[]) new
    ), transfers AS (
        INSERT INTO transfer ({TRANSFER_ROW})
        SELECT new.* FROM head, unnest($18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[],
            $23::bigint[], $24::bigint[], $25::bigint[]) new
    ), link AS (
        INSERT INTO seal ({SEAL_ROW}) SELECT $26, $27, $28, $29, $30, $31 FROM head
    )
    SELECT version FROM head"""
WRITE = _WRITE.format(only_if="")
# A head that somebody moved while this statement waited for it is compared again with what it has become.
WRITE_FROM_MEMORY = _WRITE.format(
    only_if="""AND xmin = $33::text::xid AND (SELECT value FROM revision) = $34
            AND NOT EXISTS (SELECT 1 FROM refusal WHERE refusal.id = ANY($1::uuid[]))"""
)
# Every batch that writes moves the head, so that other writers see that they are not alone.
MOVE_HEAD = f"UPDATE ledger_head SET booked_at_us = booked_at_us WHERE id = 1 RETURNING {VERSION}"
WRITE_REFUSALS = f"""
    INSERT INTO refusal ({REFUSAL_COLUMNS})
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bigint[], $5::text[], $6::text[])"""

WRITE_HOLDS = f"""
    INSERT INTO hold ({HOLD_ROW})
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
        $8::text[])"""
WRITE_HOLD_ENDS = f"""
    INSERT INTO hold_end ({HOLD_END_ROW}) SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[])"""

# A plan made while a table was small, and kept, would read the whole table once it is large. Everything here is led by
# an index, whatever the planner guesses of arrays and transition tables.
SETTINGS = POSTGRES_SETTINGS | dict.fromkeys(BY_INDEX, "off")

# What the entries themselves are at fault for: broken constraints (SQLSTATE 23) and unusable values (22).
_AT_FAULT = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
# What passes by itself, on the same connection.
_LATER = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
# Everything else is the server's trouble or the connection's (restarts, a full disk, a primary that was demoted, a
# password that was changed) and says nothing about the entries: a new connection may find a server that works.
_GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, asyncio.TimeoutError)


class PostgresStore:
    """`dsn`: postgresql://... as asyncpg reads it; `key` signs the seals; `settings`: the session's, its timeouts above
    all. Used by one writer only."""

    def __init__(self, dsn: str, key: Ed25519PrivateKey, settings: Mapping[str, str] = SETTINGS) -> None:
        self._dsn, self._key, self._settings = dsn, key, dict(settings)
        self._connection: asyncpg.Connection[Any] | None = None
        self._memory = Memory()

    async def post(
        self,
        entries: Sequence[Entry],
        now_us: int,
        writing: Callable[[], None] = lambda: None,
        joining: Callable[[], Sequence[Entry]] = tuple,
    ) -> list[Outcome]:
        if self._memory.alone is not None and plain(entries):
            with suppress(Rejected):
                if (outcomes := await self._told(self._from_memory(entries, now_us, writing))) is not None:
                    return outcomes
        return await self._told(self._under_lock(entries, now_us, writing, joining))

    async def _told(self, posting: Coroutine[Any, Any, T]) -> T:
        """The database's errors as ours. Whatever went wrong, what is remembered may no longer hold."""
        try:
            return await posting
        except BaseException as error:
            self._memory.forget()
            if isinstance(error, _AT_FAULT):
                raise Rejected(str(error)) from error
            if isinstance(error, _LATER):
                raise OutcomeUnknown(str(error)) from error
            if isinstance(error, _GONE):
                await self.close()
                raise OutcomeUnknown(str(error)) from error
            raise

    async def _under_lock(
        self,
        entries: Sequence[Entry],
        now_us: int,
        writing: Callable[[], None],
        joining: Callable[[], Sequence[Entry]],
    ) -> list[Outcome]:
        connection = await self._connected()
        async with _transaction(connection):
            # One batch of all that came while others held the lock, and not another turn of waiting for the rest.
            entries = [*entries, *joining()]
            head, facts = await _facts(connection, entries, now_us)
            self._memory.meet(head, facts.accounts)
            plan = decide(entries, facts)
            # Runs as soon as the first of the statements is on its way.
            asyncio.get_running_loop().call_soon(writing)
            link, version = await _write(connection, plan, facts, self._key)
        if version is not None:
            self._memory.left(plan, facts, link, version)
        return plan.outcomes

    async def _from_memory(
        self, entries: Sequence[Entry], now_us: int, writing: Callable[[], None]
    ) -> list[Outcome] | None:
        """None: these must be looked at under the lock, and nothing was done."""
        connection, memory = await self._connected(), self._memory
        accounts_wanted = touched(entries).accounts
        if missing := memory.missing(accounts_wanted):
            head, accounts = _read(await connection.fetchrow(RECALL, missing))
            if not memory.meet(head, accounts):
                return None
        if (head_then := memory.head) is None:
            return None
        facts = _facts_at(head_then, memory.accounts, {}, {}, now_us)
        plan = decide(entries, facts)
        if not simply_booked(plan):
            # What this plan would have booked has moved some accounts already.
            memory.drop(accounts_wanted)
            return None
        link, digests = seal(plan, facts, self._key)
        asyncio.get_running_loop().call_soon(writing)
        expected = (head_then.version, head_then.revision)
        rows = _rows_of(plan, link, digests) if link is not None else ()
        version = await connection.fetchval(WRITE_FROM_MEMORY, *rows, *expected)
        if version is None:
            memory.forget()
            return None
        memory.left(plan, facts, link, version)
        return plan.outcomes

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_GONE):
                await connection.close(timeout=2)

    async def _connected(self) -> asyncpg.Connection[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, server_settings=self._settings, timeout=5)
        return self._connection


@asynccontextmanager
async def _transaction(connection: asyncpg.Connection[Any]) -> AsyncIterator[None]:
    """Under the head's lock from its first step on, which saves asyncpg's own BEGIN."""
    try:
        await connection.execute(BEGIN)
        yield
    except BaseException:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


async def _facts(connection: asyncpg.Connection[Any], entries: Sequence[Entry], now_us: int) -> tuple[Head, Facts]:
    look = touched(entries)
    ids = [entry.id for entry in entries]
    holds = holds_of(await connection.fetch(HOLDS, look.holds)) if look.holds else {}
    account_ids = sorted({*look.accounts, *(it.account for it in holds.values())}) if holds else look.accounts
    found = tuple(await connection.fetchrow(LOOK, account_ids, ids))
    head, accounts = _read(found)
    rows = _rows(found[_HEAD + _ACCOUNT :])
    operations = [row[:5] for row in rows if row[5] is None]
    refusals = [(row[0], row[1], row[5]) for row in rows if row[5] is not None]
    numbers = [n for *_, first, count in operations for n in range(first, first + count)]
    transfers = await connection.fetch(KNOWN_TRANSFERS, numbers) if numbers else []
    facts = _facts_at(head, accounts, known_of(operations, refusals, transfers), holds, now_us)
    for flow in look.flows:
        question = FLOWS[flow.incoming]
        came_to = await connection.fetchval(question, flow.accounts, flow.kinds, flow.first_day, flow.last_day)
        facts.flows[flow] = int(came_to)
    if look.reverses:
        reversible = await connection.fetch(REVERSIBLE, look.reverses)
        facts.reversible = {row[0]: Reversible(*row[1:]) for row in reversible}
    return head, facts


def _facts_at(
    head: Head, accounts: dict[int, AccountState], known: dict[UUID, Known], holds: dict[UUID, KnownHold], now_us: int
) -> Facts:
    now_us = max(now_us, head.booked_at_us)
    seal_at = (head.seal_id, head.seal_digest)
    return Facts(head.operation_seq, head.transfer_id, accounts, known, {}, holds, *seal_at, now_us, head.revision)


def _read(found: Sequence[Any]) -> tuple[Head, dict[int, AccountState]]:
    """What LOOK and RECALL begin with."""
    return Head(*found[:_HEAD]), accounts_of(_rows(found[_HEAD : _HEAD + _ACCOUNT]))


def _rows(columns: Sequence[list[Any] | None]) -> list[tuple[Any, ...]]:
    """What `array_agg` made of no rows is NULL."""
    return list(zip(*(it or () for it in columns), strict=True))


def _rows_of(plan: Plan, link: Link, digests: Sequence[bytes]) -> tuple[Any, ...]:
    """The parameters of WRITE."""
    operations = zip(*operation_rows(plan, digests), strict=True)
    transfers = zip(*transfer_rows(plan), strict=True)
    sealed = (link.id, link.first, link.last, link.digest, link.signature, plan.now_us)
    return (*operations, *transfers, *sealed, plan.transfer_id)


async def _write(
    connection: asyncpg.Connection[Any], plan: Plan, facts: Facts, key: Ed25519PrivateKey
) -> tuple[Link | None, str | None]:
    """(the batch's link in the chain of seals, the head's new version); None where nothing was written."""
    link, digests = seal(plan, facts, key)
    ended, ended_at_once = hold_end_rows(plan)
    version: str | None = None
    if ended:
        await connection.execute(WRITE_HOLD_ENDS, *zip(*ended, strict=True))
    if link is not None:
        version = await connection.fetchval(WRITE, *_rows_of(plan, link, digests))
    if plan.holds:
        await connection.execute(WRITE_HOLDS, *zip(*hold_rows(plan), strict=True))
    if ended_at_once:
        await connection.execute(WRITE_HOLD_ENDS, *zip(*ended_at_once, strict=True))
    if plan.refused:
        await connection.execute(WRITE_REFUSALS, *zip(*refusal_rows(plan), strict=True))
    if version is None and (plan.hold_ends or plan.holds or plan.refused):
        version = await connection.fetchval(MOVE_HEAD)
    return link, version
