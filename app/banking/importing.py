"""Taking a bank's file in: read, checked, and each line once, however often it comes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.banking.rules.camt053 import read_camt053
from app.banking.rules.lines import NotAStatement, Statement, keys
from app.banking.rules.statement_csv import read_csv
from app.banking.tables import line, statement
from app.identity.audit import audit
from app.platform.among import among
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid
from app.rules.ids import uuid7

FILE_MAX_BYTES = 900_000
TEXT_MAX = 500

PROBLEMS = {
    "has-a-document-type": "The file declares a document type, which no bank does.",
    "not-xml": "The file is neither XML nor a table.",
    "no-statement": "There is no account statement (camt.053) in the file.",
    "no-iban": "The statement does not say of which account it is.",
    "no-amount": "An entry has no amount.",
    "no-direction": "An entry does not say whether money came in or went out.",
    "not-in-euros": "The account is not in euros.",
    "bad-amount": "An amount cannot be read.",
    "bad-day": "A date cannot be read.",
    "no-lines": "There is no line in the statement.",
    "no-columns": "No line of headings with a date and an amount (or debit and credit) was found.",
    "does-not-add-up": "Opening balance and lines do not come to the closing balance.",
    "too-large": "The file is too large: export a shorter time.",
    "no-account": "A table does not say of which account it is: give its IBAN.",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """`lines`: taken in; `known`: that an earlier statement had brought."""

    statement: UUID
    lines: int
    known: int


def read(content: bytes, iban: str) -> list[Statement]:
    """Raises Invalid("bank-file-invalid") with `problem`, a key of PROBLEMS, and `where`."""
    try:
        found = [it for it in _read(content, iban) if it.lines]
    except NotAStatement as error:
        raise _wrong(error.problem, error.where) from error
    if not found:
        raise _wrong("no-lines")
    for it in found:
        if not it.adds_up:
            raise _wrong("does-not-add-up", it.iban)
    return found


def _read(content: bytes, iban: str) -> list[Statement]:
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_camt053(content)
    if not iban:
        raise NotAStatement("no-account")
    return [read_csv(content, iban)]


def _wrong(problem: str, where: str = "") -> Invalid:
    return Invalid(PROBLEMS[problem], "bank-file-invalid", problem=problem, where=where)


async def take_in(engine: AsyncEngine, name: str, content: bytes, iban: str, *, actor: str) -> list[Imported]:
    """All statements of a file, or none of them. Raises what `read` raises and Conflict("bank-file-known")."""
    if len(content) > FILE_MAX_BYTES:
        raise _wrong("too-large")
    found = read(content, iban.replace(" ", "").upper())
    async with engine.begin() as connection:
        digest = sha256(content).digest()
        if (await connection.execute(sa.select(statement.c.id).where(statement.c.digest == digest))).first():
            raise Conflict("This file was imported already.", "bank-file-known")
        imported = [await _keep(connection, name, _mark(digest, at), it, actor) for at, it in enumerate(found)]
        for it in imported:
            subject = f"statement:{it.statement}"
            await audit(connection, actor, "bank-statement.import", subject, name=name, lines=it.lines, known=it.known)
        return imported


def _mark(digest: bytes, place: int) -> bytes:
    """The file's own mark for its first statement, so that the file is known again; a mark of their own for others."""
    return digest if place == 0 else sha256(digest + place.to_bytes(2, "big")).digest()


async def _keep(connection: AsyncConnection, name: str, digest: bytes, it: Statement, actor: str) -> Imported:
    id_, marks = uuid7(), keys(it.lines)
    known = {
        row.key
        for row in await connection.execute(
            sa.select(line.c.key).where(line.c.iban == it.iban, among(line.c.key, marks))
        )
    }
    days = [each.day for each in it.lines]
    await connection.execute(
        sa.insert(statement).values(
            id=id_,
            iban=it.iban,
            name=name[:TEXT_MAX],
            digest=digest,
            first_day=min(days),
            last_day=max(days),
            opening_cents=it.opening_cents,
            closing_cents=it.closing_cents,
            imported_by=actor,
            imported_at_us=now_us(),
        )
    )
    rows = [
        {
            "id": uuid7(),
            "statement": id_,
            "number": number,
            "iban": it.iban,
            "key": mark,
            "day": each.day,
            "amount_cents": each.amount_cents,
            "party": each.party[:TEXT_MAX],
            "party_iban": each.party_iban[:TEXT_MAX],
            "text": each.text[:TEXT_MAX],
            "reference": each.reference[:TEXT_MAX],
        }
        for number, (each, mark) in enumerate(zip(it.lines, marks, strict=True), 1)
        if mark not in known
    ]
    if rows:
        await connection.execute(sa.insert(line), rows)
    return Imported(id_, len(rows), len(it.lines) - len(rows))
