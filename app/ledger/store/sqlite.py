"""Posting on SQLite: one connection in one thread of its own, one transaction per batch."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.rules.decide import Facts, Plan, Reversible, decide
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
from app.platform.database import SQLITE_PRAGMAS, file_identity

_IN = "IN (SELECT value FROM json_each(?))"
HEAD = f"SELECT {HEAD_COLUMNS}, (SELECT value FROM revision) FROM ledger_head WHERE id = 1"
ACCOUNTS = f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE id {_IN}"
KNOWN_OPERATIONS = f"SELECT id, fingerprint, seq, first_transfer, transfers FROM operation WHERE id {_IN}"
KNOWN_REFUSALS = f"SELECT id, fingerprint, reason FROM refusal WHERE id {_IN}"
KNOWN_TRANSFERS = f"SELECT {TRANSFER_COLUMNS} FROM transfer WHERE id {_IN}"
HOLDS = f"SELECT {HOLD_COLUMNS} FROM hold h LEFT JOIN hold_end e ON e.hold = h.id WHERE h.id {_IN}"
REVERSIBLE = f"""
    SELECT t.id, t.debit_account, t.credit_account, t.amount,
           (SELECT coalesce(sum(r.amount), 0) FROM transfer r WHERE r.reverses = t.id)
    FROM transfer t WHERE t.id {_IN}"""
FLOWS = {
    incoming: FLOW.format(side=side, accounts=_IN, kinds=_IN, first="?", last="?")
    for incoming, side in ((True, "credit_account"), (False, "debit_account"))
}
WRITE_OPERATIONS = f"INSERT INTO operation ({OPERATION_COLUMNS}) VALUES ({', '.join('?' * 17)})"
WRITE_TRANSFERS = f"INSERT INTO transfer ({TRANSFER_ROW}) VALUES ({', '.join('?' * 8)})"
WRITE_REFUSALS = f"INSERT INTO refusal ({REFUSAL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
WRITE_SEAL = f"INSERT INTO seal ({SEAL_ROW}) VALUES (?, ?, ?, ?, ?, ?)"
WRITE_HOLDS = f"INSERT INTO hold ({HOLD_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
WRITE_HOLD_ENDS = f"INSERT INTO hold_end ({HOLD_END_ROW}) VALUES (?, ?, ?, ?)"
# Last, for its trigger checks the peg over the whole batch.
WRITE_HEAD = """
    UPDATE ledger_head SET operation_seq = ?, transfer_id = ?, seal_id = ?, seal_digest = ?, booked_at_us = ?
    WHERE id = 1"""


class SqliteStore:
    """`path`: the database file; `key` signs the seals. Used by one writer only."""

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        self._path, self._key = path, key
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def post(
        self,
        entries: Sequence[Entry],
        now_us: int,
        writing: Callable[[], None] = lambda: None,
        joining: Callable[[], Sequence[Entry]] = tuple,  # noqa: ARG002 (a thread waits here, and hardly ever)
    ) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        posting = loop.run_in_executor(self._thread, self._post, entries, now_us)
        loop.call_soon(writing)
        return await posting

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _post(self, entries: Sequence[Entry], now_us: int) -> list[Outcome]:
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            try:
                facts = _facts(connection, entries, now_us)
                plan = decide(entries, facts)
                _write(connection, plan, facts, self._key)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError as error:
            raise Rejected(str(error)) from error
        except (sqlite3.Error, OSError) as error:
            self._close()
            raise OutcomeUnknown(str(error)) from error
        return plan.outcomes

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        # A file that is moved or deleted can still be written to, and what is written there is gone.
        if self._connection is not None and self._file != file_identity(self._path):
            self._close()
        if self._connection is None:
            self._file = file_identity(self._path)
            self._connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode=rw", uri=True, isolation_level=None)
            for pragma in SQLITE_PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
        return self._connection


def _facts(connection: sqlite3.Connection, entries: Sequence[Entry], now_us: int) -> Facts:
    look = touched(entries)
    ids = json.dumps([entry.id.hex for entry in entries])
    seq, last, seal_id, seal_digest, booked_at_us, revision = connection.execute(HEAD).fetchone()
    holds = {}
    if look.holds:
        rows = connection.execute(HOLDS, (json.dumps([id_.hex for id_ in look.holds]),))
        holds = holds_of((UUID(row[0]), *row[1:]) for row in rows)
    account_ids = [*look.accounts, *(it.account for it in holds.values())]
    accounts = accounts_of(connection.execute(ACCOUNTS, (json.dumps(account_ids),)))
    operations = [(UUID(row[0]), *row[1:]) for row in connection.execute(KNOWN_OPERATIONS, (ids,))]
    refusals = [(UUID(row[0]), *row[1:]) for row in connection.execute(KNOWN_REFUSALS, (ids,))]
    numbers = [n for *_, first, count in operations for n in range(first, first + count)]
    transfers = connection.execute(KNOWN_TRANSFERS, (json.dumps(numbers),)) if numbers else []
    known = known_of(operations, refusals, transfers)
    facts = Facts(seq, last, accounts, known, {}, holds, seal_id, seal_digest, max(now_us, booked_at_us), revision)
    for flow in look.flows:
        days = (flow.first_day.isoformat(), flow.last_day.isoformat())
        found = connection.execute(FLOWS[flow.incoming], (json.dumps(flow.accounts), json.dumps(flow.kinds), *days))
        (facts.flows[flow],) = found.fetchone()
    if look.reverses:
        rows = connection.execute(REVERSIBLE, (json.dumps(look.reverses),))
        facts.reversible = {row[0]: Reversible(*row[1:]) for row in rows}
    return facts


def _write(connection: sqlite3.Connection, plan: Plan, facts: Facts, key: Ed25519PrivateKey) -> None:
    link, digests = seal(plan, facts, key)
    ended, ended_at_once = hold_end_rows(plan)
    connection.executemany(WRITE_HOLD_ENDS, [_stored(row) for row in ended])
    if link is not None:
        connection.executemany(WRITE_OPERATIONS, [_stored(row) for row in operation_rows(plan, digests)])
        connection.executemany(WRITE_TRANSFERS, transfer_rows(plan))
        connection.execute(WRITE_SEAL, (link.id, link.first, link.last, link.digest, link.signature, plan.now_us))
        connection.execute(WRITE_HEAD, (plan.operation_seq, plan.transfer_id, link.id, link.digest, plan.now_us))
    connection.executemany(WRITE_HOLDS, [_stored(row) for row in hold_rows(plan)])
    connection.executemany(WRITE_HOLD_ENDS, [_stored(row) for row in ended_at_once])
    if plan.refused:
        connection.executemany(WRITE_REFUSALS, [_stored(row) for row in refusal_rows(plan)])


def _stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row as SQLAlchemy's types store it on SQLite: ids as hexadecimal, dates in ISO 8601."""
    return tuple(
        value.hex if isinstance(value, UUID) else value.isoformat() if hasattr(value, "isoformat") else value
        for value in row
    )
