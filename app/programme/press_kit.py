"""An artist's press kit: one ZIP with a page to print (PDF), the texts, and the photos as large as they are kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fpdf import FPDF

import app.accounting
from app.artists.service import Artist
from app.programme.rules import Show, paragraphs
from app.web import Texts
from app.web.dates import moment

_FONTS: Final = Path(app.accounting.__file__).parent / "fonts"
_FAMILY: Final = "Comptoir"
_WIDE_MM: Final = 174


def press_kit(artist: Artist, photos: Sequence[bytes], coming: Sequence[Show], address: str, texts: Texts) -> bytes:
    """The ZIP. `photos`: JPEG, in the order of the artist's; `address`: of the public page. Not in the event loop."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kit:
        kit.writestr(f"{artist.slug}.pdf", _pdf(artist, photos, coming, address, texts))
        kit.writestr(f"{artist.slug}.txt", _text(artist, coming, address, texts))
        for number, (photo, content) in enumerate(zip(artist.photos, photos, strict=True), 1):
            credit = f"-{_file_name(photo.credit)}" if _file_name(photo.credit) else ""
            # A JPEG is packed already.
            kit.writestr(f"photos/{artist.slug}-{number}{credit}.jpg", content, zipfile.ZIP_STORED)
    return out.getvalue()


def _text(artist: Artist, coming: Sequence[Show], address: str, texts: Texts) -> str:
    lines = [artist.name, *filter(None, (artist.line_fr, artist.line_en)), ""]
    for words in filter(None, (artist.words_fr, artist.words_en)):
        lines += [words, ""]
    lines += [f"{label}: {url}" for label, url in artist.links] + ["", address, ""]
    lines += [_date(it, texts) for it in coming]
    lines += [texts.gettext("Photo: %(name)s", name=it.credit) for it in artist.photos if it.credit]
    return "\n".join(lines).strip() + "\n"


def _date(show: Show, texts: Texts) -> str:
    return f"{moment(show.begins_us, show.place.zone, texts)}, {show.place.name}: {show.title(texts.language)}"


def _pdf(artist: Artist, photos: Sequence[bytes], coming: Sequence[Show], address: str, texts: Texts) -> bytes:
    pdf = FPDF(format="A4")
    for style, weight in (("", 400), ("B", 700)):
        pdf.add_font(_FAMILY, style, _FONTS / f"comptoir-text-{weight}.ttf")
    pdf.set_lang(texts.language)
    pdf.set_title(artist.name)
    pdf.set_margin(18)
    pdf.set_auto_page_break(True, 18)
    pdf.add_page()
    if photos:
        first = artist.photos[0]
        tall = min(_WIDE_MM * first.height / first.width, 110)
        pdf.image(io.BytesIO(photos[0]), w=_WIDE_MM, h=tall, keep_aspect_ratio=True, alt_text=artist.name)
        _line(pdf, texts.gettext("Photo: %(name)s", name=first.credit) if first.credit else "", 8)
        pdf.ln(4)
    _line(pdf, artist.name, 24, "B")
    _line(pdf, artist.line(texts.language), 13)
    pdf.ln(3)
    for words in paragraphs(artist.words(texts.language)):
        _line(pdf, words, 11)
        pdf.ln(2)
    if coming:
        _line(pdf, texts.gettext("Dates"), 13, "B")
        for it in coming:
            _line(pdf, _date(it, texts), 10)
        pdf.ln(2)
    for label, url in (*artist.links, (texts.gettext("Programme"), address)):
        pdf.set_font(_FAMILY, "", 10)
        pdf.multi_cell(0, 5.5, f"{label}: {url}", new_x="LMARGIN", new_y="NEXT", link=url)
    return bytes(pdf.output())


def _line(pdf: FPDF, text: str, points: int, style: str = "") -> None:
    if text:
        pdf.set_font(_FAMILY, style, points)
        pdf.multi_cell(0, points * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")


def _file_name(text: str) -> str:
    """A credit as a part of a file's name."""
    kept = "".join(it if it.isalnum() else "-" for it in text)
    return "-".join(filter(None, kept.split("-")))[:40]
