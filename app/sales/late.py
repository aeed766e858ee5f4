"""Rows that are kept and wait for a person: of a forked journal, of a revoked terminal, of an epoch that is over.

Nothing of them is booked until somebody decides. They are acknowledged once they are kept, so that the terminal may be
paired again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Invalid
from app.rules.ids import uuid7
from app.sales.tables import exception, intake, journal_review
from app.terminals import service as terminals
from app.terminals.service import Terminal
from app.wire import GENESIS, Batch, JournalRow

Why = Literal["forked", "revoked", "old_epoch"]

# Twice what a terminal's journal holds by default. Whoever has a stolen terminal's key can send no more than this.
HELD_ROWS_MAX = 20_000


async def hold(connection: AsyncConnection, at: Terminal, batch: Batch, new: Sequence[JournalRow], why: Why) -> int:
    """Let the rows of a batch that are not booked wait for a person, with all others above the mark. `new`: those that
    were kept just now. The sequence up to which this copy's rows are kept; 0: the one before the batch is missing."""
    applied, _ = await terminals.mark(connection, at.id, batch.epoch)
    unbooked = sa.or_(intake.c.sequence > applied, intake.c.hash.in_([row.hash for row in new]))
    await connection.execute(
        sa.update(intake)
        .where(intake.c.device == at.id, intake.c.epoch == batch.epoch, intake.c.review.is_(None), unbooked)
        .values(review=why)
    )
    await recount(connection, at)
    previous = batch.rows[0].previous
    before = sa.select(intake.c.id).where(
        intake.c.device == at.id, intake.c.epoch == batch.epoch, intake.c.hash == previous
    )
    linked = previous == GENESIS or (await connection.execute(before.limit(1))).first() is not None
    return batch.rows[-1].sequence if linked else 0


async def in_review(connection: AsyncConnection, at: Terminal) -> bool:
    """Whether rows of its epoch have waited for a person, decided since or not."""
    where = (intake.c.device == at.id, intake.c.epoch == at.epoch, intake.c.review.is_not(None))
    return (await connection.execute(sa.select(intake.c.id).where(*where).limit(1))).first() is not None


async def require_room(connection: AsyncConnection, at: Terminal) -> None:
    """Invalid("review-full"): so many rows wait already that more must wait for a decision about those."""
    count = sa.select(sa.func.count()).where(intake.c.device == at.id, intake.c.review.is_not(None))
    if (await connection.execute(count)).scalar_one() >= HELD_ROWS_MAX:
        raise Invalid("Too many rows of this terminal wait for a review.", "review-full")


async def recount(connection: AsyncConnection, at: Terminal, by: str | None = None) -> int:
    """How many rows of a terminal wait for a person; the exception that says so is opened or, by whom, settled."""
    open_ = undecided(at.id)
    kinds = await connection.execute(
        sa.select(open_.c.review, sa.func.count().label("number")).group_by(open_.c.review)
    )
    waiting: dict[str, int] = {it.review: it.number for it in kinds}
    rows = sum(waiting.values())
    await terminals.set_to_review(connection, at.id, rows)
    for kind, count in (
        ("forked-journal", waiting.get("forked", 0)),
        ("late-rows", waiting.get("revoked", 0) + waiting.get("old_epoch", 0)),
    ):
        if count:
            await _open(connection, at, kind, count)
        else:
            await _settle(connection, at, kind, by or "server")
    return rows


def undecided(device: UUID) -> sa.Subquery:
    """The rows of a terminal that wait for a person: those that ask for something."""
    join = intake.outerjoin(journal_review, journal_review.c.row == intake.c.id)
    where = (intake.c.device == device, intake.c.review.is_not(None), intake.c.event.is_not(None))
    return sa.select(intake).select_from(join).where(*where, journal_review.c.row.is_(None)).subquery("undecided")


def event_of(at: Terminal, kind: str) -> UUID:
    """One exception of each kind for a terminal, however many rows there are."""
    return UUID(bytes=hashlib.sha256(b"comptoir-review" + at.id.bytes + kind.encode()).digest()[:16])


async def _open(connection: AsyncConnection, at: Terminal, kind: str, rows: int) -> None:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    told = {
        "details": json.dumps({"terminal": str(at.id), "name": at.name, "rows": rows}, ensure_ascii=False),
        "settled_at_us": None,
        "settled_by": None,
    }
    values = {"id": uuid7(), "event": event_of(at, kind), "kind": kind, "venue": at.venue, "terminal": at.id}
    statement = insert(exception).values(**values, **told, opened_at_us=now_us())
    await connection.execute(statement.on_conflict_do_update(index_elements=["event", "kind"], set_=told))


async def _settle(connection: AsyncConnection, at: Terminal, kind: str, by: str) -> None:
    where = (exception.c.event == event_of(at, kind), exception.c.kind == kind, exception.c.settled_at_us.is_(None))
    await connection.execute(sa.update(exception).where(*where).values(settled_at_us=now_us(), settled_by=by))
