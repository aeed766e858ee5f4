"""The file of entries for the tax office (fichier des écritures comptables, FEC).

LPF art. A47 A-1 (arrêté du 29 juillet 2013), as BOI-CF-IOR-60-40-20 comments on it: one file for an exercise of one
SIREN; a header and then a line for each line of an entry, in the order of validation; 18 fields, set apart by tabs;
days as AAAAMMJJ, amounts with a decimal comma; both sides of every line are told, one of them 0,00. What was carried
over comes first. The article lists ISO 8859-15 among its character sets; what that cannot hold is written in letters
that it can. No entries that only clear income and costs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from app.accounting.books import store
from app.accounting.books.entries import JOURNALS
from app.accounting.books.keeping import Books
from app.platform.errors import Invalid
from app.sales.closings.store import Sealed

COLUMNS: Final = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum"),
    *("CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet"),
    *("ValidDate", "Montantdevise", "Idevise"),
)
ENCODING: Final = "iso8859-15"
LINE_END: Final = "\r\n"
_CHUNK: Final = 2_000
_LETTERS: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u202f": " "})


def file_name(books: Books, last_day: date) -> str:
    """<SIREN>FEC<AAAAMMJJ>.txt, the day being that on which the exercise ends. Invalid: nobody told the SIREN."""
    if not books.siren:
        raise Invalid(
            "The file for the tax office bears the SIREN of whose books they are: enter it first.", "no-siren"
        )
    return f"{books.siren}FEC{last_day:%Y%m%d}.txt"


async def fec(fetch: store.Fetch, books: Books, months: Sequence[Sealed]) -> AsyncIterator[bytes]:
    """The file, in pieces. `months`: closed months of one exercise, the oldest first."""
    yield _encoded("\t".join(COLUMNS) + LINE_END)
    for month in months:
        closed = month.document.books
        if closed is None:
            continue
        sealed_on = datetime.fromtimestamp(month.sealed_at_us / 1_000_000, UTC).date()
        names = {number: clean(it.name) for number, it in closed.accounts.items()}
        parties = {key: (clean(number), clean(name)) for key, (number, name) in closed.parties.items()}
        for code in JOURNALS:
            of = closed.journals.get(code)
            if of is None:
                continue
            write = _Writer(f"{code}\t{JOURNALS[code]}", names, parties, f"\t\t\t{sealed_on:%Y%m%d}\t\t")
            waiting: list[str] = []
            async for row in store.lines(fetch, books.id, closed.exercise, code, of.first, of.last):
                waiting.append(write.line(row))
                if len(waiting) >= _CHUNK:
                    yield _encoded("".join(waiting))
                    waiting = []
            yield _encoded("".join(waiting))


class _Writer:
    """Lines of one journal of one month. Days and labels repeat, so each is written once."""

    def __init__(self, head: str, names: Mapping[str, str], parties: Mapping[str, tuple[str, str]], tail: str) -> None:
        self._head, self._names, self._parties, self._tail = head, names, parties, tail
        self._days: dict[date, str] = {}
        self._labels: dict[str, str] = {}

    def line(self, row: Any) -> str:
        party, party_name = self._parties[row.party] if row.party else ("", "")
        return (
            f"{self._head}\t{row.number}\t{self._day(row.day)}\t{row.account}\t{self._names[row.account]}\t{party}"
            f"\t{party_name}\t{row.piece}\t{self._day(row.piece_day)}\t{self._label(row.label)}\t{amount(row.debit)}"
            f"\t{amount(row.credit)}{self._tail}{LINE_END}"
        )

    def _day(self, day: date) -> str:
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = f"{day:%Y%m%d}"
        return found

    def _label(self, label: str) -> str:
        found = self._labels.get(label)
        if found is None:
            found = self._labels[label] = clean(label)
        return found


def amount(cents: int) -> str:
    """Cents as 12,50: no thousands apart, a comma, and no sign, for a line stands on one side."""
    return f"{cents // 100},{cents % 100:02d}"


def clean(text: str) -> str:
    """One line without tabs, in letters that ISO 8859-15 holds: what it does not, loses its accent or becomes "?"."""
    flat = " ".join(text.translate(_LETTERS).split())
    try:
        flat.encode(ENCODING)
    except UnicodeEncodeError:
        return "".join(_held(letter) for letter in flat)
    return flat


def _held(letter: str) -> str:
    for form in (letter, unicodedata.normalize("NFKD", letter)):
        kept = "".join(it for it in form if not unicodedata.combining(it))
        try:
            kept.encode(ENCODING)
        except UnicodeEncodeError:
            continue
        return kept
    return "?"


def _encoded(text: str) -> bytes:
    return text.encode(ENCODING)
