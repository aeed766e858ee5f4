"""ISO 20022 camt.053: the bank's statement of an account, in any version (.02 to .13; the elements read are the same).

Source: ISO 20022 message definition BankToCustomerStatement; French banks deliver .02 and .08. Only booked entries
(Sts BOOK) in euros are read; what is pending is not there yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from xml.etree import ElementTree

from app.banking.rules.lines import Line, NotAStatement, Statement

_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,5})?")


def read_camt053(content: bytes) -> list[Statement]:
    """One for each account in the file. Raises NotAStatement."""
    # No bank writes a document type; whoever does wants entities expanded.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotAStatement("has-a-document-type")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314
    except ElementTree.ParseError as error:
        raise NotAStatement("not-xml", str(error)) from error
    statements = [_statement(it) for it in root.iter() if _name(it) == "Stmt"]
    if not statements:
        raise NotAStatement("no-statement")
    return statements


def _statement(of: ElementTree.Element) -> Statement:
    iban = _text(of, "Acct/Id/IBAN").replace(" ", "")
    if not iban:
        raise NotAStatement("no-iban")
    balances = {_text(it, "Tp/CdOrPrtry/Cd"): _signed(it) for it in _all(of, "Bal")}
    lines = [line for entry in _all(of, "Ntry") if _booked(entry) for line in _lines(entry)]
    return Statement(iban, lines, balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD"))


def _booked(entry: ElementTree.Element) -> bool:
    return (_text(entry, "Sts/Cd") or _text(entry, "Sts")) in {"BOOK", ""}


def _lines(entry: ElementTree.Element) -> Iterator[Line]:
    """One for each transaction of an entry; a batch without its transactions' amounts is one line."""
    day = _day(entry)
    amount, bank_reference = _signed(entry), _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    parts = list(_all(entry, "NtryDtls/TxDtls"))
    cents = [_cents(found) for it in parts if (found := _part_amount(it)) is not None]
    if len(parts) > 1 and len(cents) == len(parts) and sum(cents) == abs(amount):
        sign = 1 if amount > 0 else -1
        for number, (part, each) in enumerate(zip(parts, cents, strict=True), 1):
            yield _line(part, entry, day, sign * each, f"{bank_reference}/{number}" if bank_reference else "")
        return
    yield _line(parts[0] if len(parts) == 1 else entry, entry, day, amount, bank_reference)


def _line(part: ElementTree.Element, entry: ElementTree.Element, day: date, cents: int, bank_reference: str) -> Line:
    side = "Dbtr" if cents > 0 else "Cdtr"
    party = _text(part, f"RltdPties/{side}/Nm") or _text(part, f"RltdPties/{side}/Pty/Nm")
    said = [it.text or "" for it in _all(part, "RmtInf/Ustrd")]
    said += [it.text or "" for it in _all(part, "RmtInf/Strd/CdtrRefInf/Ref")]
    text = " ".join(it.strip() for it in said if it.strip()) or _text(entry, "AddtlNtryInf")
    end_to_end = _text(part, "Refs/EndToEndId")
    return Line(
        day,
        cents,
        party,
        _text(part, f"RltdPties/{side}Acct/Id/IBAN"),
        text,
        "" if end_to_end == "NOTPROVIDED" else end_to_end,
        bank_reference,
    )


def _part_amount(part: ElementTree.Element) -> ElementTree.Element | None:
    return next(iter([*_all(part, "AmtDtls/TxAmt/Amt"), *_all(part, "Amt")]), None)


def _signed(of: ElementTree.Element) -> int:
    amounts = list(_all(of, "Amt"))
    if not amounts:
        raise NotAStatement("no-amount")
    mark = _text(of, "CdtDbtInd")
    if mark not in {"CRDT", "DBIT"}:
        raise NotAStatement("no-direction")
    return _cents(amounts[0]) * (1 if mark == "CRDT" else -1)


def _cents(amount: ElementTree.Element) -> int:
    if amount.get("Ccy") not in {"EUR", None}:
        raise NotAStatement("not-in-euros", amount.get("Ccy") or "")
    text = (amount.text or "").strip()
    if not _AMOUNT.fullmatch(text):
        raise NotAStatement("bad-amount", text)
    whole, _, part = text.partition(".")
    if part[2:].strip("0"):
        raise NotAStatement("bad-amount", text)
    return int(whole) * 100 + int(part[:2].ljust(2, "0"))


def _day(entry: ElementTree.Element) -> date:
    text = _text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm")[:10] or _text(entry, "ValDt/Dt")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotAStatement("bad-day", text) from error


def _name(of: ElementTree.Element) -> str:
    return of.tag.rpartition("}")[2]


def _all(of: ElementTree.Element, path: str) -> Iterator[ElementTree.Element]:
    """Elements at a path, whatever the version's namespace."""
    first, _, rest = path.partition("/")
    for it in of:
        if _name(it) == first:
            if rest:
                yield from _all(it, rest)
            else:
                yield it


def _text(of: ElementTree.Element, path: str) -> str:
    return next(((it.text or "").strip() for it in _all(of, path)), "")
