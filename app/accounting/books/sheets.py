"""Tables of the books for other programs, with layouts that stay: CSV as French spreadsheets read it, and XLSX.

Headings are French in either language, as accounting programs import them; a test holds every layout. Amounts are
euros: in CSV with a decimal comma, in XLSX numbers. Both are written a part at a time, however long they are.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import xlsxwriter

from app.accounting.books import store
from app.accounting.books.chart import percent
from app.accounting.books.periods import Stretch
from app.sales.closings.store import Sealed

Kind = Literal["text", "day", "euros", "number"]
Table = Literal["balance", "journaux", "grand-livre", "tva"]
TABLES: Final[tuple[Table, ...]] = ("balance", "journaux", "grand-livre", "tva")

# The names and kinds of each table's columns, in order.
LAYOUTS: Final[dict[Table, tuple[tuple[str, Kind], ...]]] = {
    "balance": (
        *(("Compte", "text"), ("Intitulé", "text"), ("Solde initial", "euros"), ("Débit", "euros")),
        *(("Crédit", "euros"), ("Solde débiteur", "euros"), ("Solde créditeur", "euros")),
    ),
    "journaux": (
        *(("Journal", "text"), ("Numéro", "number"), ("Date", "day"), ("Compte", "text"), ("Intitulé", "text")),
        *(("Tiers", "text"), ("Nom du tiers", "text"), ("Pièce", "text"), ("Date de la pièce", "day")),
        *(("Libellé", "text"), ("Débit", "euros"), ("Crédit", "euros")),
    ),
    "grand-livre": (
        *(("Compte", "text"), ("Intitulé", "text"), ("Date", "day"), ("Journal", "text"), ("Numéro", "number")),
        *(("Tiers", "text"), ("Pièce", "text"), ("Date de la pièce", "day"), ("Libellé", "text")),
        *(("Débit", "euros"), ("Crédit", "euros"), ("Solde", "euros")),
    ),
    "tva": (("Taux", "text"), ("Hors taxe", "euros"), ("Taxe", "euros"), ("Toutes taxes comprises", "euros")),
}
_BATCH: Final = 5_000
# A sheet holds no more rows than that (ECMA-376, as every program keeps it).
SHEET_ROWS_MAX: Final = 1_048_576
# A cell that begins with one of these is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Sequence[Any]
"""Values in the order of the layout: text, date, whole number; euros as cents."""


async def rows(table: Table, fetch: store.Fetch, stretch: Stretch) -> AsyncIterator[Row]:
    if table == "balance":
        for it in stretch.trial_balance():
            yield it.account, it.name, it.opening, it.debit, it.credit, max(0, it.closing), max(0, -it.closing)
    elif table == "tva":
        for vat in stretch.vat():
            yield "sans taux" if vat.rate is None else percent(vat.rate), vat.net, vat.tax, vat.net + vat.tax
    elif table == "journaux":
        async for row in _journals(fetch, stretch):
            yield row
    else:
        async for row in _ledger(fetch, stretch):
            yield row


async def _journals(fetch: store.Fetch, stretch: Stretch) -> AsyncIterator[Row]:
    names, parties = stretch.names, stretch.parties
    for code, of in stretch.journals().items():
        async for it in store.lines(fetch, stretch.books.id, stretch.exercise, code, of.first, of.last):
            party = parties.get(it.party, ("", ""))
            head = (it.journal, it.number, it.day, it.account, names[it.account], *party)
            yield (*head, it.piece, it.piece_day, it.label, it.debit, it.credit)


async def _ledger(fetch: store.Fetch, stretch: Stretch) -> AsyncIterator[Row]:
    """Account by account and by the days, with the balance after each line; what was there before stands first."""
    parties = stretch.parties
    for account in stretch.trial_balance():
        balance, first_day = account.opening, stretch.first_day
        head = (account.account, account.name)
        if balance:
            yield (*head, first_day, "", None, "", "", first_day, "Solde initial", 0, 0, balance)
        for month in stretch.months:
            async for it in _by_day(fetch, stretch, month, account.account):
                balance += it.debit - it.credit
                party = parties.get(it.party, ("", ""))[0]
                place = (it.day, it.journal, it.number, party, it.piece, it.piece_day, it.label)
                yield (*head, *place, it.debit, it.credit, balance)


async def _by_day(fetch: store.Fetch, stretch: Stretch, month: Sealed, account: str) -> AsyncIterator[Any]:
    """An account's lines of a month. Within a month each journal is numbered by the days, so its journals are merged as
    they are read."""
    figures = month.document.books
    streams = [
        store.account_lines(fetch, stretch.books.id, stretch.exercise, account, code, of.first, of.last)
        for code, of in (figures.journals if figures else {}).items()
    ]
    heads = [(await anext(it, None), it) for it in streams]
    while heads := [(row, it) for row, it in heads if row is not None]:
        soonest = min(range(len(heads)), key=lambda place: heads[place][0].day)
        row, stream = heads[soonest]
        yield row
        heads[soonest] = (await anext(stream, None), stream)


async def as_csv(table: Table, found: AsyncIterator[Row]) -> AsyncIterator[bytes]:
    """With a mark of the encoding, so that spreadsheets read accents."""
    layout = LAYOUTS[table]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([name for name, _ in layout])
    yield b"\xef\xbb\xbf"
    waiting = 0
    async for row in found:
        writer.writerow([_text(value, kind) for value, (_, kind) in zip(row, layout, strict=True)])
        waiting += 1
        if waiting >= _BATCH:
            yield _taken(out)
            waiting = 0
    yield _taken(out)


async def as_xlsx(table: Table, found: AsyncIterator[Row]) -> AsyncIterator[bytes]:
    """Written to a temporary file row by row, then read in parts."""
    with tempfile.TemporaryDirectory(prefix="comptoir-xlsx-") as folder:
        path = Path(folder) / "books.xlsx"
        book = _Workbook(path, table)
        batch: list[Row] = []
        async for row in found:
            batch.append(row)
            if len(batch) >= _BATCH:
                await asyncio.to_thread(book.write, batch)
                batch = []
        await asyncio.to_thread(book.write, batch)
        await asyncio.to_thread(book.close)
        with path.open("rb") as file:
            while part := file.read(1 << 16):
                yield part


@dataclass(slots=True)
class _Workbook:
    """One table in as many sheets as it needs. Nothing of a sheet stays in memory but its last row."""

    path: Path
    table: Table
    _book: Any = None
    _sheet: Any = None
    _formats: Any = None
    _row: int = SHEET_ROWS_MAX

    def write(self, found: Sequence[Row]) -> None:
        self._open()
        kinds = [kind for _, kind in LAYOUTS[self.table]]
        for values in found:
            if self._row >= SHEET_ROWS_MAX:
                self._next_sheet()
            for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
                self._cell(column, value, kind)
            self._row += 1

    def close(self) -> None:
        self._open()
        self._book.close()

    def _open(self) -> None:
        if self._book is not None:
            return
        self._book = xlsxwriter.Workbook(self.path, {"constant_memory": True, "strings_to_formulas": False})
        self._formats = {
            "day": self._book.add_format({"num_format": "dd/mm/yyyy"}),
            "euros": self._book.add_format({"num_format": "#,##0.00"}),
            "head": self._book.add_format({"bold": True}),
        }
        self._next_sheet()

    def _next_sheet(self) -> None:
        number = len(self._book.worksheets()) + 1
        self._sheet = self._book.add_worksheet(self.table if number == 1 else f"{self.table} {number}")
        self._sheet.freeze_panes(1, 0)
        for column, (name, kind) in enumerate(LAYOUTS[self.table]):
            self._sheet.set_column(column, column, {"euros": 14, "day": 11, "number": 9}.get(kind, 20))
            self._sheet.write_string(0, column, name, self._formats["head"])
        self._row = 1

    def _cell(self, column: int, value: Any, kind: Kind) -> None:
        if value is None or value == "":
            return
        if kind == "euros":
            # A double holds every sum of cents that books reach to the cent.
            self._sheet.write_number(self._row, column, value / 100, self._formats["euros"])
        elif kind == "day":
            self._sheet.write_datetime(self._row, column, value, self._formats["day"])
        elif kind == "number":
            self._sheet.write_number(self._row, column, value)
        else:
            self._sheet.write_string(self._row, column, value)


def _text(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "euros":
        return str(Decimal(value).scaleb(-2).quantize(Decimal("0.01"))).replace(".", ",")
    if kind == "day" and isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    text = str(value)
    return f"'{text}" if kind == "text" and text.startswith(_FORMULA) else text


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()
