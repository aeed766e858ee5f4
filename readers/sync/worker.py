"""The background work of a paired terminal: rows go up, snapshots come down, for ever.

Rows go first, so that the snapshot fetched next contains them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

import structlog

from app.wire import JournalRow, SyncReply
from app.wire.snapshot import SIGNATURE_HEADER
from readers.journal import Clock, Halt, Journal, JournalError
from readers.sync.client import NOT_ALLOWED, Reply, Server
from readers.sync.errors import Rejected, SnapshotRefused, SyncError, Unreachable
from readers.sync.link import Link
from readers.sync.snapshots import Received, SnapshotFile, apply_delta, is_delta, read_snapshot

# A batch has 500 rows at most (app.wire.Batch); by size it stays below what a small server reads at once.
BATCH_ROWS_MAX = 500
BATCH_BYTES_MAX = 512 * 1024

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between snapshots while online, between tries while offline, between snapshots kept on disk (an SD card
    wears out by writing), and between looks whether a quarantine is over (each is a batch that the server keeps)."""

    snapshot_s: float = 5.0
    retry_s_min: float = 0.5
    retry_s_max: float = 10.0
    keep_s: float = 60.0
    quarantine_s: float = 60.0


class Shelf(Protocol):
    """Where snapshots go."""

    async def install(self, received: Received) -> None:
        """Sell by this snapshot from now on."""
        ...

    def confirm(self) -> None:
        """The snapshot at hand is still the newest."""
        ...


class Worker:
    """`run()` is one task for the life of the agent; `round()` is one turn of it."""

    def __init__(
        self, server: Server, journal: Journal, link: Link, clock: Clock, shelf: Shelf, file: SnapshotFile, pace: Pace
    ) -> None:
        self._server = server
        self._journal = journal
        self._link = link
        self._clock = clock
        self._shelf = shelf
        self._file = file
        self._pace = pace
        self._held: Received | None = None
        self._kept: Received | None = None
        self._fetched_s = self._kept_s = self._asked_s = -float("inf")
        self._failures = 0
        self.on_halt: Callable[[Halt | None], None] = lambda _: None

    async def start_from_disk(self) -> None:
        """Install the stored snapshot, if there is one that can be trusted."""
        pairing = self._journal.pairing
        try:
            received = await asyncio.to_thread(self._file.load, pairing.server_key, pairing.device)
        except SnapshotRefused as error:
            _log.error("stored_snapshot_refused", why=str(error))
            return
        if received:
            self._held = self._kept = received
            self._kept_s = time.monotonic()
            await self._shelf.install(received)

    async def run(self) -> None:
        """Rounds until cancelled; the last snapshot is kept on the way out."""
        try:
            while True:
                await self._turn()
        finally:
            await self._keep()

    async def round(self) -> None:
        """Token, rows, and a snapshot when it is time. Unreachable, Rejected, SnapshotRefused, JournalError."""
        pairing = self._journal.pairing
        try:
            await self._server.renew_token(pairing.device)
        except Rejected as error:
            if error.problem.status in NOT_ALLOWED:
                await self._halt("revoked")
                await self._hand_over()
            raise
        if pairing.halted == "revoked":
            await self._halt(None)
        refused: Rejected | None = None
        try:
            await self._send()
        except Rejected as error:
            # The rows stay and are tried again; meanwhile a newer snapshot still makes for better decisions.
            refused = error
        now_s = time.monotonic()
        if self._link.snapshot_wanted or now_s - self._fetched_s >= self._pace.snapshot_s:
            self._link.snapshot_wanted = False
            await self._fetch()
            self._fetched_s = now_s
        self._link.found()
        if refused:
            raise refused

    async def _turn(self) -> None:
        self._link.wanted.clear()
        try:
            await self.round()
        except Exception as error:
            if not isinstance(error, SyncError | JournalError):
                # A fault of ours in one round must not leave the terminal cut off for the rest of the evening.
                _log.exception("sync_failed")
            if not isinstance(error, SnapshotRefused) and not (isinstance(error, Rejected) and self._link.online):
                self._link.lost()
            if self._failures == 0 or not isinstance(error, Unreachable):
                _log.warning("sync_postponed", why=str(error), waiting=self._journal.waiting)
            delay_s = min(self._pace.retry_s_max, self._pace.retry_s_min * 2 ** min(self._failures, 10))
            self._failures += 1
            # Terminals that lost their server together must not come back together. No secret hangs on this number.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1))  # noqa: S311
            return
        if self._failures:
            _log.info("sync_resumed", waiting=self._journal.waiting)
        self._failures = 0
        idle_s = self._fetched_s + self._pace.snapshot_s - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, idle_s)):
                await self._link.wanted.wait()
        except TimeoutError:
            return

    async def _send(self) -> None:
        # While it is set aside nothing new is written; what waits is sent all the same, for the server keeps it for a
        # review. Of an old copy too: what it sold before it was noticed is nowhere else.
        if self._journal.pairing.halted and not self._due():
            return
        await self._deliver(self._server.sync)

    async def _hand_over(self) -> None:
        """What was sold and not sent when our rights ended: the server keeps it for a person to decide."""
        if not self._journal.waiting or not self._due():
            return
        try:
            await self._deliver(self._server.hand_over)
        except Rejected as error:
            _log.warning("handover_refused", why=str(error), waiting=self._journal.waiting)

    def _due(self) -> bool:
        """Whether a terminal that was set aside may ask again: each time is a batch that the server keeps."""
        if time.monotonic() - self._asked_s < self._pace.quarantine_s:
            return False
        self._asked_s = time.monotonic()
        return True

    async def _deliver(self, call: Callable[[UUID, int, tuple[JournalRow, ...], int], Awaitable[SyncReply]]) -> None:
        pairing = self._journal.pairing
        after, stalled = self._journal.acknowledged, 0
        while rows := await self._journal.rows_after(after, BATCH_ROWS_MAX, BATCH_BYTES_MAX):
            held = self._journal.acknowledged
            reply = await call(pairing.device, pairing.epoch, tuple(rows), self._journal.waiting)
            self._clock.note_server_time(reply.server_time_us)
            await self._heed(reply)
            stalled = 0 if self._journal.acknowledged > held else stalled + 1
            if self._journal.pairing.halted and stalled:
                return
            if stalled > 2:
                raise Unreachable(f"the server holds on to row {reply.acknowledged}")
            after = self._journal.acknowledged
            if reply.resend_from is not None:
                after = min(after, max(0, reply.resend_from - 1))

    async def _heed(self, reply: SyncReply) -> None:
        head = self._journal.head
        if reply.acknowledged > head:
            await self._fell_behind(reply.acknowledged)
        elif reply.quarantined:
            if self._journal.pairing.halted != "revoked":
                await self._halt("quarantined")
        elif self._journal.pairing.halted == "quarantined":
            await self._halt(None)
        acknowledged = min(reply.acknowledged, head)
        if acknowledged != self._journal.acknowledged:
            await self._journal.acknowledge(acknowledged)
            self._link.on_change()

    async def _fetch(self) -> None:
        pairing = self._journal.pairing
        held = self._held
        reply = await self._server.snapshot(pairing.device, held.etag if held else None, held.base if held else "")
        if reply is None:
            self._shelf.confirm()
            await self._keep_now_and_then()
            return
        try:
            received = await asyncio.to_thread(self._check, reply)
        except SnapshotRefused as error:
            if not is_delta(reply.body):
                raise
            _log.warning("delta_refused", why=str(error))
            reply = await self._server.snapshot(pairing.device, None)
            if reply is None:
                return
            received = await asyncio.to_thread(self._check, reply)
        head = received.head
        if head.applied_epoch == pairing.epoch and head.applied_through > self._journal.head:
            await self._fell_behind(head.applied_through)
        await self._shelf.install(received)
        self._held = received
        await self._keep_now_and_then()

    def _check(self, reply: Reply) -> Received:
        pairing, held = self._journal.pairing, self._held
        signature, etag = reply.headers.get(SIGNATURE_HEADER, ""), reply.headers.get("ETag")
        if is_delta(reply.body):
            if held is None:
                raise SnapshotRefused("a delta, and nothing that it could start from")
            received = apply_delta(held, reply.body, signature, pairing.server_key, etag=etag)
        else:
            received = read_snapshot(reply.body, signature, pairing.server_key, pairing.device, etag=etag)
        age_s = (self._clock.now_us() - received.head.at_us) / 1e6
        return replace(received, age_s=max(0.0, age_s))

    async def _keep_now_and_then(self) -> None:
        if time.monotonic() - self._kept_s >= self._pace.keep_s:
            await self._keep()

    async def _keep(self) -> None:
        held = self._held
        if held is None:
            return
        self._kept_s = time.monotonic()
        try:
            if held is self._kept:
                await asyncio.to_thread(self._file.touch)
            else:
                await asyncio.to_thread(self._file.save, held)
        except OSError as error:
            # The next start without network is worse off for it; selling now is not.
            _log.error("snapshot_not_kept", why=str(error))
            return
        self._kept = held

    async def _fell_behind(self, sequence: int) -> None:
        """The server holds rows that we do not: this journal is an old copy (a restored SD card).

        Writing on would fork it, so selling stops until the terminal is paired anew.
        """
        if self._journal.pairing.halted != "behind":
            _log.error("journal_behind_server", server=sequence, head=self._journal.head)
        await self._halt("behind")

    async def _halt(self, reason: Halt | None) -> None:
        halted = self._journal.pairing.halted
        # A journal that fell behind stays so: only a new epoch heals it.
        if halted not in (reason, "behind"):
            _log.warning("terminal_halted" if reason else "terminal_resumed", reason=reason)
            await self._journal.halt(reason)
            self.on_halt(reason)
            self._link.on_change()
