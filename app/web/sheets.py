"""Tables as files for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import xlsxwriter
from starlette.responses import Response

from app.web.i18n import Texts

# A cell that begins with one of these is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(name: str, texts: Texts, rows: Iterable[Iterable[Any]]) -> Response:
    """A table for the spreadsheet of the reader's country."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if texts.language == "fr" else ",")
    for row in rows:
        writer.writerow([f"'{it}" if str(it).startswith(_FORMULA) else it for it in row])
    return _file(name, out.getvalue().encode("utf-8-sig"), "text/csv")


def as_xlsx(name: str, rows: Sequence[Sequence[str | date | float]]) -> Response:
    """The same as a workbook of one sheet; the first row holds the heads."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        head, day = book.add_format({"bold": True}), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet(name.partition(".")[0][:31])
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(rows[0]) - 1, 20)
        for number, row in enumerate(rows):
            for column, it in enumerate(row):
                if isinstance(it, date):
                    sheet.write_datetime(number, column, it, day)
                elif isinstance(it, str):
                    sheet.write_string(number, column, it, None if number else head)
                else:
                    sheet.write_number(number, column, it)
    return _file(name, out.getvalue(), _XLSX)


def _file(name: str, content: bytes, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
