"""The last sales of this terminal: who may take one back, and what is being taken back just now."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from app.wire import SaleRow
from readers.journal import Clock, Journal, PaidSale
from readers.terminal.receipt import past_sale
from readers.terminal.undoing import WhyNot, why_not
from readers.terminal.view import PastSale, TillError

LAST_SALES = 20


class LastSales:
    """What is practised stands apart, and is forgotten when the training ends."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._real: deque[PaidSale] = deque(maxlen=LAST_SALES)
        self._practised: deque[PaidSale] | None = None
        # The id that `pay` gave the page, where the sale has another.
        self._asked: dict[UUID, UUID] = {}
        self._voiding: set[UUID] = set()

    async def load(self) -> None:
        """JournalFailed."""
        self._real.extend(await self._journal.last_sales(LAST_SALES))

    def practise(self, on: bool) -> None:
        self._practised = deque(maxlen=LAST_SALES) if on else None

    def add(self, row: SaleRow, sequence: int, asked: UUID, *, real: bool = False) -> None:
        """`real`: it was made in earnest, although somebody practises."""
        last = self._real if real else self._kept
        last.appendleft(PaidSale(row, voided=False, sequence=sequence))
        kept = self.kept
        self._asked = {sale: first for sale, first in self._asked.items() if sale in kept}
        self._asked[row.sale.id] = asked

    @property
    def kept(self) -> set[UUID]:
        return {paid.row.sale.id for paid in self._kept}

    def shown(self, who: UUID | None, rights: Collection[str]) -> tuple[PastSale, ...]:
        return tuple(
            past_sale(
                paid.row,
                self._asked.get(paid.row.sale.id, paid.row.sale.id),
                voided=paid.voided,
                why_not=self._why_not(paid, who, rights),
            )
            for paid in self._kept
        )

    def one(self, sale: UUID) -> PaidSale:
        """TillError: unknown_sale."""
        paid = next((paid for paid in self._kept if paid.row.sale.id == sale), None)
        if paid is None:
            raise TillError("unknown_sale")
        return paid

    def begin_void(self, sale: UUID, who: UUID, rights: Collection[str]) -> SaleRow:
        """One at a time may take it back; `end_void` follows. TillError: not_voidable, not_yours, too_late."""
        paid = next((paid for paid in self._kept if paid.row.sale.id == sale), None)
        if paid is None or sale in self._voiding:
            raise TillError("not_voidable")
        if why := self._why_not(paid, who, rights):
            raise TillError(why)
        self._voiding.add(sale)
        return paid.row

    def end_void(self, sale: UUID, *, done: bool) -> None:
        self._voiding.discard(sale)
        for last in (self._real, self._practised):
            for place, paid in enumerate(last or ()):
                if done and last is not None and paid.row.sale.id == sale:
                    last[place] = replace(paid, voided=True)

    @property
    def _kept(self) -> deque[PaidSale]:
        return self._real if self._practised is None else self._practised

    def _why_not(self, paid: PaidSale, who: UUID | None, rights: Collection[str]) -> WhyNot | None:
        return why_not(paid.row, voided=paid.voided, who=who, rights=rights, now_us=self._clock.now_us())
