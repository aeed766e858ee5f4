"""Receipts of the last sales: their address, their text, and the printer."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from babel.dates import format_date

from app.rules.receipts import receipt_number, receipt_token, training_number
from app.wire import CodeAsked, CodeReply, TopUpRow
from readers.journal import Journal, Made, PaidSale
from readers.kiosk.languages import Language, words_in
from readers.printer import Printer
from readers.sync import CodeAnswer, Link, Server
from readers.terminal.commands import TillError
from readers.terminal.slip import Slip, slip, wall_clock
from readers.terminal.top_up_slip import top_up_slip
from readers.terminal.view import PrinterShown, ReceiptShown, Taken
from readers.till.shelf import SnapshotShelf

# Staff wait for the paper, and the holder for both.
CODE_DEADLINE_S = 3.0
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
        # Asks the server for the first recovery code of a card that was topped up.
        self.codes: Callable[[TopUpRow], Awaitable[CodeAnswer]] | None = None

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
            tickets=made.tickets,
        )

    def print(self, paid: PaidSale, language: Language) -> None:
        """TillError: no_snapshot, no_printer, printer_busy."""
        if self.printer is None:
            raise TillError("no_printer")
        if not self.printer.print(self._slip(paid, language)):
            raise TillError("printer_busy")

    def shown_for_top_up(self, made: Made, language: Language) -> ReceiptShown:
        """The slip of a top-up, for the screen: no recovery code stands there, which others would read too. TillError:
        no_snapshot."""
        slip_ = self._top_up(made, language, None, hint=not made.voided)
        text = slip_.text(words_in(language)["slip.more"])
        return ReceiptShown(made.row.event, self._made_number(made), None, text)

    async def print_top_up(self, made: Made, language: Language) -> None:
        """With the wallet's first recovery code, where it has none yet and the server is there; it follows from the
        top-up, so printed again it is the same. TillError: no_snapshot, no_printer, printer_busy."""
        if self.printer is None:
            raise TillError("no_printer")
        row = made.row
        code: CodeAnswer = None
        if self.codes is not None and isinstance(row, TopUpRow) and not made.voided:
            code = await self.codes(row)
        told = code if isinstance(code, CodeReply) else None
        if not self.printer.print(self._top_up(made, language, told, hint=code is None and not made.voided)):
            raise TillError("printer_busy")

    def _top_up(self, made: Made, language: Language, code: CodeReply | None, *, hint: bool) -> Slip:
        shop, row = self._shelf.shop, made.row
        if shop is None or not isinstance(row, TopUpRow):
            raise TillError("no_snapshot")
        words = words_in(language)
        return top_up_slip(
            row,
            shop.snapshot,
            words,
            language,
            terminal=self._journal.pairing.name,
            number=self._made_number(made),
            date=in_words(row.at_us, shop.snapshot.zone, language, words["clock"]),
            code=code,
            hint=hint,
            voided=made.voided,
        )

    def _made_number(self, made: Made) -> str:
        return receipt_number(self._journal.pairing.epoch, made.sequence)

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
            tickets=self._shelf.tickets.codes(sale),
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


def codes_of(server: Server, journal: Journal, link: Link) -> Callable[[TopUpRow], Awaitable[CodeAnswer]]:
    """Where a till's slips of top-ups have their recovery codes from."""

    async def first_code(row: TopUpRow) -> CodeAnswer:
        if not link.online:
            return None
        asked = CodeAsked(act=row.id, card=row.card)
        return await server.first_code(asked, journal.pairing.device, CODE_DEADLINE_S)

    return first_code
