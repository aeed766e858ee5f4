"""What this till last credited each card with for nothing: hours of a volunteer, a gift, points."""

from __future__ import annotations

from uuid import UUID

from app.wire import AnyRow, CreditRow, VoidRow
from readers.journal import Journal
from readers.terminal.view import Credited
from readers.till.last_sales import LAST_SALES


class LastCredits:
    """As the journal of this epoch has them. Of a card as many are kept as may still be undone, so that the one before
    is told again once its last one is."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: dict[str, list[CreditRow]] = {}

    async def load(self) -> None:
        """JournalFailed."""
        undone = {row.subject for _, row in await self._journal.rows_of("void", 0)}
        for _, row in await self._journal.rows_of("credit", 0):
            if row.subject not in undone:
                self.add(row)

    def add(self, row: AnyRow, undone: AnyRow | None = None) -> None:
        """A row was committed; `undone` is what a void takes back."""
        if isinstance(row, CreditRow):
            kept = self._rows.setdefault(row.card, [])
            kept.append(row)
            del kept[:-LAST_SALES]
        elif isinstance(row, VoidRow) and isinstance(undone, CreditRow):
            self._forget(undone.card, undone.id)

    def of(self, card: str) -> tuple[Credited, ...]:
        """The last of each money, newest first."""
        found: dict[str, Credited] = {}
        for row in reversed(self._rows.get(card, ())):
            found.setdefault(row.currency, Credited(row.currency, row.amount, row.at_us, row.reason))
        return tuple(found.values())

    def _forget(self, card: str, id_: UUID) -> None:
        self._rows[card] = [row for row in self._rows.get(card, ()) if row.id != id_]
