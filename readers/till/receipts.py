"""Receipts of the last sales: their address, their text, and the printer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from uuid import UUID

from babel.dates import format_date

from app.rules.receipts import receipt_number, receipt_token, training_number
from readers.journal import Journal, PaidSale
from readers.kiosk.languages import Language, words_in
from readers.printer import Printer
from readers.terminal.commands import TillError
from readers.terminal.slip import Slip, slip, wall_clock
from readers.terminal.view import PrinterShown, ReceiptShown, Taken
from readers.till.shelf import SnapshotShelf

_LOCALES = {"fr": "fr", "en": "en_GB"}


class ReceiptDesk:
    """`printer` is None where the terminal has none; `shown` is what the screen says of it."""

    def __init__(self, shelf: SnapshotShelf, journal: Journal) -> None:
        self._shelf = shelf
        self._journal = journal
        self._left: dict[UUID, tuple[Taken, ...]] = {}
        self.printer: Printer | None = None
        self.shown: PrinterShown = "none"
        self.training = False

    def note(self, sale: UUID, taken: tuple[Taken, ...], kept: set[UUID]) -> None:
        """What paid a sale and what its cards still hold: told when it is made, and of the sales in `kept` alone."""
        self._left = {one: parts for one, parts in self._left.items() if one in kept}
        self._left[sale] = taken

    def number(self, paid: PaidSale) -> str:
        if self.training:
            return training_number(paid.sequence)
        return receipt_number(self._journal.pairing.epoch, paid.sequence)

    def shown_for(self, paid: PaidSale, language: Language) -> ReceiptShown:
        """TillError: no_snapshot."""
        made = self._slip(paid, language)
        return ReceiptShown(
            sale=paid.row.sale.id,
            number=self.number(paid),
            address=made.link or None,
            text=made.text(words_in(language)["slip.more"]),
        )

    def print(self, paid: PaidSale, language: Language) -> None:
        """TillError: no_snapshot, no_printer, printer_busy."""
        if self.printer is None:
            raise TillError("no_printer")
        if not self.printer.print(self._slip(paid, language)):
            raise TillError("printer_busy")

    def _slip(self, paid: PaidSale, language: Language) -> Slip:
        shop = self._shelf.shop
        if shop is None:
            raise TillError("no_snapshot")
        snapshot, sale, words = shop.snapshot, paid.row.sale, words_in(language)
        told = snapshot.receipts
        link = "" if told is None else told.address + receipt_token(base64.b64decode(told.key), sale.id)
        left: Sequence[Taken] = self._left.get(sale.id, ())
        return slip(
            sale,
            snapshot,
            words,
            language,
            terminal=self._journal.pairing.name,
            number=self.number(paid),
            date=in_words(sale.occurred_at_us, snapshot.zone, language, words["clock"]),
            link=link,
            left=left,
            voided=paid.voided,
            training=self.training,
        )


def in_words(at_us: int, zone: str, language: Language, clock: str) -> str:
    """jeudi 26 novembre 2026, 23 h 12"""
    at = wall_clock(at_us, zone)
    day = format_date(at.date(), "EEEE d MMMM y", locale=_LOCALES[language])
    # Unicode's patterns have no ordinals, and French says "1er novembre".
    day = day.replace(" 1 ", " 1er ", 1) if language == "fr" else day
    return f"{day}, " + clock.replace("{hour}", str(at.hour).zfill(2)).replace("{minute}", str(at.minute).zfill(2))
