"""What article A47 A-1 of the LPF asks of a file of entries, read from the article and from BOI-CF-IOR-60-40-20 alone:
nothing of the program that writes the file is used here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

NAMES = [
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib"),
    *("PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate"),
    *("Montantdevise", "Idevise"),
]
FILLED = [*NAMES[:6], *NAMES[8:11], "ValidDate"]


def rows(file: bytes) -> list[dict[str, str]]:
    """The lines of a file as it is read by whoever is given it: by the names in its header."""
    head, *lines = file.decode("iso8859-15").removesuffix("\r\n").split("\r\n")
    return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


def cents(text: str) -> int:
    return int(text.replace(",", ""))


def faults(name: str, file: bytes) -> Iterator[str]:
    """A sentence for each thing that the rule does not allow."""
    match = re.fullmatch(r"([0-9]{9})FEC([0-9]{8})\.txt", name)
    if match is None:
        yield f"the name {name} is not SIREN, FEC and the day of closing"
        return
    closing = match[2]
    _day(closing)
    if b'"' in file.split(b"\r\n")[0] or file.startswith(b"\xef\xbb\xbf"):
        yield "a mark before the header"
    lines = file.decode("iso8859-15").split("\r\n")
    if lines.pop() != "":
        yield "the last line has no end"
    if lines[0].split("\t") != NAMES:
        yield f"the header is {lines[0]!r}"
        return
    numbers: dict[str, int] = {}
    sums: dict[tuple[str, str], int] = {}
    days: dict[tuple[str, str], tuple[str, str]] = {}
    titles: dict[str, str] = {}
    journals: dict[str, str] = {}
    validated = ""
    carried_over_ended = False
    previous: tuple[str, str] | None = None
    for position, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != len(NAMES):
            yield f"line {position} has {len(fields)} fields"
            continue
        it = dict(zip(NAMES, fields, strict=True))
        for field in FILLED:
            if not it[field].strip():
                yield f"line {position}: {field} is empty"
        for field in ("EcritureDate", "PieceDate", "ValidDate"):
            if not _day(it[field]):
                yield f"line {position}: {field} is {it[field]!r}"
        if it["EcritureDate"] > closing:
            yield f"line {position} is of after the closing"
        if re.fullmatch(r"[1-7][0-9]{2}[0-9A-Za-z]*", it["CompteNum"]) is None:
            yield f"line {position}: the account {it['CompteNum']} is not of the chart"
        for field in ("Debit", "Credit"):
            if re.fullmatch(r"[0-9]+,[0-9]{2}", it[field]) is None:
                yield f"line {position}: {field} is {it[field]!r}"
        if (cents(it["Debit"]) == 0) == (cents(it["Credit"]) == 0):
            yield f"line {position} stands on both sides, or on none"
        if bool(it["CompAuxNum"]) != bool(it["CompAuxLib"]):
            yield f"line {position}: a party has a number and a name"
        if bool(it["Montantdevise"]) != bool(it["Idevise"]) or bool(it["EcritureLet"]) != bool(it["DateLet"]):
            yield f"line {position}: half of a pair of fields"
        if titles.setdefault(it["CompteNum"], it["CompteLib"]) != it["CompteLib"]:
            yield f"line {position}: the account {it['CompteNum']} has two names"
        if journals.setdefault(it["JournalCode"], it["JournalLib"]) != it["JournalLib"]:
            yield f"line {position}: the journal {it['JournalCode']} has two names"
        entry = (it["JournalCode"], it["EcritureNum"])
        if entry != previous:
            if entry in sums:
                yield f"line {position}: the entry {entry} is told in two places"
            number = int(it["EcritureNum"])
            if number != numbers.get(it["JournalCode"], 0) + 1:
                yield f"line {position}: number {number} follows {numbers.get(it['JournalCode'], 0)}"
            numbers[it["JournalCode"]] = number
            previous = entry
        sums[entry] = sums.get(entry, 0) + cents(it["Debit"]) - cents(it["Credit"])
        if days.setdefault(entry, (it["EcritureDate"], it["ValidDate"])) != (it["EcritureDate"], it["ValidDate"]):
            yield f"line {position}: the entry {entry} has two days"
        if it["ValidDate"] < validated:
            yield f"line {position} was validated before the line above"
        validated = it["ValidDate"]
        if it["JournalCode"] == "AN" and carried_over_ended:
            yield f"line {position}: what was carried over comes first"
        carried_over_ended |= it["JournalCode"] != "AN"
    for entry, left in sums.items():
        if left:
            yield f"the entry {entry} does not balance"


def _day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        return False
    return len(text) == 8
