"""The archive of a venue's closings: one file, and the check that needs nothing but the file and the public key.

The file is JSON: {"comptoir": "closings 1", "venue", "made_at_us", "public_key", "heads": {...}, "closings": [{"text",
"previous", "digest", "signature"}, ...], "signature"}. Bytes are in hexadecimal, keys and signatures in base64. `heads`
names the last closing of each chain and is signed, so that a file that was cut short is found out.

A terminal that stood at another venue before has closings there: their figures are left out (`text` is null), their
place in the chain is not.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from app.ledger.seals import key_of, key_text
from app.rules.drawer import Closed
from app.sales.closings.document import GENESIS, ClosingDocument, PeriodKind, digest_of
from app.sales.closings.gathering import summed
from app.sales.closings.store import Sealed

_FORMAT = "closings 1"
_LABELS: dict[PeriodKind, str] = {
    "session": "closing {number} of the till {name}",
    "day": "closing {number} of a day at {name}",
    "month": "closing {number} of a month at {name}",
    "year": "closing {number} of a year at {name}",
    "books_month": "closing {number} of a month in the books of {name}",
    "books_year": "closing {number} of a year in the books of {name}",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What an archive holds, and what of it is not as it was sealed: a sentence each."""

    closings: int
    elsewhere: int
    findings: tuple[str, ...]


def write(chains: Sequence[Sealed], venue: UUID, key: Ed25519PrivateKey, made_at_us: int) -> str:
    """The archive as text. `chains`: whole chains, each in order."""
    heads = {_chain_name(it.document): it.digest.hex() for it in chains}
    return json.dumps(
        {
            "comptoir": _FORMAT,
            "venue": str(venue),
            "made_at_us": made_at_us,
            "public_key": key_text(key.public_key()),
            "heads": heads,
            "closings": [
                {
                    "text": it.text if it.document.venue == venue else None,
                    "chain": _chain_name(it.document),
                    "previous": it.previous.hex(),
                    "digest": it.digest.hex(),
                    "signature": base64.b64encode(it.signature).decode(),
                }
                for it in chains
            ],
            "signature": base64.b64encode(key.sign(_heads_message(str(venue), made_at_us, heads))).decode(),
        },
        ensure_ascii=False,
        indent=1,
    )


def check(text: str, key: Ed25519PublicKey | None = None) -> Checked:
    """Check an archive with `key`, or with the one that it names. ValueError: the file is no archive."""
    try:
        file = json.loads(text)
        if file["comptoir"] != _FORMAT:
            raise ValueError("this is not an archive of closings")
        trusted = key or key_of(file["public_key"])
        closings = [_Kept.read(it) for it in file["closings"]]
        findings = [
            *_of_heads(file, closings, trusted),
            *_of_chains(closings, trusted),
            *_of_parts(closings),
            *_of_books(closings),
        ]
    except (KeyError, TypeError, AttributeError, binascii.Error, json.JSONDecodeError, ValidationError) as error:
        raise ValueError("this is not an archive of closings") from error
    elsewhere = sum(it.document is None for it in closings)
    return Checked(len(closings) - elsewhere, elsewhere, tuple(findings))


@dataclass(frozen=True, slots=True)
class _Kept:
    chain: str
    text: str | None
    document: ClosingDocument | None
    previous: bytes
    digest: bytes
    signature: bytes

    @classmethod
    def read(cls, it: dict[str, Any]) -> _Kept:
        text = it["text"]
        return cls(
            it["chain"],
            text,
            None if text is None else ClosingDocument.read(text),
            bytes.fromhex(it["previous"]),
            bytes.fromhex(it["digest"]),
            base64.b64decode(it["signature"], validate=True),
        )

    @property
    def label(self) -> str:
        it = self.document
        return _LABELS[it.period].format(number=it.number, name=it.name) if it else "a closing at another venue"


def _of_heads(file: dict[str, Any], closings: Sequence[_Kept], key: Ed25519PublicKey) -> Iterator[str]:
    heads, signature = file["heads"], base64.b64decode(file["signature"], validate=True)
    if not _signed(key, signature, _heads_message(file["venue"], file["made_at_us"], heads)):
        yield "the list of the last closings does not bear this key's signature"
    ends = {it.chain: it.digest.hex() for it in closings}
    for chain in sorted(heads.keys() | ends.keys()):
        if heads.get(chain) != ends.get(chain):
            yield f"the last closings of {chain} are missing, or are not those that were there"


def _of_chains(closings: Sequence[_Kept], key: Ed25519PublicKey) -> Iterator[str]:
    last: dict[str, _Kept] = {}
    closed: dict[str, Closed | None] = {}
    for it in closings:
        before = last.get(it.chain)
        if it.previous != (before.digest if before else GENESIS):
            yield f"what stood before {it.label} is missing"
        if not _signed(key, it.signature, it.digest):
            yield f"{it.label} does not bear this key's signature"
        if it.document is not None and it.text is not None:
            document = it.document
            if digest_of(it.previous, it.text) != it.digest or _chain_name(document) != it.chain:
                yield f"{it.label} was altered after it was sealed"
            known = closed.get(it.chain, None if before else Closed())
            if known is not None and document.before != known:
                yield f"{it.label} does not go on from the totals of the closing before it"
            if document.after != document.before.after(document.figures) or document.number != document.after.number:
                yield f"{it.label}: its perpetual total is not the one before it and its own sales"
        last[it.chain] = it
        closed[it.chain] = it.document.after if it.document else None


def _of_parts(closings: Sequence[_Kept]) -> Iterator[str]:
    by_digest = {it.digest.hex(): it.document for it in closings}
    gathered: set[str] = set()
    for it in closings:
        if it.document is None or it.document.period == "session":
            continue
        parts = [by_digest.get(part.digest) for part in it.document.parts]
        here = [part for part in parts if part is not None]
        if len(here) != len(parts):
            yield f"{it.label} gathers closings that are not in the file"
        elif summed(here) != it.document.figures:
            yield f"{it.label} is not the sum of what it gathers"
        names = {part.digest for part in it.document.parts}
        if names & gathered or len(names) != len(it.document.parts):
            yield f"{it.label} gathers what was gathered already"
        gathered |= names


def _of_books(closings: Sequence[_Kept]) -> Iterator[str]:
    """Books balance, go on from the totals before them, and number their entries without a gap."""
    perpetual: dict[str, int] = {}
    numbers: dict[tuple[str, int, str], int] = {}
    by_digest = {it.digest.hex(): it.document for it in closings}
    for it in closings:
        if it.document is None or it.document.books is None:
            continue
        books = it.document.books
        sides = [(account.debit, account.credit) for account in books.accounts.values()]
        if {sum(debit for debit, _ in sides), sum(credit for _, credit in sides)} != {books.cents}:
            yield f"{it.label}: its accounts do not balance"
        perpetual[it.chain] = perpetual.get(it.chain, 0) + books.cents
        if perpetual[it.chain] != books.perpetual_cents:
            yield f"{it.label}: its perpetual total is not the one before it and its own entries"
        for code, of in books.journals.items():
            place = (it.chain, books.exercise, code)
            if of.first != numbers.get(place, 0) + 1 or of.last < of.first:
                yield f"{it.label}: numbers are missing in its journal {code}"
            numbers[place] = of.last
        months = [by_digest.get(part.digest) for part in it.document.parts]
        if months and books.cents != sum(one.books.cents for one in months if one and one.books):
            yield f"{it.label} is not the sum of what it gathers"


def _chain_name(document: ClosingDocument) -> str:
    return f"{document.period} {document.subject}"


def _heads_message(venue: str, made_at_us: int, heads: dict[str, str]) -> bytes:
    lines = [f"{chain} {digest}" for chain, digest in sorted(heads.items())]
    return "\n".join(["comptoir-closings-1", venue, str(made_at_us), *lines]).encode()


def _signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
