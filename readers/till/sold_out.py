"""Products that are sold out: said at a terminal, seen there at once, and at the others with the next snapshot."""

from __future__ import annotations

from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.wire import SoldOutRow
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link
from readers.terminal.commands import TillError
from readers.till.shelf import SnapshotShelf

_log = structlog.get_logger(__name__)


class SoldOutDesk:
    """A tile that is sold out warns; what is in a basket already is sold all the same, for it may be poured."""

    def __init__(self, journal: Journal, shelf: SnapshotShelf, clock: Clock, link: Link) -> None:
        self._journal = journal
        self._shelf = shelf
        self._clock = clock
        self._link = link

    async def say(self, cashier: UUID, product: UUID, sold_out: bool) -> None:
        """TillError: no_snapshot, unknown_product, not_allowed, journal_failed."""
        shop = self._shelf.shop
        if shop is None:
            raise TillError("no_snapshot")
        if not shop.sells(product):
            raise TillError("unknown_product")
        if self._journal.pairing.halted:
            raise TillError("not_allowed")
        now_us = self._clock.now_us()
        row = SoldOutRow(id=uuid7(), product=product, sold_out=sold_out, cashier=cashier, at_us=now_us)
        try:
            self._shelf.add(await self._journal.append(row), row)
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        self._link.want_sync()
