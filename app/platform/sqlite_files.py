"""An SQLite database as a file: copied while in use, checked, and replaced whole."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.platform.errors import BackupError
from app.platform.secrets import sync_folder

_BUSY_TIMEOUT_S = 10
# What SQLite still has to apply to the database, or to take back from it. The third side file, -shm, is an index.
_LOGS = ("-wal", "-journal")


def copy_live(source: Path, target: Path) -> None:
    """One consistent snapshot, through SQLite's online backup: writers go on meanwhile. Raises BackupError."""
    if not source.exists():
        raise BackupError(f"There is no database at {source}.")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            # A single file, whole in itself: no side files to forget.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} could not be copied: {error}.") from error
    check(target)


def check(path: Path) -> None:
    """Raises BackupError unless SQLite finds the file sound."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            findings = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        findings = [str(error)]
    if findings != ["ok"]:
        raise BackupError(f"{path} is damaged: {'; '.join(findings)}.")


def revision(path: Path) -> str | None:
    """The schema's revision by Alembic's table, if there is one."""
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def set_aside(path: Path, keep: Path) -> None:
    """Makes sure that nobody uses the database, and gives it a second name in the folder `keep`.

    Raises BackupError if somebody does. A damaged database, the usual reason to restore a backup, is kept with its
    side files as it is; a sound one takes them in.
    """
    beside = [path.with_name(path.name + suffix) for suffix in _LOGS]
    for file in [path, *(log for log in beside if log.exists())]:
        os.link(file, keep / file.name)
    if _close_down(path):
        for log in beside:
            (keep / log.name).unlink(missing_ok=True)
    sync_folder(keep)


def replace(path: Path, new: Path) -> None:
    """Puts `new` at `path` in one step. Side files go first: SQLite would apply the old log to the new database."""
    for suffix in (*_LOGS, "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new.replace(path)
    sync_folder(path.parent)


def _close_down(path: Path) -> bool:
    """Folds the side files in; whether that worked. Raises BackupError if anybody has the database open."""
    try:
        with closing(sqlite3.connect(path, timeout=0.5)) as connection:
            # Leaving WAL needs to be alone with the file: it fails as long as any other process has it open.
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BackupError(f"{path} is in use: stop the server first.") from error
        return False
    return True
