"""One tap: from a card on the reader to a result that is durably in the journal (terminal.md, "A tap, online and not").

A result without a reason is green, and is only ever returned after its sale row was committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.rules.offline import Accept, Refusal, Refuse, decide
from app.wire import CancelRow, IntentRow, RefusedRow, Sale, SaleRow, Tender, VoidRow
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Booked, Declined, Link, NoAnswer, Server
from readers.terminal.counter import Card, Pending
from readers.terminal.view import Balance, Result
from readers.till.shelf import SnapshotShelf

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TapSettings:
    """`deadline_s`: how long a customer waits for the server before the terminal decides alone (terminal.md)."""

    deadline_s: float = 0.4


class Tap:
    """Settles sales one after the other. `owed` are sales to cancel whose cancel row could not be written yet."""

    def __init__(
        self, journal: Journal, shelf: SnapshotShelf, server: Server, link: Link, clock: Clock, settings: TapSettings
    ) -> None:
        self._journal = journal
        self._shelf = shelf
        self._server = server
        self._link = link
        self._clock = clock
        self._settings = settings
        self._owed: list[UUID] = []

    async def intend(self) -> UUID:
        """Make a sale's id and commit it, before any card is asked for. JournalFailed."""
        sale = uuid7()
        owed = list(self._owed)
        now_us = self._clock.now_us()
        cancels = [CancelRow(id=uuid7(), sale=other, at_us=now_us) for other in owed]
        await self._journal.append(*cancels, IntentRow(sale=sale, at_us=now_us))
        self._owed = [other for other in self._owed if other not in owed]
        self._link.want_sync()
        return sale

    async def withdraw(self, sale: UUID) -> None:
        """Cancel a sale whose light did not turn green; owed if the journal can't be written now."""
        try:
            await self._journal.append(CancelRow(id=uuid7(), sale=sale, at_us=self._clock.now_us()))
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(sale), why=str(error))
            self._owed.append(sale)
        self._link.want_sync()

    async def void(self, row: VoidRow, sale: SaleRow) -> None:
        """Undo a sale of this terminal. JournalFailed."""
        sequence = await self._journal.append(row)
        self._shelf.add(sequence, row, sale)
        self._link.want_sync()

    async def settle(self, pending: Pending, card: Card) -> tuple[Result, SaleRow | None]:
        """Ask the server, or decide alone; the committed sale row comes with a green result.

        Never raises JournalFailed: what can't be written is refused.
        """
        sale = Sale(
            id=pending.sale,
            card=card.uid,
            assurance=card.assurance,
            cashier=pending.cashier,
            lines=pending.basket.lines,
            tenders=(Tender(currency=pending.basket.currency, amount=pending.basket.total),),
            occurred_at_us=self._clock.now_us(),
        )
        try:
            return await self._settle(sale)
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(sale.id), why=str(error))
            # The server may have booked it, and nobody was shown a green light.
            self._owed.append(sale.id)
            return self._result(sale, Refusal.JOURNAL_FAILED, offline=not self._link.online), None
        finally:
            self._link.want_sync()

    async def _settle(self, sale: Sale) -> tuple[Result, SaleRow | None]:
        if self._journal.pairing.halted:
            return await self._refuse(sale, Refusal.TERMINAL_HALTED, offline=not self._link.online)
        if not self._link.online:
            return await self._decide(sale, asked=False)
        answer = await self._server.sell(sale, self._journal.pairing.device, self._settings.deadline_s)
        match answer:
            case Booked(reply):
                row = SaleRow(mode="online", sale=sale)
                return await self._commit(row, reply.balances), row
            case Declined(reason):
                if reason is Refusal.PRICE_CHANGED:
                    self._link.want_snapshot()
                return await self._refuse(sale, reason, offline=False)
            case NoAnswer():
                self._link.lost()
                return await self._decide(sale, asked=True)

    async def _decide(self, sale: Sale, *, asked: bool) -> tuple[Result, SaleRow | None]:
        """By this terminal's limits. `asked`: the server may have booked the sale, so a refusal here takes it back."""
        shop, book = self._shelf.shop, self._shelf.book
        if shop is None or book is None:
            return await self._refuse(sale, Refusal.SNAPSHOT_TOO_OLD, offline=True, cancel=asked)
        tenders = {tender.currency: tender.amount for tender in sale.tenders}
        match decide(tenders, book.card(sale.card, sale.assurance), self._shelf.terminal(), shop.limits):
            case Accept(unbacked):
                row = SaleRow(mode="offline", sale=sale, unbacked=dict(unbacked))
                return await self._commit(row, None), row
            case Refuse(reason):
                return await self._refuse(sale, reason, offline=True, cancel=asked)

    async def _commit(self, row: SaleRow, balances: Mapping[str, int] | None) -> Result:
        sequence = await self._journal.append(row)
        self._shelf.add(sequence, row, row)
        if balances is None and self._shelf.book:
            balances = self._shelf.book.available(row.sale.card)
        return self._result(row.sale, None, offline=row.mode == "offline", balances=balances)

    async def _refuse(self, sale: Sale, reason: Refusal, *, offline: bool, cancel: bool = False) -> tuple[Result, None]:
        now_us = self._clock.now_us()
        rows: list[RefusedRow | CancelRow] = [RefusedRow(sale=sale.id, card=sale.card, reason=reason, at_us=now_us)]
        if cancel:
            rows.append(CancelRow(id=uuid7(), sale=sale.id, at_us=now_us))
        await self._journal.append(*rows)
        left = None
        if reason is Refusal.INSUFFICIENT_FUNDS and self._shelf.book:
            left = self._shelf.book.available(sale.card)
        return self._result(sale, reason, offline=offline, balances=left), None

    def _result(
        self, sale: Sale, reason: Refusal | None, *, offline: bool, balances: Mapping[str, int] | None = None
    ) -> Result:
        tender = sale.tenders[0]
        left = None if balances is None else tuple(Balance(code, minor) for code, minor in sorted(balances.items()))
        return Result(sale.id, sale.card, tender.currency, tender.amount, reason, offline, left, self._clock.now_us())
