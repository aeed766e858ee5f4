"""Posting on PostgreSQL: one connection, one transaction per batch, set-based statements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from app.ledger.rules.decide import Facts, Plan, Reversible, decide
from app.ledger.rules.operations import Entry, Outcome
from app.ledger.store.base import (
    ACCOUNT_COLUMNS,
    OPERATION_COLUMNS,
    REFUSAL_COLUMNS,
    TRANSFER_COLUMNS,
    TRANSFER_ROW,
    OutcomeUnknown,
    Rejected,
    accounts_of,
    known_of,
    operation_rows,
    refusal_rows,
    touched,
    transfer_rows,
)
from app.platform.database import POSTGRES_SETTINGS

# The head's lock orders all batches of all processes; the accounts follow in id order.
LOCK_HEAD = "SELECT operation_seq, transfer_id FROM ledger_head WHERE id = 1 FOR UPDATE"
LOCK_ACCOUNTS = f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
KNOWN_OPERATIONS = "SELECT id, fingerprint, seq, first_transfer, transfers FROM operation WHERE id = ANY($1)"
KNOWN_REFUSALS = "SELECT id, fingerprint, reason FROM refusal WHERE id = ANY($1)"
KNOWN_TRANSFERS = f"SELECT {TRANSFER_COLUMNS} FROM transfer WHERE id = ANY($1)"
REVERSIBLE = """
    SELECT t.id, t.debit_account, t.credit_account, t.amount,
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM transfer r WHERE r.reverses = t.id)
    FROM transfer t WHERE t.id = ANY($1)"""
# Transfers fire the trigger that moves the balances; the operations they belong to are inserted by the same statement.
WRITE = f"""
    WITH operations AS (
        INSERT INTO operation ({OPERATION_COLUMNS})
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::uuid[], $7::uuid[],
            $8::bigint[], $9::bigint[], $10::date[], $11::boolean[], $12::text[], $13::uuid[], $14::bigint[],
            $15::smallint[], $16::text[])
    ), transfers AS (
        INSERT INTO transfer ({TRANSFER_ROW})
        SELECT * FROM unnest($17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[],
            $23::bigint[], $24::bigint[])
    )
    UPDATE ledger_head SET operation_seq = $25, transfer_id = $26 WHERE id = 1"""
WRITE_REFUSALS = f"""
    INSERT INTO refusal ({REFUSAL_COLUMNS})
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bigint[], $5::text[], $6::text[])"""

_GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError)
_LATER = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class PostgresStore:
    """`dsn`: postgresql://... as asyncpg reads it. Not for concurrent use: one writer owns it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[Any] | None = None

    async def post(self, entries: Sequence[Entry], now_us: int) -> list[Outcome]:
        try:
            connection = await self._connected()
            async with connection.transaction():
                facts = await _facts(connection, entries)
                plan = decide(entries, facts)
                await _write(connection, plan, now_us)
            return plan.outcomes
        except _LATER as error:
            raise OutcomeUnknown(str(error)) from error
        except _GONE as error:
            await self.close()
            raise OutcomeUnknown(str(error)) from error
        except asyncpg.PostgresError as error:
            raise Rejected(str(error)) from error

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_GONE):
                await connection.close(timeout=2)

    async def _connected(self) -> asyncpg.Connection[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, server_settings=POSTGRES_SETTINGS, timeout=5)
        return self._connection


async def _facts(connection: asyncpg.Connection[Any], entries: Sequence[Entry]) -> Facts:
    account_ids, reverses = touched(entries)
    ids = [entry.id for entry in entries]
    seq, last = await connection.fetchrow(LOCK_HEAD)
    accounts = accounts_of(await connection.fetch(LOCK_ACCOUNTS, account_ids))
    operations = await connection.fetch(KNOWN_OPERATIONS, ids)
    refusals = await connection.fetch(KNOWN_REFUSALS, ids)
    numbers = [n for row in operations for n in range(row["first_transfer"], row["first_transfer"] + row["transfers"])]
    transfers = await connection.fetch(KNOWN_TRANSFERS, numbers) if numbers else []
    facts = Facts(seq, last, accounts, known_of(operations, refusals, transfers))
    if reverses:
        facts.reversible = {row[0]: Reversible(*row[1:]) for row in await connection.fetch(REVERSIBLE, reverses)}
    return facts


async def _write(connection: asyncpg.Connection[Any], plan: Plan, now_us: int) -> None:
    if plan.booked:
        operations = zip(*operation_rows(plan, now_us), strict=True)
        transfers = zip(*transfer_rows(plan), strict=True)
        await connection.execute(WRITE, *operations, *transfers, plan.operation_seq, plan.transfer_id)
    if plan.refused:
        await connection.execute(WRITE_REFUSALS, *zip(*refusal_rows(plan, now_us), strict=True))
