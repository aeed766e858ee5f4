"""A supplier's list of chips, read: one line for each, whatever the supplier calls its columns.

Columns are told by their heads where there are any, and else by what is in them: the chip's number in any spelling of
`app.cards.rules.read_uid`, what is printed on the card, and an address of ours ("https://…/c/<token>").
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.cards.rules import read_uid

LINES_MAX: Final = 5000
_DELIMITERS: Final = (";", "\t", ",", "|")
_UID_HEADS: Final = ("uid", "chip", "puce", "serial", "serie", "nfc", "rfid")
_LABEL_HEADS: Final = ("label", "etiquette", "print", "imprim", "card", "carte", "number", "numero", "no", "n°")
_ADDRESS: Final = "/c/"


@dataclass(frozen=True, slots=True)
class Entry:
    """`line`: of the list, from 1. `written`: the chip's number as it stands there; `uid`: None where that is none.
    `label`: what is printed, and `token`: of an address of ours; empty where the list says nothing of it."""

    line: int
    written: str
    uid: str | None
    label: str = ""
    token: str = ""


def decoded(content: bytes) -> str:
    """As spreadsheets write it: UTF-8, UTF-16 with its mark, or the old letters of Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read_list(text: str) -> list[Entry]:
    """One entry for each line that is not empty, without the heads."""
    rows = [(number, cells) for number, cells in enumerate(_cells(text), 1) if any(cells)]
    if not rows:
        return []
    heads = [] if any(read_uid(it) for it in rows[0][1]) else [_plain(it) for it in rows[0][1]]
    # A single line without a number is one that is wrong, and no head.
    body = rows[1:] if heads and (len(rows) > 1 or _headed(heads, _UID_HEADS) is not None) else rows
    if not body:
        return []
    width = max(len(cells) for _, cells in body)
    columns = [[cells[it] if it < len(cells) else "" for _, cells in body] for it in range(width)]
    uid = _headed(heads, _UID_HEADS)
    if uid is None or uid >= width:
        uid = max(range(width), key=lambda it: _numbers(columns[it]))
    address = next((it for it in range(width) if it != uid and any(_ADDRESS in cell for cell in columns[it])), None)
    others = [it for it in range(width) if it not in (uid, address)]
    label = next((it for it in others if it == _headed(heads, _LABEL_HEADS, uid)), next(iter(others), None))
    return [
        Entry(
            number,
            columns[uid][at],
            read_uid(columns[uid][at]),
            "" if label is None else columns[label][at],
            "" if address is None else _token(columns[address][at]),
        )
        for at, (number, _) in enumerate(body)
    ]


def _cells(text: str) -> list[list[str]]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    delimiter = max(_DELIMITERS, key=text.count)
    # Quotes that do not close are letters like others: a list is never lost in one cell.
    lines = io.StringIO(text)
    if text.count('"') % 2:
        rows = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(lines, delimiter=delimiter)
    return [[cell.strip() for cell in row] for row in rows]


def _plain(head: str) -> str:
    """Lower case, without accents."""
    taken_apart = unicodedata.normalize("NFKD", head.lower())
    return "".join(it for it in taken_apart if not unicodedata.combining(it))


def _headed(heads: Sequence[str], names: Sequence[str], but: int | None = None) -> int | None:
    """The column whose head speaks of one of these, the surest name first."""
    return next((at for name in names for at, head in enumerate(heads) if at != but and name in head), None)


def _numbers(column: Sequence[str]) -> tuple[int, int]:
    """How many numbers of chips there are, and how long: what is printed may look like a short one."""
    found = [it for cell in column if (it := read_uid(cell)) is not None]
    return len(found), sum(map(len, found))


def _token(address: str) -> str:
    return address.rpartition(_ADDRESS)[2].split("/")[0].split("?")[0] if _ADDRESS in address else ""
