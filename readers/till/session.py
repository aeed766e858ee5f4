"""The till session: the drawer is opened, cash moves, it is counted, and the period is closed; offline as well.

What was taken is read from the journal, row by row, and never kept beside it: after a crash the figures are those of
the rows that stand. A closing is only written at the end of what it tells of.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

import structlog

from app.rules.drawer import Closed, Period, worth
from app.rules.ids import uuid7
from app.rules.takings import CashReason
from app.wire import (
    AnyRow,
    CashRow,
    ClosingRow,
    CountRow,
    JournalRow,
    SessionRow,
    TerminalSnapshot,
    VoidRow,
    read_payload,
)
from app.wire.takings import close, take
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link
from readers.terminal.commands import TillError
from readers.terminal.view import SessionShown
from readers.till.shelf import SnapshotShelf

ROWS_AT_ONCE = 500
BYTES_AT_ONCE = 1_000_000

_log = structlog.get_logger(__name__)


class SessionDesk:
    """`period` is what happened since `last`, the closing before; `newest` is that closing's row, if it stands in this
    journal. All are as of the last `refresh`."""

    def __init__(self, journal: Journal, shelf: SnapshotShelf, clock: Clock, link: Link) -> None:
        self._journal = journal
        self._shelf = shelf
        self._clock = clock
        self._link = link
        self._reading = asyncio.Lock()
        self._epoch = 0
        self._through = 0
        self.period = Period()
        self.last = Closed()
        self.newest: ClosingRow | None = None

    @property
    def required(self) -> bool:
        shop = self._shelf.shop
        return shop is not None and shop.snapshot.till.session_required

    @property
    def shown(self) -> SessionShown:
        shop = self._shelf.shop
        return SessionShown(
            open=self.period.session is not None,
            opened_at_us=self.period.opened_at_us,
            required=self.required,
            blind=shop is None or shop.snapshot.till.blind_count,
            closings=self.last.number,
        )

    @property
    def rates(self) -> dict[str, int]:
        """Euro cents per minor unit of what has a price in euros."""
        shop = self._shelf.shop
        return {} if shop is None else {it.code: it.cents for it in shop.snapshot.currencies if it.cents}

    @property
    def snapshot(self) -> TerminalSnapshot:
        """TillError: no_snapshot."""
        if self._shelf.shop is None:
            raise TillError("no_snapshot")
        return self._shelf.shop.snapshot

    @property
    def terminal(self) -> str:
        return self._journal.pairing.name

    def now_us(self) -> int:
        return self._clock.now_us()

    async def refresh(self) -> None:
        """Read what the journal holds more than before. TillError: no_snapshot, journal_failed."""
        async with self._reading:
            try:
                await self._read_on()
            except JournalFailed as error:
                raise TillError("journal_failed") from error

    async def allow_sale(self) -> None:
        """TillError: no_session, where nothing is sold without one."""
        if self.required and self.period.session is None:
            await self.refresh()
            if self.period.session is None:
                raise TillError("no_session")

    async def open(self, who: UUID, pieces: Mapping[int, int]) -> None:
        """TillError: session_open, wrong_amount."""
        await self.refresh()
        if self.period.session is not None:
            raise TillError("session_open")
        cents = _worth(pieces)
        await self._append(
            SessionRow(id=uuid7(), cashier=who, at_us=self._clock.now_us(), pieces=dict(pieces), cents=cents)
        )

    async def move(self, who: UUID, direction: Literal["in", "out"], reason: CashReason, note: str, cents: int) -> None:
        await self.refresh()
        await self._append(
            CashRow(
                id=uuid7(),
                cashier=who,
                at_us=self._clock.now_us(),
                direction=direction,
                reason=reason,
                note=note,
                cents=cents,
            )
        )

    async def count(self, who: UUID, pieces: Mapping[int, int]) -> None:
        await self.refresh()
        row = CountRow(
            id=uuid7(),
            cashier=who,
            at_us=self._clock.now_us(),
            pieces=dict(pieces),
            cents=_worth(pieces),
            blind=self.shown.blind,
        )
        await self._append(row)

    async def close(self, who: UUID, reason: str) -> ClosingRow:
        """TillError: nothing_to_close, reason_needed."""
        while True:
            await self.refresh()
            if self.period.empty:
                raise TillError("nothing_to_close")
            period, through = copy.deepcopy(self.period), self._through
            if period.counted_cents not in (None, period.expected(self.rates)) and not reason.strip():
                raise TillError("reason_needed")
            row = close(
                period,
                self.last,
                self.rates,
                id_=uuid7(),
                cashier=who,
                at_us=self._clock.now_us(),
                reason=reason.strip(),
            )
            try:
                written = await self._journal.append_at(through, row)
            except JournalFailed as error:
                _log.error("journal_failed", why=str(error))
                raise TillError("journal_failed") from error
            if written is not None:
                self._link.want_sync()
                await self.refresh()
                return row

    # Within

    async def _append(self, row: AnyRow) -> None:
        if self._journal.pairing.halted == "behind":
            # Each row written now would make the fork longer.
            raise TillError("journal_failed")
        try:
            await self._journal.append(row)
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        self._link.want_sync()
        await self.refresh()

    async def _read_on(self) -> None:
        epoch = self._journal.pairing.epoch
        if epoch != self._epoch:
            await self._begin(epoch)
        while rows := await self._journal.rows_after(self._through, ROWS_AT_ONCE, BYTES_AT_ONCE):
            # Parsing a night of sales takes a while on a small machine, and nobody waits for it at the reader.
            read = await asyncio.to_thread(_parsed, rows)
            for sequence, row in read:
                if isinstance(row, ClosingRow):
                    self._closed(row)
                else:
                    undone = await self._journal.booking(row.sale) if isinstance(row, VoidRow) else None
                    take(self.period, f"{epoch}-{sequence}", row, undone)
                self._through = sequence

    async def _begin(self, epoch: int) -> None:
        """From the last closing of this epoch; of an epoch without one, from where the server saw this till last."""
        found = await self._journal.last_of("closing")
        if found is not None and isinstance(found[1], ClosingRow):
            self._through = found[0]
            self._closed(found[1])
        elif shop := self._shelf.shop:
            told = shop.snapshot.till
            self._through, self.last, self.newest = 0, told.closed, None
            self.period = copy.deepcopy(told.open_before) or Period()
        else:
            raise TillError("no_snapshot")
        self._epoch = epoch

    def _closed(self, row: ClosingRow) -> None:
        self.last, self.newest, self.period = row.after, row, Period()


def _parsed(rows: Sequence[JournalRow]) -> list[tuple[int, AnyRow]]:
    return [(row.sequence, read_payload(row.payload)) for row in rows]


def _worth(pieces: Mapping[int, int]) -> int:
    try:
        return worth(pieces)
    except ValueError as error:
        raise TillError("wrong_amount") from error
