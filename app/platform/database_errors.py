"""Telling a database that cannot be reached or is too busy from a mistake in our own statements."""

from __future__ import annotations

import sqlite3
from types import TracebackType

import sqlalchemy as sa

# PostgreSQL, appendix A "Error Codes": connection lost (08), out of resources (53), shut down by its operator (57P),
# and what our own timeouts and lock order end: lock not available, query cancelled, serialization, deadlock, idle.
_SQLSTATE_CLASSES = ("08", "53", "57P")
_SQLSTATES = frozenset({"55P03", "57014", "40001", "40P01", "25P03", "25006"})

# https://www.sqlite.org/rescode.html; an extended code keeps the primary one in its low byte.
_SQLITE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def database_unavailable(error: BaseException) -> bool:
    """Whether `error` says that the database is out of reach or overloaded: trying again later may help."""
    if isinstance(error, sa.exc.TimeoutError):
        return True  # every connection of the pool is in use
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or _driver_unavailable(error.orig)
    if isinstance(error, OSError):  # TimeoutError and ConnectionError are OSErrors
        # A refused or timed out connection reaches us bare; only its way through the driver tells whose it was.
        return _came_through(error.__traceback__, ("asyncpg", "sqlalchemy"))
    return False


def _driver_unavailable(cause: BaseException | None) -> bool:
    while cause is not None:
        sqlstate = getattr(cause, "sqlstate", None)
        if isinstance(sqlstate, str) and (sqlstate in _SQLSTATES or sqlstate.startswith(_SQLSTATE_CLASSES)):
            return True
        if isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_CODES:
            return True
        if isinstance(cause, OSError):
            return True
        cause = cause.__cause__
    return False


def _came_through(traceback: TracebackType | None, packages: tuple[str, ...]) -> bool:
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__", "").split(".")[0] in packages:
            return True
        traceback = traceback.tb_next
    return False
