"""Labels as they come out of a printer: read back from the PDF, code by code, where each lies on the sheet."""

from __future__ import annotations

import pypdfium2
import pytest
import zxingcpp

from app.carddesk.labels import SHEETS, Label, Sheet, labels_pdf, single

MM_PER_POINT = 25.4 / 72
# Pixels of the picture for each point: about 12 for a millimetre, 5 for a module of the smallest code.
SCALE = 4
PIXELS_PER_MM = SCALE / MM_PER_POINT


# Of a code with an address of this length, level M (version 4).
MODULES = 33


def drawn_within(page: pypdfium2.PdfPage, corner: tuple[float, float], sheet: Sheet) -> tuple[float, ...]:
    """What the code in this label covers: left, top, right, bottom in millimetres from the label's corner."""
    (x, y), (wide, high) = corner, sheet.label
    boxes = []
    for it in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH]):
        left, bottom, right, top = (edge * MM_PER_POINT for edge in it.get_bounds())
        left, top, right, bottom = left - x, sheet.page[1] - top - y, right - x, sheet.page[1] - bottom - y
        if 0 <= left < wide and 0 <= top < high:
            boxes.append((left, top, right, bottom))
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def label(number: int) -> Label:
    return Label(f"Carte {number:03}", f"https://cartes.exemple.fr/c/{number:022}")


@pytest.mark.parametrize(
    "sheet", [*(SHEETS[it] for it in ("l7160", "3474", "l7651")), single(54, 25), single(25, 40)], ids=str
)
def test_each_code_is_read_where_its_label_is(sheet: Sheet) -> None:
    skip = min(2, sheet.labels - 1)
    printed = [label(number) for number in range(sheet.labels - skip + 1)]
    document = pypdfium2.PdfDocument(labels_pdf(printed, "Les Comptoirs liés", sheet, skip=skip))
    assert len(document) == 2, "one label is on the next page"
    corners = list(sheet.corners())
    found = []
    for page, begin in zip(document, (skip, 0), strict=True):
        width, height = (it * MM_PER_POINT for it in page.get_size())
        assert (width, height) == pytest.approx(sheet.page, abs=0.01)
        codes = zxingcpp.read_barcodes(page.render(scale=SCALE).to_pil())
        drawn = [drawn_within(page, corner, sheet) for corner in corners[begin : begin + len(codes)]]
        for place, code in enumerate(sorted(codes, key=lambda it: it.text), begin):
            (x, y), (wide, high) = corners[place], sheet.label
            at = code.position.top_left.x / PIXELS_PER_MM, code.position.bottom_right.y / PIXELS_PER_MM
            assert (x < at[0] < x + wide, y < at[1] < y + high) == (True, True), code.text
            found.append(code.text)
        for left, top, right, bottom in drawn:
            assert right - left == pytest.approx(bottom - top, abs=0.01), "square"
            module = (right - left) / MODULES
            around = min(left, top, sheet.label[0] - right, sheet.label[1] - bottom)
            assert around >= 4 * module + 1.99, "four modules and two millimetres stay white"
            assert module > 0.35, "wide enough for a phone"
        said = page.get_textpage().get_text_range()
        assert "Carte 0" in said
        assert "Les Comptoirs liés" in said
    assert sorted(found) == [it.address for it in printed]


def test_what_is_too_long_keeps_the_number() -> None:
    long = Label("Carte de la fête de la rivière 0042", "https://cartes.exemple.fr/c/" + "0" * 22)
    page = pypdfium2.PdfDocument(labels_pdf([long], "Une association au nom très long", SHEETS["l7651"]))[0]
    said = page.get_textpage().get_text_range()
    assert "0042" in said
    assert "fête" not in said
