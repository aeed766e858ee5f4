"""What staff do at the drawer, each within their rights: the till session as its pages see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from app.rules.takings import CashReason
from readers.kiosk.languages import Language, words_in
from readers.terminal.commands import CashDirection, ReportKind, TillError
from readers.terminal.report import Reports
from readers.terminal.slip import Slip
from readers.terminal.view import CountShown, ReportShown
from readers.till.receipts import ReceiptDesk, in_words
from readers.till.session import SessionDesk

CLOSE = "close"


class SessionActs:
    """Implements readers.terminal.commands.TillSession.

    `require`: who is signed in, if they have a right; `free`: no card is asked for or being checked; `changed` follows
    whatever was written.
    """

    def __init__(
        self,
        desk: SessionDesk,
        receipts: ReceiptDesk,
        require: Callable[[str | None], UUID],
        free: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._receipts = receipts
        self._require = require
        self._free = free
        self._changed = changed

    async def open(self, pieces: Mapping[int, int]) -> None:
        await self._desk.open(self._require(None), pieces)
        self._changed()

    async def move(self, direction: CashDirection, reason: CashReason, note: str, cents: int) -> None:
        await self._desk.move(self._require(CLOSE), direction, reason, note, cents)
        self._changed()

    async def count(self, pieces: Mapping[int, int]) -> CountShown:
        who = self._require(None)
        await self._desk.count(who, pieces)
        period = self._desk.period
        may_know = not period.counted_blind or self._may_close()
        return CountShown(period.counted_cents or 0, period.expected(self._desk.rates) if may_know else None)

    async def close(self, reason: str) -> int:
        who = self._require(CLOSE)
        if not self._free():
            raise TillError("busy")
        row = await self._desk.close(who, reason)
        self._changed()
        return row.number

    async def report(self, which: ReportKind, language: Language) -> ReportShown:
        number, slip = await self._slip(which, language)
        return ReportShown(number, tuple((row.style, row.left, row.right) for row in slip.rows))

    async def print_report(self, which: ReportKind, language: Language) -> None:
        _, slip = await self._slip(which, language)
        if self._receipts.printer is None:
            raise TillError("no_printer")
        if not self._receipts.printer.print(slip):
            raise TillError("printer_busy")

    async def _slip(self, which: ReportKind, language: Language) -> tuple[int, Slip]:
        self._require(CLOSE)
        await self._desk.refresh()
        snapshot = self._desk.snapshot
        words = words_in(language)
        reports = Reports(snapshot, words, language, self._desk.terminal)
        zone = snapshot.zone
        if which == "now":
            date = in_words(self._desk.now_us(), zone, language, words["clock"])
            return 0, reports.now(self._desk.period, self._desk.last, self._desk.rates, date)
        row = self._desk.newest
        if row is None:
            raise TillError("no_closing")
        date = in_words(row.at_us, zone, language, words["clock"])
        return row.number, reports.closing(row, date, duplicate=which == "last")

    def _may_close(self) -> bool:
        try:
            self._require(CLOSE)
        except TillError:
            return False
        return True
