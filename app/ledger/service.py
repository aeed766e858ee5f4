"""The ledger's one door. Everything that moves value comes through `Ledger.post`.

Errors:
    Busy (Unavailable)             the queue is full; nothing was taken in. Try again later.
    OutcomeUnknown (Unavailable)   the database did not say whether it was committed. Post the same operations again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import HTTPConnection

from app.ledger.pipeline import Busy, Pipeline
from app.ledger.rules.kinds import AccountKey, Book, BookKind
from app.ledger.rules.operations import (
    Conflict,
    Entry,
    Flow,
    Operation,
    Outcome,
    Posted,
    Posting,
    Refused,
    Release,
    Transfer,
)
from app.ledger.store import (
    OutcomeUnknown,
    PostingStore,
    accounts,
    holds,
    open_store,
    reads,
    venue_days,
)
from app.ledger.store.accounts import Bounds
from app.ledger.store.activity import Activity, Sold
from app.ledger.store.history import (
    AccountFilter,
    History,
    Line,
    LineFilter,
    OperationFilter,
    OperationsPage,
    Period,
    StatementPage,
    Stretch,
)
from app.ledger.store.instants import Account, AccountMove, Moment, TrialRow
from app.ledger.store.reads import BalanceRow, BookedOperation, StatementLine
from app.ledger.store.supply import KindSum
from app.ledger.store.venue_days import Moved, VenueOperation
from app.platform.clock import now_us
from app.platform.database import read_only
from app.platform.errors import Conflict as CannotBe
from app.platform.errors import DomainError, Invalid

__all__ = [
    "Account",
    "AccountFilter",
    "AccountMove",
    "Activity",
    "BalanceRow",
    "BookedOperation",
    "Bounds",
    "Busy",
    "History",
    "KindSum",
    "Ledger",
    "Line",
    "LineFilter",
    "Moment",
    "Moved",
    "OperationFilter",
    "OperationsPage",
    "OutcomeUnknown",
    "Period",
    "Sold",
    "StatementLine",
    "StatementPage",
    "Stretch",
    "TrialRow",
    "VenueOperation",
    "balances_of",
    "booked_among",
    "currency_book",
    "ledger_of",
    "operating_book",
    "operations_since",
    "posted",
    "recent_operations",
    "reserve_book",
    "reversed_among",
    "wallet_balances",
    "wallets_moved_since",
    "wallets_with_holds",
]

_log = structlog.get_logger("comptoir.ledger")

# What a refusal on the merits says to people; the keys are problem codes.
REFUSALS = {
    "insufficient-funds": "There is not enough on the card.",
    "over-ceiling": "The card cannot hold that much.",
    "already-reversed": "This was undone already.",
    "cancelled": "This sale was cancelled.",
    "spending-limit": "This is more than the card may pay in that time.",
    "hold-ended": "What was reserved is no longer set aside.",
    "over-hold": "This is more than was reserved.",
    "daily-cap": "More than one day allows.",
    "over-claim": "The venue has not taken that much.",
}

SWEEP_EVERY_S = 5.0


def ledger_of(request: HTTPConnection) -> Ledger:
    """The process's ledger, which app.main opens at start."""
    ledger = request.app.state.ledger
    if not isinstance(ledger, Ledger):
        raise TypeError("app.state.ledger is not set: app.main does that at start")
    return ledger


class Ledger:
    """One per process. `rates`: euro cents per minor unit of each pegged currency (kept current by its owner)."""

    def __init__(
        self, engine: AsyncEngine, store: PostingStore, *, queue_limit: int = 2000, batch_limit: int = 500
    ) -> None:
        self.engine, self.reader = engine, read_only(engine)
        self.history = History(self.reader)
        self._pipeline = Pipeline(store, queue_limit, batch_limit)
        self._sweeper: asyncio.Task[None] | None = None
        self._account_ids: dict[AccountKey, int] = {}

    @classmethod
    def open(
        cls,
        engine: AsyncEngine,
        url: str,
        key: Ed25519PrivateKey,
        *,
        queue_limit: int = 2000,
        batch_limit: int = 500,
    ) -> Ledger:
        """The ledger of the database at `url` (SQLAlchemy's spelling), of which `engine` is for everything else; `key`
        signs its seals."""
        return cls(engine, open_store(url, key), queue_limit=queue_limit, batch_limit=batch_limit)

    async def start(self) -> None:
        self._pipeline.start()
        self._sweeper = asyncio.create_task(self._sweep_for_ever(), name="ledger-sweeper")

    async def stop(self) -> None:
        """Take nothing new in, post what waits, then let go of the database."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await self._pipeline.stop()

    def add_listener(self, tell: Callable[[int], None]) -> Callable[[], None]:
        """Call `tell` with the newest operation's number after each commit of this process; what is returned ends it.

        What other processes book is not told. `tell` must be quick and raise nothing.
        """
        return self._pipeline.add_listener(tell)

    async def post(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Post in order; one outcome each. Each operation is atomic, the list is not. Errors: above."""
        return await self._pipeline.post(entries)

    async def post_one(self, operation: Operation) -> Posted:
        """Post one operation that should go through; raises what `posted` and `post` raise."""
        (outcome,) = await self.post([operation])
        return posted(outcome)

    async def release_expired(self) -> int:
        """End the holds whose time is over; how many."""
        async with self.reader.connect() as connection:
            expired = await holds.expired(connection, now_us())
        await self.post([Release(id_, "expired") for id_ in expired])
        return len(expired)

    async def accounts(
        self,
        keys: Sequence[AccountKey],
        rates: Mapping[str, int] | None = None,
        connection: AsyncConnection | None = None,
    ) -> list[int]:
        """Ids of the accounts, opened now where they were not. `rates` is needed when one may be new and pegged;
        `connection`, one that the caller holds, is used to find them."""
        if any(key not in self._account_ids for key in keys):
            async with AsyncExitStack() as held:
                if (looking := connection) is None:
                    looking = await held.enter_async_context(self.reader.connect())
                self._account_ids.update(await accounts.find(looking, keys))
            if missing := [key for key in dict.fromkeys(keys) if key not in self._account_ids]:
                async with self.engine.begin() as opening:
                    await accounts.open_missing(opening, missing, rates or {}, now_us())
                    opened = await accounts.find(opening, missing)
                # Committed by now: the numbers of accounts that were rolled back are given to others.
                self._account_ids.update(opened)
        return [self._account_ids[key] for key in keys]

    @staticmethod
    async def bounds(connection: AsyncConnection, ids: Sequence[int], *, locked: bool = False) -> dict[int, Bounds]:
        """How far each of the accounts may go down, and what open holds reserve of it.

        `locked`: nobody changes it before the end of the caller's transaction.
        """
        return await accounts.bounds(connection, ids, locked=locked)

    @staticmethod
    async def set_floor(connection: AsyncConnection, account: int, floor: int) -> None:
        """How far an account may go down, in minor units: for a wallet of mutual credit, minus its credit line.

        In the caller's transaction, where the reason is kept too. The account's row is locked from here to its end, and
        no posting passes it by. Raises Conflict("floor-above-balance") where the account is lower already.
        """
        if not await accounts.set_floor(connection, account, floor):
            raise CannotBe("More than this is in use already.", "floor-above-balance")

    async def booked(self, ids: Iterable[UUID]) -> dict[UUID, BookedOperation]:
        async with self.reader.connect() as connection:
            return await reads.booked(connection, ids)

    async def taken_back_by(self, id_: UUID) -> BookedOperation | None:
        """The newest operation that takes this one back."""
        async with self.reader.connect() as connection:
            back = await reads.taken_back_by(connection, id_)
            return None if back is None else (await reads.booked(connection, [back]))[back]

    async def keys_of(self, ids: Iterable[int]) -> dict[int, AccountKey]:
        """What these accounts are, by their numbers."""
        async with self.reader.connect() as connection:
            return {row.id: row.key for row in await reads.by_id(connection, ids)}

    async def taken_back(self, transfers: Iterable[int]) -> dict[int, int]:
        """Of each of these transfers, by its number, how much was reversed; those of which nothing was are left out."""
        async with self.reader.connect() as connection:
            return await reads.taken_back(connection, transfers)

    async def balances(
        self, *, owners: Iterable[str] | None = None, kinds: Iterable[str] | None = None
    ) -> list[BalanceRow]:
        """Accounts of these owners and kinds, with their balances as of now."""
        async with self.reader.connect() as connection:
            return await reads.balances(connection, owners=owners, kinds=kinds)

    async def flow(self, flow: Flow) -> int:
        """What the flow comes to now: for telling people; a limit is kept by an operation's conditions."""
        async with self.reader.connect() as connection:
            return await reads.flow(connection, flow)

    async def statement(
        self, keys: Sequence[AccountKey], *, before: int | None = None, limit: int = 50
    ) -> list[StatementLine]:
        """The newest transfers of these accounts, newest first; `before` continues after a page's last transfer."""
        async with self.reader.connect() as connection:
            found = await accounts.find(connection, keys)
            return await reads.statement(connection, list(found.values()), before=before, limit=limit)

    @staticmethod
    async def held_and_moved(
        connection: AsyncConnection, owner: str, kinds: Iterable[str], *, before: int | None = None, limit: int = 50
    ) -> tuple[list[BalanceRow], list[StatementLine]]:
        """An owner's accounts of these kinds with their balances, and the newest transfers of them all, as `statement`
        tells them; in a transaction that only reads (`reader`)."""
        held = await reads.balances(connection, owners=[owner], kinds=kinds)
        return held, await reads.statement(connection, [it.id for it in held], before=before, limit=limit)

    async def venue_day(
        self, venue: UUID, day: date, *, before: int | None = None, limit: int = 100
    ) -> list[VenueOperation]:
        """What was booked at a venue for one business day, newest first; `before` continues after a page's last."""
        async with self.reader.connect() as connection:
            return await venue_days.operations(connection, venue, day, before=before, limit=limit)

    async def venue_day_totals(self, venue: UUID, day: date) -> Moved:
        """What that day comes to."""
        async with self.reader.connect() as connection:
            return await venue_days.totals(connection, venue, day)

    async def reversal(
        self,
        original: BookedOperation,
        id_: UUID,
        *,
        actor: str,
        occurred_at_us: int,
        business_day: date,
        late: bool = False,
        terminal: UUID | None = None,
        details: str = "{}",
        kind: str | None = None,
    ) -> Operation:
        """The operation that takes `original` back whole. It names each transfer that it reverses. `kind`: of what is
        undone by it, where that is not `original` itself.

        What was corrected since (a card was found for it) is taken back from where it went. What goes back to a holder
        repays first what the wallet owes, and the rest is the wallet's: a wallet never holds money beside a debt in the
        same currency.
        """
        async with self.reader.connect() as connection:
            corrections = await reads.corrections(connection, [t.id for t in original.transfers])
        corrected: dict[int, int] = {}
        for t in (t for it in corrections for t in it.transfers if t.reverses is not None):
            corrected[t.reverses or 0] = corrected.get(t.reverses or 0, 0) + t.amount
        standing = [(t, t.amount - corrected.get(t.id, 0)) for t in original.transfers]
        standing += [(t, t.amount) for it in corrections for t in it.transfers if t.reverses is None]
        pairs = await self._overdraft_and_wallet([t for t, _ in standing])
        postings = tuple(
            Posting(t.credit, overdraft, amount, credit_overflow=wallet, reverses=t.id)
            for t, amount in standing
            if amount
            for overdraft, wallet in [pairs.get(t.debit, (t.debit, None))]
        )
        return Operation(
            id=id_,
            kind=f"{kind or original.kind}.reversal",
            fingerprint=sha256(b"reversal" + original.id.bytes).digest(),
            postings=postings,
            actor=actor,
            occurred_at_us=occurred_at_us,
            business_day=business_day,
            late=late,
            venue=original.venue,
            terminal=terminal,
            reverses=original.id,
            details=details,
        )

    async def _overdraft_and_wallet(self, transfers: Sequence[Transfer]) -> dict[int, tuple[int, int]]:
        """For each debited account of a holder: the holder's overdraft and wallet in that currency."""
        async with self.reader.connect() as connection:
            rows = await reads.by_id(connection, {t.debit for t in transfers})
            keys = {
                row.id: [AccountKey(row.key.book, kind, row.key.owner) for kind in ("overdraft", "wallet")]
                for row in rows
                if row.key.kind in {"overdraft", "wallet"}
            }
            found = await accounts.find(connection, [key for pair in keys.values() for key in pair]) if keys else {}
        return {
            number: (found[overdraft], found[wallet])
            for number, (overdraft, wallet) in keys.items()
            if overdraft in found
        }

    async def _sweep_for_ever(self) -> None:
        """Holds expire within some seconds of their time, whichever process comes to it first."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.release_expired()
            except Exception:
                _log.exception("expired holds could not be released")


def posted(outcome: Outcome) -> Posted:
    """The outcome of an operation that should go through.

    Raises DomainError with the reason of a refusal, and Invalid("idempotency-key-reused").
    """
    if isinstance(outcome, Posted):
        return outcome
    if isinstance(outcome, Conflict):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    if isinstance(outcome, Refused):
        raise DomainError(outcome.reason, REFUSALS[outcome.reason])
    raise RuntimeError(f"the ledger does not book what we made: {outcome}")


# One object for each book: keys of many accounts then compare it by its address.
@lru_cache(maxsize=1024)
def currency_book(issuer: str, currency: str) -> Book:
    return Book(issuer, BookKind.CURRENCY, currency)


def reserve_book(issuer: str) -> Book:
    return Book(issuer, BookKind.RESERVE, "EUR")


def operating_book(issuer: str) -> Book:
    return Book(issuer, BookKind.OPERATING, "EUR")


_OF_WALLETS = ("wallet", "overdraft")
# More than these at once are read faster all together.
MOVED_MAX = 5_000


async def wallet_balances(
    connection: AsyncConnection, owners: Collection[str] | None = None
) -> dict[str, dict[str, int]]:
    """What every wallet may still pay (or those of `owners`): what it holds, less what is set aside of it and what it
    owes; minor units by owner, then currency. In the caller's transaction."""
    held: dict[str, dict[str, int]] = {}
    for row in await reads.free(connection, _OF_WALLETS, owners):
        of = held.setdefault(row.key.owner, {})
        of[row.key.book.currency] = of.get(row.key.book.currency, 0) + row.balance
    return held


async def in_wallets(connection: AsyncConnection, currency: str, most_each: int) -> int:
    """What all wallets may still pay of a currency, counting of each at most `most_each`; minor units."""
    return await reads.free_together(connection, currency, "wallet", most_each)


async def wallets_moved_since(
    connection: AsyncConnection, transfer: int, also: Collection[str] = ()
) -> tuple[int, dict[str, dict[str, int]] | None]:
    """(the newest transfer's number, what wallets hold that moved after `transfer`): what this costs grows with what
    moved. None: so many did that all should be read; also where `transfer` is below 0. `also`: owners to read in any
    case, for a hold changes what a wallet may pay without a transfer."""
    newest = await reads.last_transfer(connection)
    if transfer < 0 or newest - transfer > MOVED_MAX:
        return newest, None
    moved = set(also)
    if newest > transfer:
        moved |= await reads.moved_since(connection, transfer, _OF_WALLETS)
    return newest, await wallet_balances(connection, moved) if moved else {}


async def wallets_with_holds(connection: AsyncConnection) -> set[str]:
    """Owners of wallets of which something is set aside now."""
    return await reads.owners_held(connection, _OF_WALLETS)


balances_of = reads.balances
booked_among = reads.booked_ids
reversed_among = reads.reversed_ids
operations_since = reads.newest_since
recent_operations = reads.newest_of_terminal
