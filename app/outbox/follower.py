"""What was booked after a number, as soon as it is booked: one `Follower` per process, for any number of readers.

Readers pull: each asks for what follows its own number when it is ready for it, so a slow one holds nothing but its
number. Those that are up to date share what one of them has read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import structlog

from app.ledger.service import BookedOperation, Ledger, Stretch

_log = structlog.get_logger("comptoir.outbox")

# What other processes book is seen after this time at the latest.
POLL_S = 1.0
# Under load, newest operations are read this often at most: commits come by the hundred a second.
READ_EVERY_S = 0.05
STRETCH = 200
# Stretches of newest operations that are kept for the others who follow: bounded, whoever is slow.
KEPT = 8


class Follower:
    def __init__(self, ledger: Ledger, poll_s: float = POLL_S, read_every_s: float = READ_EVERY_S) -> None:
        self._ledger, self._poll_s, self._read_every_s = ledger, poll_s, read_every_s
        self._newest = 0
        self._news = asyncio.Event()
        self._waiting = 0
        self._kept: deque[tuple[int, Stretch]] = deque(maxlen=KEPT)
        self._reading = asyncio.Lock()
        self._read_at_s = float("-inf")
        self._stopped = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._unlisten = ledger.add_listener(self._tell)

    async def start(self) -> None:
        self._newest = (await self._ledger.history.moment()).seq
        self._poller = asyncio.create_task(self._poll_for_ever(), name="outbox-poller")

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def newest(self) -> int:
        """The newest operation's number, as far as this process has heard."""
        return self._newest

    def leave(self) -> None:
        """Everybody who waits is answered at once, and nobody waits any more."""
        self._stopped.set()
        self._wake()

    async def stop(self) -> None:
        self.leave()
        self._unlisten()
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait([self._poller])

    async def follow(self, after: int, venues: Collection[UUID] | None = None) -> AsyncIterator[list[BookedOperation]]:
        """Everything booked after number `after`, at these venues or anywhere, until the server stops. No list is
        empty."""
        while not self.stopped:
            stretch = await self.next(after, venues=venues)
            if stretch.operations:
                yield stretch.operations
            after = stretch.upto

    async def next(
        self,
        after: int,
        *,
        limit: int = STRETCH,
        venues: Collection[UUID] | None = None,
        timeout_s: float | None = None,
    ) -> Stretch:
        """What follows number `after`, once there is anything (`upto` is above `after`, even where `venues` leave no
        operation of it); nothing (`upto` is `after`) when `timeout_s` has passed or the server stops."""
        clock = asyncio.get_running_loop().time
        ends_s = None if timeout_s is None else clock() + timeout_s
        while not self.stopped:
            # Only waiting is cut short by the timeout, never a statement half-way.
            stretch = await self._read(after, limit, venues) if after < self._newest else None
            if stretch is not None and stretch.upto > after:
                return stretch
            if ends_s is not None and clock() >= ends_s:
                break
            await self.wait(after, None if ends_s is None else ends_s - clock())
        return Stretch([], {}, after)

    async def wait(self, seen: int, timeout_s: float | None) -> None:
        """Until there is something newer than number `seen`, or `timeout_s` has passed, or the server stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._beyond(seen)

    async def _beyond(self, seen: int) -> None:
        self._waiting += 1
        try:
            while self._newest <= seen and not self.stopped:
                await self._news.wait()
        finally:
            self._waiting -= 1

    async def _read(self, after: int, limit: int, venues: Collection[UUID] | None) -> Stretch | None:
        if self._newest - after > limit:
            # Far behind: nobody else is where this one is.
            return await self._ledger.history.after(after, limit, venues)
        async with self._reading:
            if (kept := self._find(after)) is None:
                await asyncio.sleep(self._read_at_s + self._read_every_s - asyncio.get_running_loop().time())
                kept = await self._ledger.history.after(after, STRETCH)
                self._read_at_s = asyncio.get_running_loop().time()
                self._newest = max(self._newest, kept.upto)
                self._kept.append((after, kept))
        return _part(kept, after, limit, venues)

    def _find(self, after: int) -> Stretch | None:
        return next((it for start, it in self._kept if start <= after < it.upto), None)

    def _tell(self, newest: int) -> None:
        if newest > self._newest:
            self._newest = newest
            self._wake()

    def _wake(self) -> None:
        # Whoever waits holds the old event; whoever comes next waits for the new one.
        self._news.set()
        self._news = asyncio.Event()

    async def _poll_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            if not self._waiting:
                continue
            try:
                self._tell((await self._ledger.history.moment()).seq)
            except Exception:
                _log.exception("the newest operation could not be asked for")


def _part(stretch: Stretch, after: int, limit: int, venues: Collection[UUID] | None) -> Stretch:
    upto = min(stretch.upto, after + limit)
    wanted = [it for it in stretch.operations if after < it.seq <= upto and (venues is None or it.venue in venues)]
    return replace(stretch, operations=wanted, upto=upto)
