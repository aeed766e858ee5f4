"""Backups: the database and the secrets in one file, and back again. What the file holds: app/platform/archive.py.

A backup is taken while the server runs. To restore, stop it: the archive is checked whole before anything is touched,
then the secrets and at last the database are replaced, each in one step. What was there before stays in a folder
`before-restore-...` of the data folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import make_url

from app.platform import clock, postgres_tools, sqlite_files
from app.platform.archive import (
    DATABASE_MEMBER,
    SECRETS_PREFIX,
    Manifest,
    digest,
    read_archive,
    read_manifest,
    write_archive,
)
from app.platform.errors import BackupError
from app.platform.migrate import configuration
from app.platform.secrets import secrets_folder, sync_folder, write_private
from app.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """`kept` is the folder with what was there before, if anything was."""

    manifest: Manifest
    kept: Path | None


def make_backup(settings: Settings, folder: Path | None = None) -> Path:
    """A new archive in `folder` (default: `backups` in the data folder). Raises BackupError."""
    folder = settings.data / "backups" if folder is None else folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kind, now_us = _kind(settings), clock.now_us()
    with _scratch(folder) as scratch:
        database = scratch / DATABASE_MEMBER[kind]
        if kind == "sqlite":
            sqlite_files.copy_live(_sqlite_path(settings), database)
            revision = sqlite_files.revision(database)
        else:
            postgres_tools.dump(settings.sqlalchemy_url, database)
            revision = postgres_tools.revision(settings.sqlalchemy_url)
        files = {database.name: database}
        files |= {f"{SECRETS_PREFIX}{secret.name}": secret for secret in _secrets(settings)}
        manifest = Manifest(
            version=_version(),
            created_at_us=now_us,
            database=kind,
            revision=revision,
            members={name: digest(file) for name, file in files.items()},
        )
        target = folder / f"comptoir-backup-{_stamp(now_us)}.tar.gz"
        write_archive(target, manifest, files)
    return target


def restore_backup(settings: Settings, archive: Path, *, force: bool = False) -> Restored:
    """Raises BackupError, with nothing changed: for a damaged or foreign archive, for a server that is still running,
    and, without `force`, where there already is a database or secrets."""
    manifest = read_manifest(archive)
    _check_fits(settings, manifest)
    occupied = _occupied(settings)
    if occupied and not force:
        raise BackupError(f"There is something already: {occupied}. To replace it, use --force; it will be kept aside.")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The new database must lie on the old one's disk to be put in its place in one step.
    place = _sqlite_path(settings).parent if manifest.database == "sqlite" else settings.data
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _scratch(place) as scratch:
        read_archive(archive, scratch)
        database = scratch / DATABASE_MEMBER[manifest.database]
        if manifest.database == "sqlite":
            sqlite_files.check(database)
        kept = _set_aside(settings, manifest.database) if occupied else None
        _restore_secrets(settings, scratch / "secrets")
        if manifest.database == "sqlite":
            sqlite_files.replace(_sqlite_path(settings), database)
        else:
            postgres_tools.restore(settings.sqlalchemy_url, database, scratch)
    return Restored(manifest, kept)


def _check_fits(settings: Settings, manifest: Manifest) -> None:
    if manifest.database != _kind(settings):
        raise BackupError(
            f"This is a backup of a {manifest.database} database, and COMPTOIR_DATABASE_URL names a {_kind(settings)} "
            "one: a backup goes back into the kind of database it came from."
        )
    if manifest.revision is None:
        return
    try:
        ScriptDirectory.from_config(configuration(settings.sqlalchemy_url)).get_revision(manifest.revision)
    except CommandError as error:
        raise BackupError(
            f"This backup was made by Comptoir {manifest.version}, whose database this version does not know "
            f"(revision {manifest.revision}): install that version or a newer one first."
        ) from error


def _occupied(settings: Settings) -> str:
    """What stands in the way of a restore, in words; empty if nothing does."""
    found = []
    if _kind(settings) == "sqlite":
        path = _sqlite_path(settings)
        if path.exists() and path.stat().st_size > 0:
            found.append(f"the database {path}")
    elif not postgres_tools.is_empty(settings.sqlalchemy_url):
        found.append("tables in the PostgreSQL database")
    if _secrets(settings):
        found.append(f"secrets in {secrets_folder(settings.data)}")
    return " and ".join(found)


def _set_aside(settings: Settings, kind: Literal["sqlite", "postgresql"]) -> Path:
    """Makes sure that the server is stopped, and gives the folder that now keeps what is there."""
    path = _sqlite_path(settings) if kind == "sqlite" else None
    if path is None and postgres_tools.is_in_use(settings.sqlalchemy_url):
        raise BackupError("Somebody is connected to the PostgreSQL database: stop the server first.")
    place = settings.data if path is None else path.parent
    keep = Path(tempfile.mkdtemp(prefix=f"before-restore-{_stamp(clock.now_us())}-", dir=place))
    try:
        if path is None:
            postgres_tools.dump(settings.sqlalchemy_url, keep / DATABASE_MEMBER[kind])
        elif path.exists():
            sqlite_files.set_aside(path, keep)
        (keep / "secrets").mkdir(mode=0o700)
        for secret in _secrets(settings):
            write_private(keep / "secrets" / secret.name, secret.read_bytes())
    except BackupError:
        shutil.rmtree(keep)
        raise
    return keep


def _restore_secrets(settings: Settings, restored: Path) -> None:
    if not restored.is_dir():
        return
    folder = secrets_folder(settings.data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in sorted(restored.iterdir()):
        draft = folder / f".{source.name}.restored"
        draft.unlink(missing_ok=True)
        write_private(draft, source.read_bytes())
        draft.replace(folder / source.name)
    sync_folder(folder)


def _secrets(settings: Settings) -> list[Path]:
    """The secrets' files. Names that begin with a dot are drafts of a process that died."""
    folder = secrets_folder(settings.data)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _kind(settings: Settings) -> Literal["sqlite", "postgresql"]:
    return "sqlite" if settings.sqlalchemy_url.startswith("sqlite") else "postgresql"


def _sqlite_path(settings: Settings) -> Path:
    return Path(make_url(settings.sqlalchemy_url).database or settings.sqlite_path)


def _stamp(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _version() -> str:
    try:
        return version("comptoir")
    except PackageNotFoundError:
        return "unknown"  # run from a source folder that was never installed


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder that only we can read, on the same disk as `folder`; gone afterwards."""
    try:
        made = tempfile.TemporaryDirectory(prefix=".comptoir-", dir=folder)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written to: {os.strerror(error.errno or 0)}.") from error
    with made as name:
        yield Path(name)
