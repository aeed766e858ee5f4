"""Files for and from the bank: pain.001.001.09 written and validated, pain.002 and camt.054 read (ISO 20022).

sepaxml writes the message and carries the official schema; a file that the schema refuses is never handed out. Texts
keep to the characters that the European rulebooks promise to carry (EPC 217-08): accents are taken off, and what is
left over becomes a full stop.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from xml.etree import ElementTree

import xmlschema
from sepaxml import SepaTransfer

from app.platform.errors import Invalid
from app.settlement.rules.accounts import Details

SCHEMA = "pain.001.001.09"
_NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_WHOLE = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "’": "'", "&": "+"})
NAME_MAX, TEXT_MAX = 70, 140
# A file of the bank for one run of some hundred venues has some hundred kilobytes.
REPORT_MAX_BYTES = 5_000_000

Kind = Literal["executed", "rejected", "returned"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """`end_to_end`: what the bank names it by, at most 35 characters."""

    end_to_end: str
    cents: int
    to: Details
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the bank says of one payment; `cents` where its file says an amount. An empty `end_to_end`: of all payments
    of the file that was called `message`."""

    end_to_end: str
    kind: Kind
    reason: str
    cents: int | None = None
    message: str = ""


def written(message: str, debtor: Details, transfers: Sequence[Transfer], on: date, made_at_us: int) -> str:
    """The file, valid. `on`: when the bank is to execute it. Raises ValueError where the schema refuses it."""
    config = {
        "name": plain(debtor.holder, NAME_MAX),
        "IBAN": debtor.iban,
        "batch": True,
        "currency": "EUR",
        **({"BIC": debtor.bic} if debtor.bic else {}),
        **_address(debtor),
    }
    sepa = SepaTransfer(config, schema=SCHEMA, clean=False)
    for it in transfers:
        sepa.add_payment(
            {
                "name": plain(it.to.holder, NAME_MAX),
                "IBAN": it.to.iban,
                "amount": it.cents,
                "execution_date": on,
                "description": plain(it.text, TEXT_MAX),
                "endtoend_id": it.end_to_end,
                **({"BIC": it.to.bic} if it.to.bic else {}),
                **_address(it.to),
            }
        )
    root = xmlschema.XMLResource(sepa.export(validate=False).decode()).root
    made = datetime.fromtimestamp(made_at_us / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # The library makes its own numbers from chance and the local clock; ours follow from the run.
    for tag, text in (("MsgId", message), ("PmtInfId", message), ("CreDtTm", made)):
        for found in root.iter(f"{{{_NAMESPACE}}}{tag}"):
            found.text = text
    # Written without a prefix, as the library does and as some banks insist on.
    ElementTree.register_namespace("", _NAMESPACE)
    document = ElementTree.tostring(root, encoding="unicode")
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'
    validate(document)
    return document


def validate(document: str) -> None:
    """Raises ValueError with what the official schema refuses."""
    error = next(_schema().iter_errors(document), None)
    if error is not None:
        raise ValueError(f"{error.path}: {error.reason}")


def plain(text: str, longest: int) -> str:
    """`text` in the characters that every bank carries."""
    bare = unicodedata.normalize("NFKD", text.translate(_WHOLE))
    kept = "".join(it if it in _ALLOWED else "." for it in bare if not unicodedata.combining(it))
    # Neither a slash at an end nor two in a row: some systems read them as separators.
    kept = kept.replace("//", "/").strip("/ ")
    return kept[:longest].strip() or "."


def read(document: bytes) -> list[Report]:
    """What a pain.002 or camt.054 says for good of payments; what is still on its way is left out.

    Raises Invalid("bank-file-not-understood") for anything else than such a file.
    """
    if len(document) > REPORT_MAX_BYTES:
        raise Invalid("This file is too large for an answer of a bank.", "bank-file-not-understood")
    try:
        # Nothing that a document type declares is looked at.
        root = xmlschema.XMLResource(document.decode(), defuse="always").root
    except (UnicodeDecodeError, ElementTree.ParseError, xmlschema.XMLSchemaException, ValueError) as error:
        raise Invalid("This is not a file of a bank.", "bank-file-not-understood") from error
    namespace = root.tag.partition("}")[0].lstrip("{")
    if "pain.002" in namespace:
        return list(_statuses(root))
    if "camt.054" in namespace:
        return list(_entries(root))
    raise Invalid("This is neither a pain.002 nor a camt.054.", "bank-file-not-understood")


_STATUS: dict[str, Kind] = {"ACSC": "executed", "ACCC": "executed", "RJCT": "rejected", "CANC": "rejected"}


def _statuses(root: Any) -> Iterator[Report]:
    """Of single payments; where a bank lists none, its word on the whole file, if that is final."""
    if not _all(root, "TxInfAndSts"):
        kind = _STATUS.get(_text(root, "GrpSts")) or _STATUS.get(_text(root, "PmtInfSts"))
        if kind is not None:
            yield Report("", kind, _reason(root), None, _text(root, "OrgnlMsgId"))
    for it in _all(root, "TxInfAndSts"):
        kind = _STATUS.get(_text(it, "TxSts"))
        end_to_end = _text(it, "OrgnlEndToEndId")
        if kind is not None and end_to_end:
            yield Report(end_to_end, kind, _reason(it), _cents(it))


def _entries(root: Any) -> Iterator[Report]:
    """A debit that was booked was executed; a credit with a return's reason brought the money back."""
    for entry in _all(root, "Ntry"):
        credit = next((_text_of(it) for it in entry if _name(it) == "CdtDbtInd"), "") == "CRDT"
        booked = next((_text(it, "Cd") or _text_of(it) for it in entry if _name(it) == "Sts"), "") == "BOOK"
        for it in _all(entry, "TxDtls"):
            end_to_end = _text(it, "EndToEndId")
            if booked and end_to_end and end_to_end != "NOTPROVIDED":
                yield Report(end_to_end, "returned" if credit else "executed", _reason(it), _cents(it))


def _reason(of: Any) -> str:
    """The code (ISO 20022 ExternalStatusReason, ExternalReturnReason) and what the bank adds to it."""
    for it in [*_all(of, "StsRsnInf"), *_all(of, "RtrInf")]:
        code = next((_text(rsn, "Cd") or _text(rsn, "Prtry") for rsn in _all(it, "Rsn")), "")
        return " ".join(filter(None, (code, _text(it, "AddtlInf"))))[:200]
    return ""


def _cents(of: Any) -> int | None:
    for it in _all(of, "InstdAmt") + _all(of, "Amt"):
        text = _text_of(it)
        whole, _, part = text.partition(".")
        if whole.isdigit() and len(whole) < 13 and len(part) <= 2 and (part.isdigit() or not part):
            return int(whole) * 100 + int(part.ljust(2, "0"))
    return None


def _all(of: Any, name: str) -> list[Any]:
    return [it for it in of.iter() if _name(it) == name]


def _text(of: Any, name: str) -> str:
    return next((_text_of(it) for it in _all(of, name)), "")


def _text_of(of: Any) -> str:
    return (of.text or "").strip()


def _name(of: Any) -> str:
    return str(of.tag).rpartition("}")[2]


def _address(of: Details) -> dict[str, Any]:
    parts: Iterable[tuple[str, str]] = (
        ("street_name", of.street),
        ("building_number", of.building),
        ("postcode", of.postcode),
        ("town", of.town),
        ("country", of.country),
    )
    found = {name: plain(text, NAME_MAX) for name, text in parts if text}
    return {"address": found} if found else {}


@cache
def _schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / f"{SCHEMA}.xsd"))
