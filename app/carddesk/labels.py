"""QR labels of cards as PDF, in exact millimetres and drawn as vectors: nothing blurs, whatever prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import segno
from fpdf import FPDF

import app.accounting
from app.web import N_

_FONTS: Final = Path(app.accounting.__file__).parent / "fonts"
_FAMILY: Final = "Comptoir"
# Of a label, in millimetres: what stays white around everything, and the least height of letters that is read.
_PADDING: Final = 2.0
_LETTERS_MIN, _LETTERS_MAX = 1.6, 5.0
# Modules that stay white around a code (ISO/IEC 18004, 5.3.8).
_QUIET: Final = 4
SIZE_MIN, SIZE_MAX = 15.0, 210.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of labels; all in millimetres. `left`, `top`: where the first label begins; `across`, `down`: from one
    label's edge to the next one's."""

    said: str
    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    left: float = 0.0
    top: float = 0.0
    across: float = 0.0
    down: float = 0.0

    @property
    def labels(self) -> int:
        return self.columns * self.rows

    def corners(self) -> Iterator[tuple[float, float]]:
        """The upper left corner of each label, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield self.left + column * self.across, self.top + row * self.down


_A4: Final = (210.0, 297.0)
# As the makers' templates have them (Avery L7160, 3474, L7651).
SHEETS: Final[Mapping[str, Sheet]] = {
    "l7160": Sheet(N_("A4, 21 labels of 63.5 × 38.1 mm (Avery L7160)"), _A4, 3, 7, (63.5, 38.1), 7.25, 15.15, 66, 38.1),
    "3474": Sheet(N_("A4, 24 labels of 70 × 37 mm (Avery 3474)"), _A4, 3, 8, (70.0, 37.0), 0.0, 0.5, 70.0, 37.0),
    "l7651": Sheet(
        N_("A4, 65 labels of 38.1 × 21.2 mm (Avery L7651)"), _A4, 5, 13, (38.1, 21.2), 4.75, 10.7, 40.6, 21.2
    ),
    "single": Sheet(N_("One label a page, for a label printer"), (54.0, 25.0), 1, 1, (54.0, 25.0)),
}


@dataclass(frozen=True, slots=True)
class Label:
    """`text`: what is printed beside the code, of which `address` is the content. `code`: by which its holder takes the
    card into an account."""

    text: str
    address: str
    code: str = ""


def single(width: float, height: float) -> Sheet:
    """One label a page, of this size in millimetres."""
    return replace(SHEETS["single"], page=(width, height), label=(width, height))


def labels_pdf(labels: Sequence[Label], network: str, sheet: Sheet, *, skip: int = 0) -> bytes:
    """`skip`: places of the first page that are used already. Takes about 5 ms a label: not in the event loop."""
    pdf = FPDF(unit="mm", format=sheet.page)
    for style, weight in (("", 400), ("B", 700)):
        pdf.add_font(_FAMILY, style, _FONTS / f"comptoir-text-{weight}.ttf")
    pdf.set_title(network)
    pdf.set_margin(0)
    pdf.set_auto_page_break(False)
    corners = list(sheet.corners())
    for place, it in enumerate(labels, skip % sheet.labels):
        if place % sheet.labels == 0 or pdf.page_no() == 0:
            pdf.add_page()
        _draw(pdf, corners[place % sheet.labels], sheet.label, it, network)
    return bytes(pdf.output())


def _draw(pdf: FPDF, corner: tuple[float, float], size: tuple[float, float], it: Label, network: str) -> None:
    """The code on the left and the words beside it; on an upright label the words are under it."""
    (x, y), (width, height) = corner, size
    beside = width >= height * 1.4
    room = (height if beside else min(width, height * 0.72)) - 2 * _PADDING
    top = y + _PADDING
    left = x + _PADDING if beside else x + (width - room) / 2
    _code(pdf, it.address, left, top, room)
    if beside:
        box = (left + room + 1, y + _PADDING, width - room - 2 * _PADDING - 1, height - 2 * _PADDING)
    else:
        box = (x + _PADDING, top + room, width - 2 * _PADDING, height - room - 2 * _PADDING)
    _words(pdf, it, network, box)


def _code(pdf: FPDF, address: str, left: float, top: float, room: float) -> None:
    """Each run of dark modules of a row is one rectangle, so that a row has no seams."""
    rows = segno.make(address, error="m", micro=False).matrix
    module = room / (len(rows) + 2 * _QUIET)
    left, top = left + _QUIET * module, top + _QUIET * module
    for number, row in enumerate(rows):
        for begin, end in _runs(row):
            pdf.rect(left + begin * module, top + number * module, (end - begin) * module, module, style="F")


def _runs(row: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin and end."""
    begin: int | None = None
    for place, dark in enumerate((*row, 0)):
        if dark and begin is None:
            begin = place
        elif not dark and begin is not None:
            yield begin, place
            begin = None


def _words(pdf: FPDF, it: Label, network: str, box: tuple[float, float, float, float]) -> None:
    """The card's label, bold and as large as fits, and under it the network's name and the code."""
    x, y, width, height = box
    large = _fitting(pdf, "B", it.text, width, min(_LETTERS_MAX, height * 0.4))
    small = _fitting(pdf, "", network, width, min(2.6, height * 0.3))
    code = _fitting(pdf, "", it.code, width, min(2.6, height * 0.2))
    middle = y + height / 2 - (code if it.code else 0)
    lines = [("B", it.text, large, middle), ("", network, small, middle + small * 1.7)]
    if it.code:
        lines.append(("", it.code, code, middle + small * 1.7 + code * 1.7))
    for style, said, letters, base in lines:
        pdf.set_font(_FAMILY, style, letters * pdf.k)
        pdf.text(x, base, _cut(pdf, said, width, keep_end=style == "B"))


def _fitting(pdf: FPDF, style: str, text: str, width: float, most: float) -> float:
    """The height of letters, in millimetres, with which the text fills the room; not below what can be read."""
    pdf.set_font(_FAMILY, style, most * pdf.k)
    wide: float = pdf.get_string_width(text)
    return max(_LETTERS_MIN, most * min(1.0, 0.99 * width / wide)) if wide else most


def _cut(pdf: FPDF, text: str, width: float, *, keep_end: bool) -> str:
    """What of it fits. Of a card's label the end is kept, where its number is."""
    cut = text
    while len(cut) > 1 and pdf.get_string_width(cut if cut == text else f"{cut}…") > width:
        cut = cut[1:] if keep_end else cut[:-1]
    if cut == text:
        return text
    return f"…{cut.strip()}" if keep_end else f"{cut.strip()}…"
