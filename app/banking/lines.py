"""Lines of bank statements with what they were found to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.banking.rules.finding import Proposal
from app.banking.rules.lines import Line
from app.banking.tables import line, match

SHOWN_MAX = 200

Kind = Literal["payout", "remittance", "handover", "payment", "aside"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a line was found to be, by whom and when."""

    kind: Kind
    subject: str
    operation: UUID | None
    reason: str
    decided_by: str
    decided_at_us: int
    number: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of a statement, its `number` among them; `found` None: it is open, and `proposals` say what it may be."""

    id: UUID
    statement: UUID
    iban: str
    number: int
    line: Line
    found: Found | None
    proposals: Sequence[Proposal] = ()


_LATER = match.alias("later")
NEWEST = sa.and_(
    match.c.line == line.c.id,
    ~sa.exists().where(_LATER.c.line == match.c.line, _LATER.c.number > match.c.number),
)
UNDECIDED = sa.or_(match.c.kind.is_(None), match.c.kind == "undone")


async def lines(
    connection: AsyncConnection,
    *,
    open_: bool | None = None,
    one: UUID | None = None,
    of: UUID | None = None,
    before: tuple[date, int, UUID] | None = None,
    limit: int = SHOWN_MAX,
) -> list[Seen]:
    """Lines with what they were found to be, the newest first. `open_`: only those that are (not) decided; `of`: of one
    statement; `before`: those after this (day, number, id) in that order."""
    query = sa.select(line, match).select_from(line.outerjoin(match, NEWEST))
    query = query.order_by(line.c.day.desc(), line.c.number.desc(), line.c.id.desc()).limit(limit)
    if one is not None:
        query = query.where(line.c.id == one)
    if open_ is not None:
        query = query.where(UNDECIDED if open_ else sa.not_(UNDECIDED))
    if of is not None:
        query = query.where(line.c.statement == of)
    if before is not None:
        day, number, id_ = before
        later = (line.c.number < number) | ((line.c.number == number) & (line.c.id < id_))
        query = query.where((line.c.day < day) | ((line.c.day == day) & later))
    return [_seen(row) for row in (await connection.execute(query)).mappings()]


def _seen(row: sa.RowMapping) -> Seen:
    found = None
    if row[match.c.kind] not in {None, "undone"}:
        found = Found(
            row[match.c.kind],
            row[match.c.subject],
            row[match.c.operation],
            row[match.c.reason],
            row[match.c.decided_by],
            row[match.c.decided_at_us],
            row[match.c.number],
        )
    said = Line(
        row[line.c.day],
        row[line.c.amount_cents],
        row[line.c.party],
        row[line.c.party_iban],
        row[line.c.text],
        row[line.c.reference],
    )
    return Seen(row[line.c.id], row[line.c.statement], row[line.c.iban], row[line.c.number], said, found)
