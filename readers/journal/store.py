"""The journal file: one connection, used from one thread, each append one durable transaction."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from app.rules.ids import uuid7
from app.wire import (
    GENESIS,
    AnyRow,
    CancelRow,
    JournalRow,
    PairingReply,
    SaleRow,
    VoidRow,
    read_payload,
    row_hash,
)
from readers.journal.clock import Clock, Stamp
from readers.journal.errors import ChainBroken, JournalError, JournalFailed, JournalUnsafe, RowsWaiting
from readers.journal.records import Halt, Made, OwnRow, PaidSale, Pairing
from readers.journal.schema import MIGRATIONS, Connection, migrate

# What opening checks of the chain; `verify()` checks all of it.
TAIL_ROWS = 256
# What `PRAGMA synchronous` answers for FULL.
_FULL = 2
# Rows that ask for something to be booked. A cancel takes back what was never in the journal.
_ACTS = "event IS NOT NULL AND kind <> 'cancel'"
# What is done for a customer, and may be taken back.
_MADE = ("sale", "top_up", "refund", "credit")
_PAIRING = "number, device, epoch, name, venue, venue_name, server_key, code_digest, halted"


def code_digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, its file in a folder that survives a power cut with it."""
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    os.chmod(path, 0o600)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # SQLite syncs the folder for its own side files; the entry of a new main file is ours to make durable.
        os.fsync(folder)
    finally:
        os.close(folder)
    return db


class JournalFile:
    """The rows of one terminal. Not thread-safe: every call from the thread that opened it.

    `open_connection` and `migrations` are the tests' way to another file system and another schema.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        open_connection: Callable[[Path], Connection] = connect,
        migrations: tuple[tuple[str, ...], ...] = MIGRATIONS,
        synchronous: str = "FULL",
    ) -> None:
        self._clock = clock
        self._lock = _lock(path)
        try:
            self._db = open_connection(path)
            try:
                self._settle(synchronous, migrations)
                self._pairing = self._read_pairing()
                self.verify(TAIL_ROWS)
                self._set_clock()
                self.recover()
            except BaseException:
                self._db.close()
                raise
        except BaseException as error:
            os.close(self._lock)
            if isinstance(error, sqlite3.Error):
                raise JournalUnsafe(f"the journal can't be opened: {error}") from error
            raise

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)

    # Pairing

    @property
    def pairing(self) -> Pairing | None:
        """The device and epoch that rows are written under; None before the first pairing."""
        return self._pairing

    def pair(self, reply: PairingReply, code: str) -> Pairing:
        """Begin the epoch that the server issued. RowsWaiting: an older epoch has rows the server does not hold."""
        if waiting := self.waiting():
            raise RowsWaiting(waiting)
        values = (
            *(reply.device.bytes, reply.epoch, reply.name, reply.venue.bytes, reply.venue_name, reply.server_key),
            *(code_digest(code), self._clock.now_us()),
        )
        self._db.execute(
            "INSERT INTO pairings (device, epoch, name, venue, venue_name, server_key, code_digest, paired_at_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        self._pairing = self._read_pairing()
        return self._paired()

    def halt(self, reason: Halt | None) -> None:
        """Remember across restarts that selling stopped, or that it may go on."""
        self._db.execute("UPDATE pairings SET halted = ? WHERE number = ?", (reason, self._paired().number))
        self._pairing = self._read_pairing()

    # Writing

    def append(self, payloads: Sequence[AnyRow]) -> int:
        """Write rows, all or none; durable when this returns the last one's sequence. JournalFailed."""
        pairing, stamp = self._paired(), self._clock.stamp()
        try:
            return self._in_transaction(lambda: self._insert(pairing, payloads, stamp))
        except sqlite3.Error as error:
            raise JournalFailed(str(error)) from error

    def acknowledge(self, sequence: int) -> None:
        """The server holds every row up to `sequence`. It may name less than before, when it was itself restored."""
        number = self._paired().number
        self._db.execute("UPDATE pairings SET acknowledged = ? WHERE number = ?", (sequence, number))

    def recover(self) -> list[UUID]:
        """Cancel every intent that a crash left open: nobody knows how far it came, and no light turned green.

        An old copy of the journal is left as it is, since every row added to it would be one more in a fork.
        """
        if self._pairing is None or self._pairing.halted == "behind":
            return []
        open_sales = [
            UUID(bytes=row[0])
            for row in self._db.execute(
                "SELECT sale FROM rows AS i WHERE kind = 'intent' AND pairing = ?"
                " AND NOT EXISTS (SELECT 1 FROM rows AS o WHERE o.sale = i.sale AND o.kind <> 'intent')"
                # A void is about what it takes back; its own intent goes by its event.
                " AND NOT EXISTS (SELECT 1 FROM rows AS o WHERE o.event = i.sale)"
                " ORDER BY sequence",
                (self._pairing.number,),
            )
        ]
        if open_sales:
            now_us = self._clock.now_us()
            self.append([CancelRow(id=uuid7(), sale=sale, at_us=now_us) for sale in open_sales])
        return open_sales

    # Reading

    def head(self) -> int:
        """The last row's sequence in this epoch; 0 before the first."""
        return self._last(self._paired())[0] if self._pairing else 0

    def acknowledged(self) -> int:
        if self._pairing is None:
            return 0
        row = self._db.execute("SELECT acknowledged FROM pairings WHERE number = ?", (self._pairing.number,))
        return int(row.fetchone()[0])

    def waiting(self) -> int:
        """How many rows the server has not acknowledged."""
        return max(0, self.head() - self.acknowledged())

    def to_send(self) -> int:
        """How many sales and other acts the server has not acknowledged; each has an intent beside it, or more."""
        return int(self._select(f"{_ACTS} AND sequence > ?", self.acknowledged(), columns="count(*)")[0][0])

    def oldest_waiting_us(self) -> int | None:
        """When the oldest row that is not acknowledged was written."""
        columns = "wall_us + coalesce(offset_us, 0)"
        rows = self._select("sequence > ? ORDER BY sequence LIMIT 1", self.acknowledged(), columns=columns)
        return int(rows[0][0]) if rows else None

    def rows_after(self, sequence: int, rows_max: int, bytes_max: int) -> list[JournalRow]:
        """The next rows to send, without gaps: at least one if there is one, then as many as fit."""
        found: list[JournalRow] = []
        size = 0
        for row in self._select("sequence > ? ORDER BY sequence LIMIT ?", sequence, rows_max):
            size += len(row[3].encode())
            if found and size > bytes_max:
                break
            found.append(JournalRow(sequence=row[0], previous=row[1], hash=row[2], payload=row[3]))
        return found

    def own_rows_after(self, sequence: int) -> list[OwnRow]:
        """The rows of this epoch above `sequence` that ask for something to be booked, oldest first.

        Not the cancels: what they take back was never in the journal, for its light did not turn green.
        """
        found: list[OwnRow] = []
        for row in self._select(f"{_ACTS} AND sequence > ? ORDER BY sequence", sequence):
            payload = read_payload(row[3])
            found.append(OwnRow(row[0], payload, self.booking(payload.sale) if isinstance(payload, VoidRow) else None))
        return found

    def last_of(self, kind: str) -> tuple[int, AnyRow] | None:
        """The last row of a kind in this epoch, with its sequence."""
        rows = self._select("kind = ? ORDER BY sequence DESC LIMIT 1", kind)
        return next(((row[0], read_payload(row[3])) for row in rows), None)

    def last_sales(self, count: int) -> list[PaidSale]:
        """The last sales of this epoch, newest first."""
        return [PaidSale(cast("SaleRow", it.row), it.voided, it.sequence) for it in self._last_of_kind("sale", count)]

    def last_made(self, count: int) -> list[Made]:
        """The last sales and acts with a card of this epoch, newest first."""
        found = [it for kind in _MADE for it in self._last_of_kind(kind, count)]
        return sorted(found, key=lambda it: it.sequence, reverse=True)[:count]

    def rows_of(self, kind: str, sequence: int) -> list[tuple[int, AnyRow]]:
        """The rows of a kind in this epoch above `sequence`, oldest first, with their sequences."""
        rows = self._select("kind = ? AND sequence > ? ORDER BY sequence", kind, sequence)
        return [(row[0], read_payload(row[3])) for row in rows]

    def count(self, kind: str) -> int:
        """How many rows of a kind this epoch has."""
        return int(self._select("kind = ?", kind, columns="count(*)")[0][0]) if self._pairing else 0

    def booking(self, event: UUID) -> AnyRow | None:
        """The row that asks for `event` to be booked."""
        rows = self._select("event = ?", event.bytes)
        return next((read_payload(row[3]) for row in rows), None)

    def verify(self, last: int | None = None) -> int:
        """Check the chain of every epoch (only its `last` rows, if given); how many rows stand. ChainBroken."""
        checked = 0
        for number, device, epoch in self._db.execute("SELECT number, device, epoch FROM pairings").fetchall():
            top = self._db.execute("SELECT coalesce(max(sequence), 0) FROM rows WHERE pairing = ?", (number,))
            first = 1 if last is None else max(1, top.fetchone()[0] - last + 1)
            rows = self._db.execute(
                "SELECT sequence, previous, hash, payload FROM rows WHERE pairing = ? AND sequence >= ?"
                " ORDER BY sequence",
                (number, max(1, first - 1)),
            )
            checked += _check(UUID(bytes=device), epoch, max(1, first - 1), rows)
        return checked

    # Within

    def _last_of_kind(self, kind: str, count: int) -> list[Made]:
        rows = self._select(
            "kind = ? ORDER BY sequence DESC LIMIT ?",
            kind,
            count,
            columns="sequence, payload, EXISTS"
            " (SELECT 1 FROM rows AS undone WHERE undone.sale = rows.sale AND undone.kind IN ('void', 'cancel'))",
        )
        return [Made(cast("Any", read_payload(payload)), bool(voided), sequence) for sequence, payload, voided in rows]

    def _settle(self, synchronous: str, migrations: tuple[tuple[str, ...], ...]) -> None:
        """Durable, or not at all: a journal that loses what it confirmed is worse than none."""
        self._db.execute("PRAGMA foreign_keys = ON")
        mode = self._db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        self._db.execute(f"PRAGMA synchronous = {synchronous}")
        level = self._db.execute("PRAGMA synchronous").fetchone()[0]
        if mode != "wal" or level != _FULL:
            raise JournalUnsafe(f"the journal needs WAL and synchronous=FULL, and got {mode} and {level}")
        migrate(self._db, migrations)

    def _set_clock(self) -> None:
        """Rows follow each other in time, over starts too."""
        columns = "wall_us, monotonic_ns, boot, offset_us"
        for row in self._select("TRUE ORDER BY sequence DESC LIMIT 1", columns=columns):
            self._clock.go_on_from(Stamp(*row))

    def _insert(self, pairing: Pairing, payloads: Iterable[AnyRow], stamp: Stamp) -> int:
        sequence, previous = self._last(pairing)
        for payload in payloads:
            sequence += 1
            text = payload.model_dump_json()
            digest = row_hash(pairing.device, pairing.epoch, sequence, previous, text)
            sale, event = payload.subject, payload.event
            values = (
                *(pairing.number, sequence, previous, digest, text, payload.kind, sale.bytes, event and event.bytes),
                *(stamp.wall_us, stamp.monotonic_ns, stamp.boot, stamp.offset_us),
            )
            self._db.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            previous = digest
        return sequence

    def _last(self, pairing: Pairing) -> tuple[int, str]:
        # Read anew each time: after a failed write, what a variable remembers may not be what the file holds.
        row = self._db.execute(
            "SELECT sequence, hash FROM rows WHERE pairing = ? ORDER BY sequence DESC LIMIT 1", (pairing.number,)
        ).fetchone()
        return (row[0], row[1]) if row else (0, GENESIS)

    def _in_transaction(self, work: Callable[[], int]) -> int:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._db.execute("COMMIT")
        except BaseException:
            # SQLite has already rolled back after some errors (disk full among them), and then refuses to do it twice.
            if cast("Any", self._db).in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return result

    def _select(self, where: str, *values: object, columns: str = "sequence, previous, hash, payload") -> list[Any]:
        if self._pairing is None:
            return []
        # `where` and `columns` are this module's own words, never anybody's input.
        sql = f"SELECT {columns} FROM rows WHERE pairing = ? AND {where}"  # noqa: S608
        return cast("list[Any]", self._db.execute(sql, (self._pairing.number, *values)).fetchall())

    def _read_pairing(self) -> Pairing | None:
        sql = f"SELECT {_PAIRING} FROM pairings ORDER BY number DESC LIMIT 1"  # noqa: S608
        row = self._db.execute(sql).fetchone()
        if row is None:
            return None
        number, device, epoch, name, venue, *rest = row
        return Pairing(number, UUID(bytes=device), epoch, name, UUID(bytes=venue), *rest)

    def _paired(self) -> Pairing:
        if self._pairing is None:
            raise JournalError("this terminal is not paired")
        return self._pairing


def _check(device: UUID, epoch: int, first: int, rows: Iterable[Any]) -> int:
    """Recompute hashes and links of rows that should begin at `first`; how many there are."""
    expected, link = first, GENESIS if first == 1 else None
    for sequence, previous, digest, payload in rows:
        if sequence != expected:
            raise ChainBroken(expected, f"missing; the next is {sequence}")
        if link is not None and previous != link:
            raise ChainBroken(sequence, "does not name the row before it")
        if row_hash(device, epoch, sequence, previous, payload) != digest:
            raise ChainBroken(sequence, "is not what was written")
        expected, link = sequence + 1, digest
    return expected - first


def _lock(path: Path) -> int:
    """Hold the folder for this process: two agents on one journal would each decide without the other's sales."""
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise JournalUnsafe(f"another terminal is running on {path.parent}") from error
    return lock
