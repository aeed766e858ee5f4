"""The queue before the database: many callers, one writer, whole batches.

Callers' operations wait in a bounded queue. The writer takes what has accumulated (no timer: a lone operation never
waits), posts all of it in one durable transaction, and tells each caller its own outcomes after the commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from app.ledger.rules.operations import Entry, Invalid, Outcome, Posted
from app.ledger.store import RETRY_AFTER_S, OutcomeUnknown, PostingStore, Rejected
from app.platform.clock import now_us
from app.platform.errors import Unavailable

_log = structlog.get_logger("comptoir.ledger")

# Longer than the database needs to look up what a batch is about; what was booked is told then in any case.
TELL_AFTER_S = 0.003

# After a first try that failed. A database that restarts is usually back within seconds; later than that the caller
# should know.
RETRY_DELAYS_S = (0.0, 0.1, 0.3, 1.0, 2.0)


class Busy(Unavailable):
    """More operations wait than the queue holds."""

    def __init__(self) -> None:
        super().__init__("Too much is waiting to be booked.", RETRY_AFTER_S)


@dataclass(slots=True)
class _Request:
    entries: Sequence[Entry]
    done: asyncio.Future[list[Outcome]] = field(repr=False)


class Pipeline:
    """One per process. `queue_limit` entries wait at most; a batch is of `batch_limit` entries, or of one request that
    has more."""

    def __init__(self, store: PostingStore, queue_limit: int, batch_limit: int) -> None:
        self._store = store
        self._queue_limit, self._batch_limit = queue_limit, batch_limit
        self._queue: deque[_Request] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[int], None]] = []
        self._untold: tuple[list[_Request], list[Outcome | Exception]] | None = None

    def start(self) -> None:
        self._writer = asyncio.create_task(self._write_for_ever(), name="ledger-writer")

    async def stop(self) -> None:
        """Take nothing new in, post what waits, then let go of the database."""
        self._stopping = True
        self._wake.set()
        if self._writer is not None:
            await self._writer
        await self._store.close()

    def add_listener(self, tell: Callable[[int], None]) -> Callable[[], None]:
        """As app.ledger.service.Ledger.add_listener."""
        self._listeners.append(tell)
        return lambda: self._listeners.remove(tell)

    async def post(self, entries: Sequence[Entry]) -> list[Outcome]:
        """As app.ledger.service.Ledger.post."""
        if self._stopping or self._waiting + len(entries) > self._queue_limit:
            raise Busy
        if not entries:
            return []
        request = _Request(entries, asyncio.get_running_loop().create_future())
        self._queue.append(request)
        self._waiting += len(entries)
        self._wake.set()
        return await request.done

    async def _write_for_ever(self) -> None:
        while True:
            if not self._queue:
                self._tell()
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            batch: list[_Request] = []
            self._take(batch)
            await self._write(batch)

    def _take(self, batch: list[_Request]) -> list[Entry]:
        """Move what waits into the batch, as far as it has room, in order; the entries that came to it."""
        size = _size(batch)
        taken: list[Entry] = []
        while self._queue and (not size or size + len(self._queue[0].entries) <= self._batch_limit):
            request = self._queue.popleft()
            batch.append(request)
            taken += request.entries
            size += len(request.entries)
        self._waiting -= len(taken)
        return taken

    async def _write(self, batch: list[_Request]) -> None:
        # Callers who are told become busy, and the loop with them: the next batch is sent to the database first, unless
        # that takes longer than it should.
        patience = asyncio.get_running_loop().call_later(TELL_AFTER_S, self._tell)
        outcomes = await self._outcomes_of(batch)
        patience.cancel()
        self._tell()
        self._untold = (batch, outcomes)

    def _tell(self) -> None:
        """Give the last batch's callers their outcomes, once."""
        if self._untold is None:
            return
        (batch, outcomes), self._untold = self._untold, None
        position = 0
        for request in batch:
            own = outcomes[position : position + len(request.entries)]
            position += len(request.entries)
            if not request.done.done():
                _tell(request, own)
        if self._listeners and (newest := _newest(outcomes)) is not None:
            for tell in self._listeners:
                try:
                    tell(newest)
                except Exception:
                    # What is booked is booked, and the writer must live.
                    _log.exception("a listener failed", newest=newest)

    async def _outcomes_of(self, batch: list[_Request]) -> list[Outcome | Exception]:
        """Those of the batch, which grows while the store waits for another process's: what came meanwhile would
        otherwise wait for that process's next batch too."""
        with suppress(Exception):
            return [*await self._store.post(_entries(batch), now_us(), self._tell, lambda: self._take(batch))]
        return await self._outcomes(_entries(batch))

    async def _outcomes(self, entries: Sequence[Entry]) -> list[Outcome | Exception]:
        """One for each entry. Whatever one of them makes the store stumble over spoils none of the others: they are
        posted in halves until it is alone, in their order and without harm, for no id is booked twice."""
        try:
            return [*await self._post_until_known(entries)]
        except OutcomeUnknown as error:
            return [error] * len(entries)
        except Exception as error:
            if len(entries) > 1:
                middle = len(entries) // 2
                return [*await self._outcomes(entries[:middle]), *await self._outcomes(entries[middle:])]
            if isinstance(error, Rejected):
                _log.error("the database refused an entry", entry=str(entries[0].id), reason=str(error))
                return [Invalid("rejected")]
            _log.exception("an entry could not be posted", entry=str(entries[0].id))
            return [error]

    async def _post_until_known(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Operations have ids, so posting them again after a lost connection finds out what became of them."""
        *delays_s, last_s = RETRY_DELAYS_S
        for delay_s in delays_s:
            await asyncio.sleep(delay_s)
            with suppress(OutcomeUnknown):
                return await self._store.post(entries, now_us(), self._tell)
        await asyncio.sleep(last_s)
        return await self._store.post(entries, now_us(), self._tell)


def _entries(batch: Sequence[_Request]) -> list[Entry]:
    return [entry for request in batch for entry in request.entries]


def _size(batch: Sequence[_Request]) -> int:
    return sum(len(request.entries) for request in batch)


def _tell(request: _Request, outcomes: Sequence[Outcome | Exception]) -> None:
    known = [it for it in outcomes if not isinstance(it, Exception)]
    if len(known) == len(outcomes):
        request.done.set_result(known)
    else:
        request.done.set_exception(next(it for it in outcomes if isinstance(it, Exception)))


def _newest(outcomes: Sequence[Outcome | Exception]) -> int | None:
    """Numbers rise with the order of a batch, so the last that was booked now is the newest."""
    return next((it.seq for it in reversed(outcomes) if isinstance(it, Posted) and not it.replayed), None)
