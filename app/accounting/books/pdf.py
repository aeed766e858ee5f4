"""The statement of a month, or of several, as PDF: text that can be read aloud and searched, fonts inside, A4.

Written with fpdf2 (pure Python, LGPL) and the letters of the pages, as TrueType in the folder `fonts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from app.accounting.books.chart import percent
from app.accounting.books.entries import JOURNALS
from app.accounting.books.periods import Stretch
from app.accounting.books.words import day_said
from app.money import Unit, format_amount
from app.web import Texts

_FONTS: Final = Path(__file__).parents[1] / "fonts"
_FAMILY: Final = "Comptoir"


def statement_pdf(stretch: Stretch, texts: Texts, digests: Sequence[str]) -> bytes:
    """`digests`: the seals of its months, in hexadecimal."""
    pdf = _Page(stretch, texts)
    pdf.figures(_vat(stretch, texts), texts.gettext("Sales and VAT by rate"), "LRRR", (18, 20, 20, 20))
    pdf.figures(_accounts(stretch, texts), texts.gettext("Accounts"), "LLRRRR", (11, 30, 15, 15, 15, 15))
    pdf.figures(_journals(stretch, texts), texts.gettext("Entries"), "LLRR", (12, 30, 20, 20))
    pdf.note(texts.gettext("Sealed: %(digests)s", digests=", ".join(it[:16] for it in digests)))
    return bytes(pdf.output())


Rows = list[tuple[str, ...]]


def euros(cents: int, texts: Texts) -> str:
    return format_amount(cents, Unit.CENT, "€", texts.language)


def _vat(stretch: Stretch, texts: Texts) -> Rows:
    rows = stretch.vat()
    head = (texts.gettext("Rate"), texts.gettext("Without tax"), texts.gettext("Tax"), texts.gettext("With tax"))
    named = [
        (
            texts.gettext("no rate") if it.rate is None else percent(it.rate),
            *(euros(cents, texts) for cents in (it.net, it.tax, it.net + it.tax)),
        )
        for it in rows
    ]
    net, tax = sum(it.net for it in rows), sum(it.tax for it in rows)
    total = (texts.gettext("In all"), *(euros(cents, texts) for cents in (net, tax, net + tax)))
    return [head, *named, total] if rows else [head]


def _accounts(stretch: Stretch, texts: Texts) -> Rows:
    head = (
        *(texts.gettext("Account"), texts.gettext("Name"), texts.gettext("Before")),
        *(texts.gettext("Debit"), texts.gettext("Credit"), texts.gettext("After")),
    )
    rows = [
        (it.account, it.name, *(euros(cents, texts) for cents in (it.opening, it.debit, it.credit, it.closing)))
        for it in stretch.trial_balance()
    ]
    return [head, *rows]


def _journals(stretch: Stretch, texts: Texts) -> Rows:
    head = (
        *(texts.gettext("Journal"), texts.gettext("Name")),
        *(texts.gettext("Numbers"), texts.gettext("On either side")),
    )
    rows = [
        (code, JOURNALS[code], f"{of.first} – {of.last}", euros(of.cents, texts))
        for code, of in stretch.journals().items()
    ]
    return [head, *rows]


class _Page(FPDF):
    def __init__(self, stretch: Stretch, texts: Texts) -> None:
        super().__init__(format="A4")
        self._texts, self._books = texts, stretch.books
        for style, weight in (("", 400), ("B", 700)):
            self.add_font(_FAMILY, style, _FONTS / f"comptoir-text-{weight}.ttf")
        title = texts.gettext("Statement of the books")
        self.set_lang(texts.language)
        self.set_title(f"{title}, {stretch.books.legal_name}, {stretch.first_day:%Y-%m}")
        self.set_margin(18)
        self.set_auto_page_break(True, 20)
        self.alias_nb_pages()
        self.add_page()
        self.set_font(_FAMILY, "B", 18)
        self.multi_cell(0, 9, stretch.books.legal_name, new_x="LMARGIN", new_y="NEXT")
        self.set_font(_FAMILY, "", 11)
        said = texts.gettext(
            "%(title)s, from %(first)s to %(last)s",
            title=title,
            first=day_said(stretch.first_day, texts),
            last=day_said(stretch.last_day, texts),
        )
        self.multi_cell(0, 6, said, new_x="LMARGIN", new_y="NEXT")
        if stretch.books.siren:
            self.cell(0, 6, f"SIREN {stretch.books.siren}", new_x="LMARGIN", new_y="NEXT")
        self.ln(4)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(_FAMILY, "", 8)
        self.cell(0, 5, f"{self._books.legal_name}, {self.page_no()}/{{nb}}", align="C")

    def figures(self, rows: Rows, title: str, align: str, widths: tuple[int, ...]) -> None:
        """The first row is the head; `align`: a letter for each column."""
        self.set_font(_FAMILY, "B", 12)
        self.cell(0, 8, title, new_x="LMARGIN", new_y="NEXT")
        self.set_font(_FAMILY, "", 9)
        if len(rows) == 1:
            self.cell(0, 6, self._texts.gettext("Nothing."), new_x="LMARGIN", new_y="NEXT")
            return
        with self.table(
            col_widths=widths,
            text_align=tuple(align),
            line_height=5.2,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD"),
        ) as table:
            for cells in rows:
                row = table.row()
                for cell in cells:
                    row.cell(cell)
        self.ln(5)

    def note(self, text: str) -> None:
        self.set_font(_FAMILY, "", 8)
        self.multi_cell(0, 4, text, new_x="LMARGIN", new_y="NEXT")
