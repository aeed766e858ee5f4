"""What was done at this till, taken back: a sale at once, an act with a card once the server has.

A sale goes back by a row alone, with or without network: what it took returns to the card. Behind a top-up or a refund
cash changes hands, and the card may have been used elsewhere since, so the server takes it back first, or says why not.
When no answer comes the undo is cancelled by its id, as the acts themselves are: nothing was undone, and no cash moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final, Self
from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.wire import CardActRow, IntentRow, RefusedRow, SaleRow, VoidRow
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link, Rejected, Server, Unreachable
from readers.terminal.commands import TillError
from readers.till.last_sales import LastSales
from readers.till.shelf import SnapshotShelf
from readers.till.tap import Tap

_log = structlog.get_logger(__name__)

DEADLINE_S = 3.0
REASON_MAX = 200

# What the server says, as the screen says it and as the journal keeps it.
_REASONS: Final[Mapping[str, tuple[str, Refusal]]] = {
    "insufficient-funds": ("undo_spent", Refusal.INSUFFICIENT_FUNDS),
    "terminals-away": ("undo_away", Refusal.TERMINALS_AWAY),
    "forbidden": ("no_right", Refusal.FORBIDDEN),
    "not-found": ("undo_not_there", Refusal.INVALID),
    "already-reversed": ("not_voidable", Refusal.CANCELLED),
}
_ANY_OTHER = ("undo_refused", Refusal.INVALID)


class UndoDesk:
    """Takes back what `last` holds."""

    def __init__(
        self, journal: Journal, shelf: SnapshotShelf, server: Server, link: Link, clock: Clock, last: LastSales
    ) -> None:
        self._journal = journal
        self._shelf = shelf
        self._server = server
        self._link = link
        self._clock = clock
        self._last = last

    @classmethod
    def beside(cls, tap: Tap, last: LastSales) -> Self:
        """One for the same journal as a tap."""
        return cls(tap._journal, tap._shelf, tap._server, tap._link, tap._clock, last)

    async def void(self, tap: Tap, id_: UUID, reason: str, who: UUID, rights: Collection[str]) -> None:
        """`tap` is the one that sells now. TillError: not_voidable, not_yours, too_late, only_online, journal_failed,
        undo_spent, undo_away, undo_not_there, undo_refused, undo_no_answer."""
        reason = reason.strip()[:REASON_MAX]
        if not reason:
            raise TillError("not_voidable")
        made, done = self._last.begin_void(id_, who, rights), False
        row = VoidRow(id=uuid7(), sale=id_, reason=reason, cashier=who, at_us=self._clock.now_us())
        try:
            await (tap.void(row, made) if isinstance(made, SaleRow) else self._undo(tap, row, made))
            done = True
        except JournalFailed as error:
            _log.error("journal_failed", undone=str(id_), why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self._last.end_void(id_, done=done)

    async def _undo(self, tap: Tap, row: VoidRow, act: CardActRow) -> None:
        if halted := self._journal.pairing.halted:
            raise TillError("journal_failed" if halted == "behind" else "not_allowed")
        await tap.write_owed()
        if await self._journal.rows_of("cancel", self._journal.acknowledged):
            # An undo without an answer may be among what is cancelled: until the server knows, it would say that this
            # was undone already, and somebody would hand out cash for what is about to stand again.
            self._link.want_sync()
            raise TillError("undo_no_answer")
        # A crash from here on leaves its id behind, and the next start cancels it.
        await self._journal.append(IntentRow(sale=row.id, at_us=row.at_us))
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._server.undo(row, self._journal.pairing.device)
        except Rejected as error:
            said, kept = _REASONS.get(error.problem.name, _ANY_OTHER)
            refused = RefusedRow(sale=row.id, card=act.card, reason=kept, at_us=self._clock.now_us())
            await self._journal.append(refused)
            raise TillError(said) from error
        except (TimeoutError, Unreachable) as error:
            self._link.lost()
            await tap.withdraw(row.id)
            raise TillError("undo_no_answer") from error
        else:
            await self._write(tap, row, act)
        finally:
            self._link.want_sync()

    async def _write(self, tap: Tap, row: VoidRow, act: CardActRow) -> None:
        try:
            sequence = await self._journal.append(row)
        except JournalFailed:
            # Nobody is told that it was undone, so it must not be.
            await tap.withdraw(row.id)
            raise
        self._shelf.add(sequence, row, act)
