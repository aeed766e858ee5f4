"""Pictures and tables of a dashboard as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import resvg_py
import xlsxwriter
from starlette.responses import Response

import app.accounting
from app.dashboards.drawing.svg import Drawing, as_file
from app.dashboards.sections import Amount, Cell, Section
from app.money import Unit
from app.platform.errors import NotFound
from app.settlement.positions_csv import cell, figure
from app.web import Texts

Form = Literal["svg", "png", "csv", "xlsx"]
_TYPES: Final = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_SHEET_NAME_MAX: Final = 31
_FONTS: Final = Path(app.accounting.__file__).parent / "fonts"
_FONT: Final = "Comptoir Text"


def file_of(sections: Iterable[Section], name: str, form: Form, stem: str, texts: Texts) -> Response:
    """Section `name` as a file. NotFound: there is no such section, or nothing in it to draw."""
    found = next((it for it in sections if it.name == name), None)
    if found is None:
        raise NotFound("There is no such picture or table.")
    if form == "csv":
        content = _as_csv(found, texts)
    elif form == "xlsx":
        content = _as_xlsx(found)
    elif found.picture is None:
        raise NotFound("There is no such picture or table.")
    else:
        return picture_of(found.picture.wide, form, f"{stem}-{name}")
    headers = {"Content-Disposition": f'attachment; filename="{stem}-{name}.{form}"', "Cache-Control": "no-store"}
    return Response(content, media_type=_TYPES[form], headers=headers)


def picture_of(drawing: Drawing, form: Literal["svg", "png"], stem: str) -> Response:
    """A picture as a file."""
    drawn = as_file(drawing)
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{form}"', "Cache-Control": "no-store"}
    return Response(drawn.encode() if form == "svg" else _as_png(drawn), media_type=_TYPES[form], headers=headers)


def _as_png(drawn: str) -> bytes:
    """With our own letters, twice as fine as on a page, so that it can be printed."""
    return resvg_py.svg_to_bytes(
        svg_string=drawn, zoom=2, skip_system_fonts=True, font_dirs=[str(_FONTS)], font_family=_FONT
    )


def _as_csv(section: Section, texts: Texts) -> bytes:
    """As spreadsheets of the reader's language read it; the sum is left to them."""
    french = texts.language == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",")
    writer.writerow([cell(name) for name, _ in section.table.heads])
    for row in section.table.rows:
        writer.writerow([_text(it, french=french) for it in row])
    return out.getvalue().encode("utf-8-sig")


def _text(it: Cell, *, french: bool) -> str:
    match it:
        case None:
            return ""
        case Amount():
            return figure(it.minor, it.currency.unit, french)
        case str():
            return cell(it)
        case Fraction() if it.denominator != 1:
            return f"{float(it):.2f}".replace(".", "," if french else ".")
    return str(it)


def _as_xlsx(section: Section) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        formats = {
            "head": book.add_format({"bold": True}),
            "cents": book.add_format({"num_format": "#,##0.00"}),
            "day": book.add_format({"num_format": "dd/mm/yyyy"}),
        }
        sheet = book.add_worksheet(section.name[:_SHEET_NAME_MAX])
        sheet.freeze_panes(1, 0)
        for column, (name, kind) in enumerate(section.table.heads):
            sheet.set_column(column, column, 24 if kind == "text" else 16)
            sheet.write_string(0, column, name, formats["head"])
        for number, row in enumerate(section.table.rows, start=1):
            for column, it in enumerate(row):
                match it:
                    case Amount() if it.currency.unit is Unit.CENT:
                        sheet.write_number(number, column, it.minor / 100, formats["cents"])
                    case Amount():
                        sheet.write_number(number, column, it.minor)
                    case date():
                        sheet.write_datetime(number, column, it, formats["day"])
                    case int() | Fraction():
                        sheet.write_number(number, column, float(it))
                    case str():
                        sheet.write_string(number, column, it)
    return out.getvalue()
