"""The statement of an event's receipts to print and to sign: A4, text that can be searched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

import app.accounting
from app.dashboards.sections import Section, said
from app.web import Texts

_FONTS: Final = Path(app.accounting.__file__).parent / "fonts"
_FAMILY: Final = "Comptoir"


def statement_pdf(title: str, lines: Sequence[str], sections: Sequence[Section], made: str, texts: Texts) -> bytes:
    """`lines`: what stands under the title; `made`: when and by which server it was drawn up."""
    pdf = _Page(made)
    pdf.set_lang(texts.language)
    pdf.set_title(title)
    pdf.set_font(_FAMILY, "B", 17)
    pdf.multi_cell(0, 8, title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(_FAMILY, "", 10.5)
    for line in lines:
        pdf.multi_cell(0, 5.5, line, new_x="LMARGIN", new_y="NEXT")
    for section in sections:
        pdf.section(section, texts)
    pdf.ln(8)
    pdf.set_font(_FAMILY, "", 10)
    pdf.cell(0, 6, texts.gettext("Drawn up on, by, signature:"), new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


class _Page(FPDF):
    def __init__(self, made: str) -> None:
        # Ten columns of figures need the width.
        super().__init__(orientation="landscape", format="A4")
        self._made = made
        for style, weight in (("", 400), ("B", 700)):
            self.add_font(_FAMILY, style, _FONTS / f"comptoir-text-{weight}.ttf")
        self.set_margin(15)
        self.set_auto_page_break(True, 18)
        self.alias_nb_pages()
        self.add_page()

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FAMILY, "", 8)
        self.cell(0, 5, f"{self._made} · {self.page_no()}/{{nb}}", align="C")

    def section(self, it: Section, texts: Texts) -> None:
        self.ln(5)
        self.set_font(_FAMILY, "B", 12)
        self.cell(0, 8, it.heading, new_x="LMARGIN", new_y="NEXT")
        self.set_font(_FAMILY, "", 9)
        if not it.table.rows:
            self.cell(0, 6, texts.gettext("Nothing."), new_x="LMARGIN", new_y="NEXT")
            return
        rows = [*it.table.rows, *([it.table.total] if it.table.total else [])]
        with self.table(
            col_widths=tuple(26 if place == 0 else 14 for place in range(len(it.table.heads))),
            text_align=tuple("R" if kind == "number" else "L" for _, kind in it.table.heads),
            line_height=5.2,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD"),
        ) as table:
            heads = table.row()
            for name, _ in it.table.heads:
                heads.cell(name)
            for cells in rows:
                row = table.row()
                for cell in cells:
                    row.cell("" if cell is None else said(cell, texts))
        if it.note:
            self.set_font(_FAMILY, "", 8)
            self.multi_cell(0, 4, it.note, new_x="LMARGIN", new_y="NEXT")
