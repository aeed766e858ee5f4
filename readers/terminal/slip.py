"""A receipt as rows of text: what a thermal printer prints, and what a QR code carries where there is no internet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from app.money import Unit, format_amount
from app.rules.basket import Line, totals
from app.wire import Sale, SaleLine, SnapshotCurrency, TerminalSnapshot
from readers.terminal.receipt import taken
from readers.terminal.view import Taken, TicketCode

Style = Literal["title", "plain", "bold", "rule"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A QR code holds about 2,900 bytes at most, and a phone reads one of half of that well.
TEXT_LINES_MAX = 20


@dataclass(frozen=True, slots=True)
class Row:
    """`left` at the left edge and `right` at the right one; a title is centred, a rule is a line across."""

    style: Style
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Slip:
    """`link`: the address of the receipt's page, "" where the server has told none. `tickets`: printed below, each with
    its code and a cut of its own."""

    head: tuple[Row, ...]
    lines: tuple[Row, ...]
    foot: tuple[Row, ...]
    link: str
    tickets: tuple[TicketCode, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        return (*self.head, Row("rule"), *self.lines, Row("rule"), *self.foot)

    def text(self, more: str) -> str:
        """For a QR code: lines beyond the first ones are counted by `more`, which holds a {count}."""
        beyond = len(self.lines) - TEXT_LINES_MAX
        lines = (*self.lines[:TEXT_LINES_MAX], Row("plain", more.replace("{count}", str(beyond)))) if beyond > 0 else ()
        rows = (*self.head, *(lines or self.lines), *self.foot)
        return "\n".join(f"{row.left} {row.right}".strip() for row in rows)


class Shown:
    """How amounts and names are written in one language, by the currencies of a snapshot."""

    def __init__(self, snapshot: TerminalSnapshot, language: str) -> None:
        self._currencies: Mapping[str, SnapshotCurrency] = {one.code: one for one in snapshot.currencies}
        self._language = language

    def amount(self, minor: int, code: str) -> str:
        currency = self._currencies.get(code)
        if currency is None:
            return f"{minor} {code}"
        return format_amount(minor, Unit(currency.unit), currency.symbol, self._language)

    def name(self, code: str) -> str:
        currency = self._currencies.get(code)
        return code if currency is None else currency.names.get(self._language) or code


def slip(
    sale: Sale,
    snapshot: TerminalSnapshot,
    words: Mapping[str, str],
    language: str,
    *,
    terminal: str,
    number: str,
    date: str,
    link: str = "",
    left: Sequence[Taken] = (),
    tickets: Sequence[TicketCode] = (),
    voided: bool = False,
    training: bool = False,
) -> Slip:
    """The receipt of a sale. `words` are the screen's (keys "slip."); `left`: what paid, with what its cards still
    held then, where that is known; `tickets`: handed over with it, unless the sale was undone; `date`: the day in words
    and the time."""
    shown = Shown(snapshot, language)
    head = [Row("title", snapshot.venue_name)]
    if training:
        head.insert(0, Row("title", words["slip.training"]))
    if voided:
        head.append(Row("bold", words["slip.voided"]))
    head += [
        Row("plain", date),
        Row("plain", words["slip.number"].replace("{number}", number).replace("{terminal}", terminal)),
    ]
    lines = [
        Row(
            "plain",
            _what(line),
            shown.amount(line.quantity * line.unit_price, line.currency),
        )
        for line in sale.lines
    ]
    owed = totals(Line(str(it.product), it.quantity, it.unit_price, it.currency) for it in sale.lines)
    foot = [Row("bold", words["slip.total"], shown.amount(minor, code)) for code, minor in owed.items()]
    if sale.round_up is not None:
        foot.append(Row("plain", words["slip.given"], shown.amount(sale.round_up.amount, sale.round_up.currency)))
    parts = left or taken(sale, {})
    for part in parts:
        foot.append(Row("plain", _means(part, shown, words), shown.amount(part.minor, part.currency)))
        if part.given is not None:
            foot.append(Row("plain", words["slip.received"], shown.amount(part.given, part.currency)))
            foot.append(Row("plain", words["slip.change"], shown.amount(part.given - part.minor, part.currency)))
    foot += [
        Row(
            "plain",
            words["slip.left"].replace("{currency}", shown.name(part.currency)),
            shown.amount(part.left, part.currency),
        )
        for part in parts
        if part.left is not None
    ]
    if training:
        foot.append(Row("title", words["slip.training"]))
    return Slip(tuple(head), tuple(lines), tuple(foot), link, () if voided else tuple(tickets))


def wall_clock(at_us: int, zone: str) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone))


def _what(line: SaleLine) -> str:
    share = line.share
    quantity = line.quantity if share is None else share.quantity
    what = line.name if quantity == 1 else f"{quantity} x {line.name}"
    return what if share is None else f"1/{share.parts}: {what}"


def _means(part: Taken, shown: Shown, words: Mapping[str, str]) -> str:
    if part.means == "card":
        return shown.name(part.currency)
    return words[f"taken.{part.means}"].replace("{currency}", shown.name(part.currency))
