"""A bank's export as CSV: every bank names and orders its columns as it likes, so they are found by their headings."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

from app.banking.rules.lines import Line, NotAStatement, Statement

# Headings in French and English, without accents and signs, in lower case; the first that is there counts.
COLUMNS: Mapping[str, Sequence[str]] = {
    "day": (
        "date",
        "date operation",
        "date de l operation",
        "date de comptabilisation",
        "booking date",
        "date comptable",
    ),
    "amount": ("montant", "amount", "montant eur", "montant de l operation", "montant euros"),
    "debit": ("debit", "debit euros", "debit eur"),
    "credit": ("credit", "credit euros", "credit eur"),
    "text": ("libelle", "libelle operation", "libelle de l operation", "description", "label", "text", "communication"),
    "party": ("contrepartie", "nom de la contrepartie", "tiers", "counterparty", "name", "beneficiaire"),
    "party_iban": ("iban", "iban de la contrepartie", "counterparty iban", "compte de la contrepartie"),
    "reference": ("reference", "ref", "end to end", "reference operation", "numero de reference"),
}
_DAY_FORMS = (
    re.compile(r"(?P<d>\d{1,2})[/.\-](?P<m>\d{1,2})[/.\-](?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
)
_AMOUNT = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d{1,15})(?:[.,](?P<part>\d{1,2}))?")


def read_csv(content: bytes, iban: str) -> Statement:
    """`iban`: the account, which such a file rarely names. Raises NotAStatement."""
    rows = _rows(content)
    for number, row in enumerate(rows):
        heads = [_plain(it) for it in row]
        found = {name: heads.index(it) for name, known in COLUMNS.items() for it in known[::-1] if it in heads}
        if "day" in found and ("amount" in found or {"debit", "credit"} <= found.keys()):
            lines = [_line(it, found, at) for at, it in enumerate(rows[number + 1 :], number + 2) if any(it)]
            if not lines:
                raise NotAStatement("no-lines")
            return Statement(iban, lines)
    raise NotAStatement("no-columns")


def _rows(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    # A decimal comma stands in most lines too, so of two that are as frequent the semicolon is the separator.
    separator = max((";", "\t", ","), key=text.count)
    try:
        return [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        ]
    except csv.Error as error:
        raise NotAStatement("no-columns") from error


def _line(row: Sequence[str], found: Mapping[str, int], at: int) -> Line:
    def cell(name: str) -> str:
        place = found.get(name)
        return row[place] if place is not None and place < len(row) else ""

    if "amount" in found:
        cents = _cents(cell("amount"), at)
    else:
        debit, credit = cell("debit"), cell("credit")
        cents = (_cents(credit, at) if credit else 0) - (abs(_cents(debit, at)) if debit else 0)
    if not cents:
        raise NotAStatement("bad-amount", str(at))
    return Line(
        _day(cell("day"), at),
        cents,
        cell("party"),
        cell("party_iban").replace(" ", ""),
        cell("text"),
        cell("reference"),
    )


def _cents(text: str, at: int) -> int:
    """12,50 or -1 234.50; spaces of any kind and the sign of the euro are left out."""
    bare = re.sub(r"[\s\u00a0\u202f€]|EUR", "", text).replace("−", "-")
    # 1.234,50 or 1,234.50: of two signs the last is the decimal one.
    bare = re.sub(r"[.,](?=\d{3}(?:[.,]\d))", "", bare)
    match = _AMOUNT.fullmatch(bare)
    if match is None:
        raise NotAStatement("bad-amount", str(at))
    cents = int(match["whole"]) * 100 + int((match["part"] or "0").ljust(2, "0"))
    return -cents if match["sign"] == "-" else cents


def _day(text: str, at: int) -> date:
    for form in _DAY_FORMS:
        if match := form.fullmatch(text):
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                break
    raise NotAStatement("bad-day", str(at))


def _plain(heading: str) -> str:
    bare = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]+", " ", bare.lower()).strip()
