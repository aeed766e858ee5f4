"""How this terminal is, put together for its report: the till, the journal, the prices, and the machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Protocol

from app.wire import SeenFork, TerminalStatus
from readers.health import read_machine
from readers.journal import Clock, Journal
from readers.till.shelf import SnapshotShelf
from readers.till.till import CardTill


class SiteLooks(Protocol):
    """What is seen of the other terminals of this site."""

    @property
    def forks(self) -> tuple[SeenFork, ...]: ...


class Looks:
    """`data` is the folder of the journal; `version` the program's own."""

    def __init__(
        self,
        data: Path,
        version: str,
        journal: Journal,
        shelf: SnapshotShelf,
        till: CardTill,
        clock: Clock,
        site: SiteLooks,
    ) -> None:
        self._data = data
        self._version = version
        self._journal = journal
        self._shelf = shelf
        self._till = till
        self._clock = clock
        self._site = site
        self._started_ns = clock.monotonic_ns()

    async def __call__(self) -> TerminalStatus:
        """JournalError."""
        machine = await asyncio.to_thread(read_machine, self._data)
        oldest_us = await self._journal.oldest_waiting_us()
        screen, now_us, age_s = self._till.screen(), self._clock.now_us(), self._shelf.age_s
        told: dict[str, Any] = {name: getattr(machine, name) for name in machine.__slots__}
        return TerminalStatus(
            version=self._version[:40],
            # By the wall clock: this is how the server notices that it is wrong.
            at_us=self._clock.wall_us(),
            running_s=(self._clock.monotonic_ns() - self._started_ns) // 1_000_000_000,
            waiting=self._journal.waiting,
            oldest_waiting_s=None if oldest_us is None else max(0, now_us - oldest_us) // 1_000_000,
            halted=self._journal.pairing.halted,
            reader=screen.reader,
            reader_reason=screen.reader_reason and screen.reader_reason[:120],
            snapshot_age_s=None if age_s is None else int(age_s),
            journal_bytes=await asyncio.to_thread(self._journal_bytes),
            journal_failed=self._journal.failing,
            site=screen.site and screen.site.terminals,
            forks=self._site.forks,
            **told,
        )

    def _journal_bytes(self) -> int:
        """The journal with its write-ahead log."""
        return sum(it.stat().st_size for name in ("journal.db", "journal.db-wal") if (it := self._data / name).exists())
