"""The ledger's one door. Everything that moves value comes through `Ledger.post`.

Callers' operations wait in a bounded queue. One writer takes what has accumulated (no timer: a lone operation never
waits), posts all of it in one durable transaction, and tells each caller its own outcomes after the commit.

Errors:
    Busy             the queue is full; nothing was taken in. Try again later.
    OutcomeUnknown   the database did not say whether the batch was committed. Post the same operations again.
    Rejected         the database refused this operation; nothing of it was written.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.rules.kinds import AccountKey, Book, BookKind
from app.ledger.rules.operations import Entry, Operation, Outcome, Posting
from app.ledger.store import OutcomeUnknown, PostingStore, Rejected, accounts, reads
from app.ledger.store.reads import BookedOperation
from app.platform.clock import now_us

__all__ = ["Busy", "Ledger", "OutcomeUnknown", "Rejected"]

_log = structlog.get_logger("comptoir.ledger")

# A database that restarts is usually back within seconds. Later than that the caller should know.
RETRY_DELAYS_S = (0.0, 0.1, 0.3, 1.0, 2.0)


class Busy(Exception):
    """More operations wait than the queue holds."""


@dataclass(slots=True)
class _Request:
    entries: Sequence[Entry]
    done: asyncio.Future[list[Outcome]] = field(repr=False)


class Ledger:
    """One per process. `rates`: euro cents per minor unit of each pegged currency (kept current by its owner)."""

    def __init__(
        self, engine: AsyncEngine, store: PostingStore, *, queue_limit: int = 2000, batch_limit: int = 500
    ) -> None:
        self.engine = engine
        self._store = store
        self._queue_limit, self._batch_limit = queue_limit, batch_limit
        self._queue: deque[_Request] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None
        self._account_ids: dict[AccountKey, int] = {}

    async def start(self) -> None:
        self._writer = asyncio.create_task(self._write_for_ever(), name="ledger-writer")

    async def stop(self) -> None:
        """Take nothing new in, post what waits, then let go of the database."""
        self._stopping = True
        self._wake.set()
        if self._writer is not None:
            await self._writer
        await self._store.close()

    async def post(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Post in order; one outcome each. Each operation is atomic, the list is not. Errors: above."""
        if self._stopping or self._waiting + len(entries) > self._queue_limit:
            raise Busy
        if not entries:
            return []
        request = _Request(entries, asyncio.get_running_loop().create_future())
        self._queue.append(request)
        self._waiting += len(entries)
        self._wake.set()
        return await request.done

    async def accounts(self, keys: Sequence[AccountKey], rates: Mapping[str, int] | None = None) -> list[int]:
        """Ids of the accounts, opened now where they were not. `rates` is needed when one may be new and pegged."""
        if any(key not in self._account_ids for key in keys):
            async with self.engine.connect() as connection:
                self._account_ids.update(await accounts.find(connection, keys))
            if missing := [key for key in dict.fromkeys(keys) if key not in self._account_ids]:
                async with self.engine.begin() as connection:
                    await accounts.open_missing(connection, missing, rates or {}, now_us())
                    self._account_ids.update(await accounts.find(connection, missing))
        return [self._account_ids[key] for key in keys]

    async def booked(self, ids: Iterable[UUID]) -> dict[UUID, BookedOperation]:
        async with self.engine.connect() as connection:
            return await reads.booked(connection, ids)

    async def reversal(
        self,
        original: BookedOperation,
        id_: UUID,
        *,
        actor: str,
        occurred_at_us: int,
        business_day: date,
        terminal: UUID | None = None,
        details: str = "{}",
    ) -> Operation:
        """The operation that takes `original` back whole. It names each transfer that it reverses.

        What it took from an overdraft goes back there only as far as that is still owed, the rest to the wallet.
        """
        wallets = await self._wallets_of_overdrafts(original)
        postings = tuple(
            Posting(t.credit, t.debit, t.amount, credit_overflow=wallets.get(t.debit), reverses=t.id)
            for t in original.transfers
        )
        return Operation(
            id=id_,
            kind=f"{original.kind}.reversal",
            fingerprint=sha256(b"reversal" + original.id.bytes).digest(),
            postings=postings,
            actor=actor,
            occurred_at_us=occurred_at_us,
            business_day=business_day,
            venue=original.venue,
            terminal=terminal,
            reverses=original.id,
            details=details,
        )

    async def _wallets_of_overdrafts(self, original: BookedOperation) -> dict[int, int]:
        async with self.engine.connect() as connection:
            rows = await reads.by_id(connection, {t.debit for t in original.transfers})
            overdrafts = [row for row in rows if row.key.kind == "overdraft"]
            keys = [AccountKey(row.key.book, "wallet", row.key.owner) for row in overdrafts]
            found = await accounts.find(connection, keys) if keys else {}
        return {row.id: found[key] for row, key in zip(overdrafts, keys, strict=True)}

    async def _write_for_ever(self) -> None:
        while True:
            if not self._queue:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            requests = self._take()
            try:
                await self._write(requests)
            except Exception as error:
                # Whatever happened, the callers must hear of it and the writer must live.
                _log.exception("batch failed", requests=len(requests))
                for request in requests:
                    _fail(request, error)

    def _take(self) -> list[_Request]:
        requests = [self._queue.popleft()]
        size = len(requests[0].entries)
        while self._queue and size + len(self._queue[0].entries) <= self._batch_limit:
            requests.append(self._queue.popleft())
            size += len(requests[-1].entries)
        self._waiting -= size
        return requests

    async def _write(self, requests: list[_Request]) -> None:
        entries = [entry for request in requests for entry in request.entries]
        try:
            outcomes = await self._post_until_known(entries)
        except Rejected as error:
            if len(requests) == 1:
                _fail(requests[0], error)
                return
            # One of them breaks a rule that only the database knows: find it, so that it spoils none of the others.
            middle = len(requests) // 2
            await self._write(requests[:middle])
            await self._write(requests[middle:])
            return
        except OutcomeUnknown as error:
            for request in requests:
                _fail(request, error)
            return
        position = 0
        for request in requests:
            end = position + len(request.entries)
            if not request.done.done():
                request.done.set_result(outcomes[position:end])
            position = end

    async def _post_until_known(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Operations have ids, so posting them again after a lost connection finds out what became of them."""
        for delay_s in RETRY_DELAYS_S:
            await asyncio.sleep(delay_s)
            with suppress(OutcomeUnknown):
                return await self._store.post(entries, now_us())
        return await self._store.post(entries, now_us())


def _fail(request: _Request, error: Exception) -> None:
    if not request.done.done():
        request.done.set_exception(error)


def currency_book(issuer: str, currency: str) -> Book:
    return Book(issuer, BookKind.CURRENCY, currency)


def reserve_book(issuer: str) -> Book:
    return Book(issuer, BookKind.RESERVE, "EUR")


def operating_book(issuer: str) -> Book:
    return Book(issuer, BookKind.OPERATING, "EUR")
