"""What was done last at this terminal: who may take it back, and what is being taken back just now."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from app.wire import CardActRow, SaleRow, TopUpRow
from readers.journal import Clock, Journal, Made, PaidSale
from readers.sync import Link
from readers.terminal.commands import TillError
from readers.terminal.receipt import past_act, past_sale
from readers.terminal.undoing import WhyNot, why_not
from readers.terminal.view import PastSale

LAST_SALES = 20


class LastSales:
    """Sales, and what else was done with a card. What is practised stands apart, and is forgotten when the training
    ends."""

    def __init__(self, journal: Journal, clock: Clock, link: Link) -> None:
        self._journal = journal
        self._clock = clock
        self._link = link
        self._real: deque[Made] = deque(maxlen=LAST_SALES)
        self._practised: deque[Made] | None = None
        # The id that `pay` gave the page, where the sale has another.
        self._asked: dict[UUID, UUID] = {}
        self._voiding: set[UUID] = set()

    async def load(self) -> None:
        """JournalFailed."""
        self._real.extend(await self._journal.last_made(LAST_SALES))

    def practise(self, on: bool) -> None:
        self._practised = deque(maxlen=LAST_SALES) if on else None

    def add(self, row: SaleRow | CardActRow, sequence: int, asked: UUID, *, real: bool = False) -> None:
        """`real`: it was made in earnest, although somebody practises."""
        last = self._real if real else self._kept
        last.appendleft(Made(row, voided=False, sequence=sequence))
        kept = self.kept
        self._asked = {sale: first for sale, first in self._asked.items() if sale in kept}
        self._asked[row.event] = asked

    @property
    def kept(self) -> set[UUID]:
        return {made.row.event for made in self._kept}

    def shown(self, who: UUID | None, rights: Collection[str]) -> tuple[PastSale, ...]:
        return tuple(self._shown(made, self._why_not(made, who, rights)) for made in self._kept)

    def one(self, sale: UUID) -> PaidSale:
        """TillError: unknown_sale."""
        for made in self._kept:
            if made.row.event == sale and isinstance(made.row, SaleRow):
                return PaidSale(made.row, made.voided, made.sequence)
        raise TillError("unknown_sale")

    def top_up(self, id_: UUID) -> Made | None:
        """One of the last top-ups, with its own row; None for what is none."""
        return next((it for it in self._kept if it.row.event == id_ and isinstance(it.row, TopUpRow)), None)

    def begin_void(self, sale: UUID, who: UUID, rights: Collection[str]) -> SaleRow | CardActRow:
        """One at a time may take it back; `end_void` follows. TillError: not_voidable, not_yours, too_late,
        only_online."""
        made = next((made for made in self._kept if made.row.event == sale), None)
        if made is None or sale in self._voiding:
            raise TillError("not_voidable")
        if why := self._why_not(made, who, rights):
            raise TillError(why)
        self._voiding.add(sale)
        return made.row

    def end_void(self, sale: UUID, *, done: bool) -> None:
        self._voiding.discard(sale)
        for last in (self._real, self._practised):
            for place, made in enumerate(last or ()):
                if done and last is not None and made.row.event == sale:
                    last[place] = replace(made, voided=True)

    @property
    def _kept(self) -> deque[Made]:
        return self._real if self._practised is None else self._practised

    def _shown(self, made: Made, why: WhyNot | None) -> PastSale:
        if isinstance(made.row, SaleRow):
            asked = self._asked.get(made.row.event, made.row.event)
            return past_sale(made.row, asked, voided=made.voided, why_not=why)
        return past_act(made.row, voided=made.voided, why_not=why)

    def _why_not(self, made: Made, who: UUID | None, rights: Collection[str]) -> WhyNot | None:
        now_us, online = self._clock.now_us(), self._link.online
        return why_not(made.row, voided=made.voided, who=who, rights=rights, now_us=now_us, online=online)
