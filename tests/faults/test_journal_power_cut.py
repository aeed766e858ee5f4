"""Power cuts, modelled: only what a sync reached is certain; later writes are lost, kept or torn at random."""

# ruff: noqa: N802 - the names of a VFS's methods are apsw's
from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import apsw
import pytest

from readers.journal import Clock, JournalError, JournalFile
from tests.readers.journal.rows import intent, pairing, sale_row

pytestmark = pytest.mark.faults

SECTOR = 512


class Disk:
    """Files as the platter holds them (`synced`), and the writes that are still in some cache (`pending`)."""

    def __init__(self) -> None:
        self.synced: dict[str, bytes] = {}
        self.pending: dict[str, list[tuple[int, bytes | None]]] = {}

    def image(self, name: str) -> bytearray:
        image = bytearray(self.synced.get(name, b""))
        for offset, data in self.pending.get(name, []):
            _apply(image, offset, data)
        return image

    def power_cut(self, chance: random.Random, folder: Path) -> None:
        """Write the files that a machine would find after the plug was pulled."""
        for name, base in self.synced.items():
            image = bytearray(base)
            for offset, data in self.pending.get(name, []):
                if chance.random() < 0.5:
                    continue
                kept = data
                if kept is not None and len(kept) > SECTOR and chance.random() < 0.3:
                    kept = kept[: SECTOR * chance.randrange(1, len(kept) // SECTOR + 1)]
                _apply(image, offset, kept)
            (folder / name).write_bytes(image)


def _apply(image: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del image[offset:]
        return
    if len(image) < offset + len(data):
        image.extend(bytes(offset + len(data) - len(image)))
    image[offset : offset + len(data)] = data


class _File(apsw.VFSFile):  # type: ignore[misc]
    def __init__(self, disk: Disk, name: str) -> None:
        self.disk, self.name = disk, name
        disk.synced.setdefault(name, b"")
        disk.pending.setdefault(name, [])

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self.disk.image(self.name)[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self.disk.pending[self.name].append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self.disk.pending[self.name].append((size, None))

    def xSync(self, flags: int) -> None:
        self.disk.synced[self.name] = bytes(self.disk.image(self.name))
        self.disk.pending[self.name] = []

    def xFileSize(self) -> int:
        return len(self.disk.image(self.name))

    def xClose(self) -> None: ...

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False


class _Vfs(apsw.VFS):  # type: ignore[misc]
    def __init__(self, disk: Disk, name: str) -> None:
        self.disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or f"temporary-{id(flags)}"
        return _File(self.disk, os.path.basename(str(path)))

    def xDelete(self, name: str, sync: bool) -> None:
        self.disk.synced.pop(os.path.basename(name), None)
        self.disk.pending.pop(os.path.basename(name), None)

    def xAccess(self, name: str, flags: int) -> bool:
        return os.path.basename(name) in self.disk.synced

    def xFullPathname(self, name: str) -> str:
        return name


class _Lenient:
    """A connection that says FULL whatever it does: what a journal without its check at the start would trust."""

    def __init__(self, db: Any) -> None:
        self._db = db

    @property
    def in_transaction(self) -> bool:
        return bool(self._db.in_transaction)

    def execute(self, sql: str, parameters: Any = None) -> Any:
        return self._db.execute("SELECT 2" if sql == "PRAGMA synchronous" else sql, parameters)

    def close(self) -> None:
        self._db.close()


def _outcome(seed: int, synchronous: str | None, tmp_path: Path) -> str:
    """Sell until the plug is pulled; "ok" if every confirmed row is there, in an unbroken chain.

    `synchronous` None is the journal as it is shipped.
    """
    chance = random.Random(seed)
    checkpoint_pages = chance.choice([20, 60, 200])
    disk = Disk()
    name = f"disk-{seed}-{synchronous}"
    vfs = _Vfs(disk, name)
    folder = tmp_path / name
    folder.mkdir()

    def open_connection(_: Path) -> Any:
        db = apsw.Connection("/journal.db", vfs=name)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # One append touches several pages: rarely enough that the log is cut both before and after checkpoints.
        db.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
        return db if synchronous is None else _Lenient(db)

    changed = {} if synchronous is None else {"synchronous": synchronous}
    file = JournalFile(folder / "journal.db", Clock(), open_connection=open_connection, **changed)
    file.pair(pairing(), "code")
    confirmed = 0
    for _ in range(chance.randrange(1, 40)):
        row = sale_row(chance.randrange(1, 5000), name="B" * chance.randrange(1, 80))
        file.append([intent(row.sale.id)])
        confirmed = file.append([row])
    after = folder / "after"
    after.mkdir()
    disk.power_cut(chance, after)
    file.close()
    vfs.unregister()
    try:
        found = JournalFile(after / "journal.db", Clock())
    except (JournalError, sqlite3.Error):
        return "broken"
    try:
        found.verify()
        return "ok" if found.pairing and found.head() >= confirmed else "lost"
    finally:
        found.close()


SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_confirmed_row_is_lost_to_a_power_cut(seed: int, tmp_path: Path) -> None:
    assert _outcome(seed, None, tmp_path) == "ok"


@pytest.mark.parametrize("lowered", ["NORMAL", "OFF"])
def test_the_same_cuts_lose_rows_when_synchronous_is_lowered(lowered: str, tmp_path: Path) -> None:
    """What the test before would see of a journal that is less careful, and does not check that it is."""
    outcomes = [_outcome(seed, lowered, tmp_path) for seed in SEEDS[:20]]
    assert outcomes.count("ok") < len(outcomes) / 2
    assert "lost" in outcomes
