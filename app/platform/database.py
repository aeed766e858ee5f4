"""Engines for the two databases, with the settings that durability and patience ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

# A paused or lost client must not hold locks for ever; both are far above any healthy transaction.
LOCK_TIMEOUT_MS = 10_000
STATEMENT_TIMEOUT_MS = 60_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000

SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000")

POSTGRES_SETTINGS = {
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    "timezone": "UTC",
}

# What is switched off where every table is to be read by an index, row by row.
BY_INDEX = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


def create_engine(url: str, pool_size: int = 10) -> AsyncEngine:
    """An async engine; SQLite connections get their pragmas, and write transactions begin by taking the lock.

    Errors do not show a statement's values: these would bring hashes and tokens into the log.
    """
    if url.startswith("sqlite"):
        engine = create_async_engine(url, hide_parameters=True)
        sa.event.listen(engine.sync_engine, "connect", _sqlite_connect)
        sa.event.listen(engine.sync_engine, "begin", _sqlite_begin)
        _SameFile(Path(engine.url.database or "")).watch(engine)
        return engine
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"server_settings": POSTGRES_SETTINGS, "timeout": 5},
    )


def file_identity(path: Path) -> tuple[int, int]:
    """Which file stands under this name. OSError when none does."""
    found = path.stat()
    return found.st_dev, found.st_ino


class _SameFile:
    """A SQLite file that is moved or deleted can still be written to, and what is written there is gone: from the first
    connection on, the same file must stand under its name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: tuple[int, int] | None = None

    def watch(self, engine: AsyncEngine) -> None:
        sa.event.listen(engine.sync_engine, "do_connect", self._check)
        sa.event.listen(engine.sync_engine, "connect", self._note)
        sa.event.listen(engine.sync_engine, "checkout", self._check)

    def _note(self, *_: Any) -> None:
        if self._identity is None and self._path.is_file():
            self._identity = file_identity(self._path)

    def _check(self, *_: Any) -> None:
        if self._identity is not None and file_identity(self._path) != self._identity:
            raise OSError(f"{self._path} is no longer the file that it was at the start")


def is_sqlite(connection: AsyncConnection | AsyncEngine) -> bool:
    return connection.dialect.name == "sqlite"


def read_only(engine: AsyncEngine) -> AsyncEngine:
    """The same engine for transactions that only read, all of whose statements see one snapshot of the database."""
    if is_sqlite(engine):
        return engine.execution_options(comptoir_read_only=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


async def led_by_indexes(connection: AsyncConnection) -> None:
    """Until the end of this transaction PostgreSQL joins tables in the order in which they are written, each row of one
    leading to the next by an index, whatever it guesses.

    For questions whose answer is small however long the history is, and whose plan it cannot guess: of how many rows
    lie between two columns of another table it thinks far too many, and would rather read all there are.
    """
    if not is_sqlite(connection):
        for setting in (*(f"{name} = off" for name in BY_INDEX), "join_collapse_limit = 1", "jit = off"):
            await connection.exec_driver_sql(f"SET LOCAL {setting}")


def one_by_one(engine: AsyncEngine) -> AsyncEngine:
    """The same engine for statements that need no common snapshot: each is a transaction of its own, which saves two
    ways to PostgreSQL."""
    return read_only(engine) if is_sqlite(engine) else engine.execution_options(isolation_level="AUTOCOMMIT")


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # sqlite3 would open transactions on its own and only at the first write; `begin` below says when.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails at once when somebody wrote in between; taking the write
    # lock at the start waits its turn instead.
    deferred = connection.get_execution_options().get("comptoir_read_only", False)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
