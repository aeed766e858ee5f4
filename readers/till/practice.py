"""The tap of the training mode: the same screens, no server, no real purse, and rows that are marked.

Nothing here asks the server to sell, touches the shelf or writes a row that books anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, Self
from uuid import UUID

from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.wire import Sale, SaleRow, TrainingRow, VoidRow
from readers.journal import Clock, Journal
from readers.sync import Link, Server
from readers.terminal.practice import Practice
from readers.terminal.receipt import taken
from readers.till.shelf import SnapshotShelf
from readers.till.tap import Ended, Tap, TapSettings, Try, by_hand


class PracticeTap(Tap):
    """A Tap whose sales are practised. `begin` before the first, `end` after the last."""

    def __init__(
        self, journal: Journal, shelf: SnapshotShelf, server: Server, link: Link, clock: Clock, settings: TapSettings
    ) -> None:
        super().__init__(journal, shelf, server, link, clock, settings)
        self._purses = Practice()
        self._number = 0
        self._cashier: UUID | None = None

    @classmethod
    def beside(cls, tap: Tap) -> Self:
        """One for the same journal as a real tap."""
        return cls(tap._journal, tap._shelf, tap._server, tap._link, tap._clock, tap._settings)

    async def begin(self, cashier: UUID) -> None:
        """JournalFailed."""
        self._purses = Practice()
        self._number = await self._journal.count("training")
        self._cashier = cashier
        await self._write("begin")

    async def end(self) -> None:
        """JournalFailed."""
        await self._write("end")

    async def intend(self) -> UUID:
        return uuid7()

    async def withdraw(self, sale: UUID) -> None:
        """Nothing waits for it anywhere."""

    async def take(self, sale: Sale) -> Ended:
        number = await self._write("sale", id_=sale.id, sale=sale)
        return Ended(by_hand(sale), SaleRow(mode="offline", sale=sale), number)

    async def void(self, row: VoidRow, sale: SaleRow) -> None:
        await self._write("void", id_=row.id, of=row.sale)
        self._purses.give_back(sale.sale)

    async def _settle(self, it: Try) -> Ended:
        if not it.parts.paid_by_cards or it.parts.missing:
            return await self._refuse(it, Refusal.INSUFFICIENT_FUNDS, offline=False)
        sale = self._sale(it)
        number = await self._write("sale", id_=sale.id, sale=sale)
        self._purses.take(sale)
        left = {uid: self._available(uid) for uid in sale.cards}
        result = self._result(it, None, offline=False, left=left[sale.card])
        return Ended(replace(result, taken=taken(sale, left)), SaleRow(mode="online", sale=sale), number)

    async def _remember_refusal(self, it: Try, reason: Refusal, *, cancel: bool) -> None:
        """A refusal that was practised is no evidence of anything."""

    def _available(self, uid: str) -> Mapping[str, int]:
        shop = self._shelf.shop
        return self._purses.available(uid, shop.snapshot.currencies) if shop else {}

    async def _write(
        self,
        what: Literal["begin", "end", "sale", "void"],
        *,
        id_: UUID | None = None,
        sale: Sale | None = None,
        of: UUID | None = None,
    ) -> int:
        """The number of the row."""
        row = TrainingRow(
            id=id_ or uuid7(),
            number=self._number + 1,
            what=what,
            sale=sale,
            of=of,
            cashier=self._cashier,
            at_us=self._clock.now_us(),
        )
        await self._journal.append(row)
        self._number = row.number
        self._link.want_sync()
        return row.number
