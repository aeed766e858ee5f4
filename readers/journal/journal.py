"""The journal as the event loop sees it: one thread does all the writing, so that an fsync never stops the screen."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from app.wire import AnyRow, JournalRow, PairingReply
from readers.journal.clock import Clock
from readers.journal.errors import JournalError, JournalFailed
from readers.journal.records import Halt, Made, OwnRow, PaidSale, Pairing
from readers.journal.schema import Connection
from readers.journal.store import JournalFile, connect

T = TypeVar("T")


class Journal:
    """Wraps a JournalFile in its own thread, and remembers the figures that the screen shows all the time."""

    def __init__(self, file: JournalFile, thread: ThreadPoolExecutor) -> None:
        self._file = file
        self._thread = thread
        # Called on the event loop after each append.
        self.on_append: Callable[[], None] = lambda: None
        self._pairing = file.pairing
        self._head = file.head()
        self._acknowledged = file.acknowledged()
        self._to_send = file.to_send() if file.pairing else 0
        # Whether the last attempt to write rows failed.
        self.failing = False

    @classmethod
    async def open(cls, path: Path, clock: Clock, open_connection: Callable[[Path], Connection] = connect) -> Self:
        """Check, migrate and recover the file, or raise a JournalError."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            return await asyncio.get_running_loop().run_in_executor(
                thread, lambda: cls(JournalFile(path, clock, open_connection=open_connection), thread)
            )
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Wait for what is being written, then let go of the file."""
        await self._run(self._file.close)
        self._thread.shutdown()

    @property
    def pairing(self) -> Pairing:
        if self._pairing is None:
            raise JournalError("this terminal is not paired")
        return self._pairing

    @property
    def paired(self) -> bool:
        return self._pairing is not None

    @property
    def head(self) -> int:
        return self._head

    @property
    def acknowledged(self) -> int:
        return self._acknowledged

    @property
    def waiting(self) -> int:
        """How many rows the server has not acknowledged."""
        return max(0, self._head - self._acknowledged)

    @property
    def to_send(self) -> int:
        """How many sales and other acts the server has not acknowledged."""
        return self._to_send

    async def append(self, *payloads: AnyRow) -> int:
        """Write rows, all or none; durable when this returns the last one's sequence. JournalFailed."""
        sequence = await self._run(lambda: self._append(payloads))
        self.on_append()
        return sequence

    async def acknowledge(self, sequence: int) -> None:
        def acknowledge() -> int:
            self._file.acknowledge(sequence)
            return self._file.to_send()

        self._to_send = await self._run(acknowledge)
        self._acknowledged = sequence

    async def pair(self, reply: PairingReply, code: str) -> Pairing:
        """Begin a new epoch. RowsWaiting."""
        self._pairing = await self._run(lambda: self._file.pair(reply, code))
        self._head = self._acknowledged = self._to_send = 0
        return self._pairing

    async def halt(self, reason: Halt | None) -> None:
        await self._run(lambda: self._file.halt(reason))
        self._pairing = self._file.pairing

    async def rows_after(self, sequence: int, rows_max: int, bytes_max: int) -> Sequence[JournalRow]:
        return await self._run(lambda: self._file.rows_after(sequence, rows_max, bytes_max))

    async def own_rows_after(self, sequence: int) -> tuple[list[OwnRow], int]:
        """The rows above `sequence` that book something, and the head that they were read at."""
        return await self._run(lambda: (self._file.own_rows_after(sequence), self._file.head()))

    async def booking(self, event: UUID) -> AnyRow | None:
        return await self._run(lambda: self._file.booking(event))

    async def rows_of(self, kind: str, sequence: int) -> list[tuple[int, AnyRow]]:
        """The rows of a kind above `sequence`, oldest first, with their sequences."""
        return await self._run(lambda: self._file.rows_of(kind, sequence))

    async def count(self, kind: str) -> int:
        return await self._run(lambda: self._file.count(kind))

    async def append_at(self, head: int, payload: AnyRow) -> int | None:
        """Write a row that tells of everything up to `head`; None when rows came after it meanwhile. JournalFailed."""

        def append() -> int | None:
            return self._append([payload]) if self._file.head() == head else None

        sequence = await self._run(append)
        if sequence is not None:
            self.on_append()
        return sequence

    async def last_of(self, kind: str) -> tuple[int, AnyRow] | None:
        """The last row of a kind in this epoch, with its sequence."""
        return await self._run(lambda: self._file.last_of(kind))

    async def last_sales(self, count: int) -> list[PaidSale]:
        return await self._run(lambda: self._file.last_sales(count))

    async def last_made(self, count: int) -> list[Made]:
        return await self._run(lambda: self._file.last_made(count))

    async def oldest_waiting_us(self) -> int | None:
        """When the oldest row that the server has not acknowledged was written."""
        return await self._run(self._file.oldest_waiting_us)

    def _append(self, payloads: Sequence[AnyRow]) -> int:
        # Noted in the journal's thread: whoever waits for the rows may be cancelled, and they stand all the same.
        try:
            self._head = self._file.append(payloads)
        except JournalFailed:
            self.failing = True
            raise
        self.failing = False
        self._to_send += sum(row.event is not None and row.kind != "cancel" for row in payloads)
        return self._head

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise JournalFailed(str(error)) from error
