"""The file that a backup is: a .tar.gz of mode 0600 with a manifest first, then the database and the secrets.

    manifest.json               what made it, when, at which schema revision, and the SHA-256 of every other member
    database.sqlite3            or database.pgdump (pg_dump's custom format)
    secrets/<name>              as in the data folder

Nothing is taken out of an archive but what its manifest names, and nothing is used before its hash was checked.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from app.platform.errors import BackupError
from app.platform.secrets import sync_folder

MANIFEST = "manifest.json"
DATABASE_MEMBER = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
SECRETS_PREFIX = "secrets/"

# What reading a damaged, cut or foreign file raises, depending on where the damage is.
_UNREADABLE = (tarfile.TarError, zlib.error, EOFError, OSError)

_CHUNK_BYTES = 1024 * 1024
_MANIFEST_BYTES_MAX = 1024 * 1024
_MEMBER = re.compile(r"database\.(sqlite3|pgdump)|secrets/[A-Za-z0-9_-][A-Za-z0-9._-]*")


class Member(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size_bytes: int


class Manifest(BaseModel):
    """`revision` is Alembic's; None for a database that was never migrated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    version: str
    created_at_us: int
    database: Literal["sqlite", "postgresql"]
    revision: str | None
    members: dict[str, Member]


def digest(path: Path) -> Member:
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha256.update(chunk)
    return Member(sha256=sha256.hexdigest(), size_bytes=path.stat().st_size)


def write_archive(path: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Writes the whole archive under another name, reads it back, then gives it its own. Raises BackupError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz") as tar:
                _add(tar, MANIFEST, manifest.model_dump_json(indent=2).encode())
                for name, file in files.items():
                    _add(tar, name, file)
            raw.flush()
            os.fsync(raw.fileno())
        read_archive(draft, None)
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        raise BackupError(f"{path} is there already.") from None
    except OSError as error:
        raise BackupError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def read_archive(path: Path, into: Path | None) -> Manifest:
    """Checks every member against the manifest, writing them below `into` if given. Raises BackupError."""
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            manifest = _manifest(tar, path)
            left = dict(manifest.members)
            for entry in tar:
                if entry.offset == 0:
                    continue  # the manifest, read already
                if not entry.isreg() or (expected := left.pop(entry.name, None)) is None:
                    raise BackupError(f"{path} holds {entry.name!r}, which its manifest does not name once.")
                source = tar.extractfile(entry)
                if source is None or _copy(source, into, entry.name) != expected:
                    raise BackupError(f"{path} is damaged: {entry.name} is not what was backed up.")
    except _UNREADABLE as error:
        raise BackupError(f"{path} cannot be read as a backup: {error}.") from error
    if left:
        raise BackupError(f"{path} is not whole: {', '.join(sorted(left))} is missing.")
    return manifest


def read_manifest(path: Path) -> Manifest:
    """The manifest alone, nothing else checked. Raises BackupError."""
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            return _manifest(tar, path)
    except _UNREADABLE as error:
        raise BackupError(f"{path} cannot be read as a backup: {error}.") from error


def _manifest(tar: tarfile.TarFile, path: Path) -> Manifest:
    entry = tar.next()
    file = tar.extractfile(entry) if entry is not None and entry.name == MANIFEST and entry.isreg() else None
    if file is None:
        raise BackupError(f"{path} is not a backup of Comptoir: it does not begin with a manifest.")
    try:
        manifest = Manifest.model_validate_json(file.read(_MANIFEST_BYTES_MAX))
    except ValidationError as error:
        raise BackupError(f"{path} has a manifest that this version does not understand.") from error
    if DATABASE_MEMBER[manifest.database] not in manifest.members:
        raise BackupError(f"{path} holds no database.")
    for name in manifest.members:
        if not _MEMBER.fullmatch(name):
            raise BackupError(f"{path} names a member that no backup has: {name!r}.")
    return manifest


def _add(tar: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o600
    if isinstance(content, Path):
        entry.size = content.stat().st_size
        with content.open("rb") as file:
            tar.addfile(entry, file)
    else:
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))


def _copy(source: IO[bytes], into: Path | None, name: str) -> Member:
    sha256, size_bytes = hashlib.sha256(), 0
    target = None if into is None else into / name
    if target is not None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.devnull if target is None else target, "wb", opener=_private) as file:
        while chunk := source.read(_CHUNK_BYTES):
            sha256.update(chunk)
            size_bytes += len(chunk)
            file.write(chunk)
        file.flush()
        if target is not None:
            os.fsync(file.fileno())
    return Member(sha256=sha256.hexdigest(), size_bytes=size_bytes)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
