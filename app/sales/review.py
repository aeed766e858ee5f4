"""The review of what a terminal delivered and nobody has booked: the branches of its journal, and what is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.identity.audit import audit
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Invalid
from app.sales import intake as taking
from app.sales import late
from app.sales.service import counter_of_epoch
from app.sales.tables import intake, journal_review
from app.terminals.rows import Exceptions, HandlersOf
from app.terminals.service import Terminal, of_epoch
from app.wire import AnyRow, read_payload

Decision = Literal["booked", "left_out"]

# What a page shows of one epoch; deciding about these makes room for the next.
SHOWN_ROWS_MAX = 300
REASON_MAX = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One row that asks for something. `payload` None: it can't be read.

    `waits`: a person has to decide. `booked`: its event stands in the ledger. `after_revocation`: by its own time it
    was made after the terminal was revoked.
    """

    id: int
    sequence: int
    payload: AnyRow | None
    event: UUID
    at_us: int | None
    booked: bool
    waits: bool
    after_revocation: bool
    decision: Decision | None
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One way that the journal went. `followed`: the one that was booked as it came in; `silent`: rows of it that ask
    for nothing (a basket that was begun, a card that was refused)."""

    followed: bool
    lines: tuple[Line, ...]
    silent: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """Where the rows of one epoch part, and how. `more`: lines that are not shown yet."""

    number: int
    venue: UUID
    parts_at: int
    branches: tuple[Branch, ...]
    more: int = field(default=0)


async def epochs(connection: AsyncConnection, ledger: Ledger, at: Terminal, revoked_at_us: int | None) -> list[Epoch]:
    """What of a terminal waits or was decided, the latest epoch first."""
    firsts = await connection.execute(
        sa.select(intake.c.epoch, sa.func.min(intake.c.sequence).label("first"))
        .where(intake.c.device == at.id, intake.c.review.is_not(None))
        .group_by(intake.c.epoch)
        .order_by(intake.c.epoch.desc())
    )
    return [await _epoch(connection, ledger, at.id, it.epoch, it.first, revoked_at_us) for it in firsts.all()]


async def _epoch(
    connection: AsyncConnection, ledger: Ledger, device: UUID, epoch: int, first: int, revoked_at_us: int | None
) -> Epoch:
    query = (
        sa.select(intake, journal_review.c.decision, journal_review.c.reason, journal_review.c.decided_by)
        .select_from(intake.outerjoin(journal_review, journal_review.c.row == intake.c.id))
        .where(intake.c.device == device, intake.c.epoch == epoch, intake.c.sequence >= first)
        .order_by(intake.c.sequence, intake.c.id)
    )
    rows = (await connection.execute(query)).all()
    of = await of_epoch(connection, device, epoch)
    booked = await ledger.booked([row.event for row in rows if row.event is not None])
    branches, shown = [], 0
    for rows_of in branches_of(rows):
        asking = [row for row in rows_of if row.event is not None]
        # Those that wait come first into what fits, in their order.
        fits = {row.id for row in sorted(asking, key=lambda row: not _waits(row))[: max(0, SHOWN_ROWS_MAX - shown)]}
        shown += len(fits)
        lines = tuple(_line(row, row.event in booked, revoked_at_us) for row in asking if row.id in fits)
        followed = any(row.review is None for row in rows_of)
        branches.append(Branch(followed, lines, len(rows_of) - len(asking)))
    more = sum(row.event is not None for row in rows) - shown
    return Epoch(epoch, of.venue, first, tuple(sorted(branches, key=lambda it: not it.followed)), more)


def branches_of(rows: Sequence[Any]) -> list[list[Any]]:
    """Rows of one epoch (with `previous` and `hash`, in order of sequence) as the ways that the journal went.

    The longest way takes the rows that it shares with others; these begin where they part.
    """
    by_hash = {row.hash: row for row in rows}
    continued = {row.previous for row in rows}
    taken: set[str] = set()
    found: list[list[Any]] = []
    # What was booked as it came in goes first, so that a branch shows what is its own.
    ends = [row for row in rows if row.hash not in continued]
    for end in sorted(ends, key=lambda row: (row.review is not None, -row.sequence)):
        way: list[Any] = []
        at = end
        while at is not None and at.hash not in taken:
            taken.add(at.hash)
            way.append(at)
            at = by_hash.get(at.previous)
        found.append(way[::-1])
    return found


def _waits(row: Any) -> bool:
    return row.review is not None and row.decision is None


def _line(row: Any, booked: bool, revoked_at_us: int | None) -> Line:
    payload = _payload(row.payload)
    return Line(
        id=row.id,
        sequence=row.sequence,
        payload=payload,
        event=row.event,
        at_us=_at_us(payload),
        booked=booked,
        waits=_waits(row),
        after_revocation=_after(row, payload, revoked_at_us),
        decision=row.decision,
        reason=row.reason or "",
        decided_by=row.decided_by or "",
    )


def _after(row: Any, payload: AnyRow | None, revoked_at_us: int | None) -> bool:
    """Whether a row was made after the revocation, by its own time; one that tells no time may have been."""
    if revoked_at_us is None or row.review != "revoked":
        return False
    at_us = _at_us(payload)
    return at_us is None or at_us > revoked_at_us


def _payload(text: str) -> AnyRow | None:
    try:
        return read_payload(text)
    except ValidationError:
        return None


def _at_us(payload: AnyRow | None) -> int | None:
    """When a row says that it was made."""
    sale = getattr(payload, "sale", None)
    found = getattr(payload, "at_us", None) or getattr(sale, "occurred_at_us", None)
    return found if isinstance(found, int) else None


async def decide(
    engine: AsyncEngine,
    ledger: Ledger,
    at: Terminal,
    rows: Collection[int] | None,
    decision: Decision,
    reason: str,
    handlers: HandlersOf,
    actor: str,
    revoked_at_us: int | None = None,
) -> int:
    """Book rows that wait, each once by its id, or leave them out for good; how many. Invalid: without a reason.

    `rows` None: all that wait, except those made after the revocation, which somebody has to look at one by one. Taken
    again after a crash, rows that were booked are found booked.
    """
    reason = reason.strip()[:REASON_MAX]
    if not reason:
        raise Invalid("Say why: a year later nobody remembers.")
    async with engine.connect() as connection:
        open_ = late.undecided(at.id)
        query = sa.select(open_).order_by(open_.c.epoch, open_.c.sequence, open_.c.id)
        found = list(await connection.execute(query if rows is None else query.where(open_.c.id.in_(rows))))
    if rows is None and revoked_at_us is not None:
        found = [row for row in found if not _after(row, _payload(row.payload), revoked_at_us)]
    by_epoch: dict[int, list[Any]] = defaultdict(list)
    for row in found:
        by_epoch[row.epoch].append(row)
    for epoch, of_it in sorted(by_epoch.items()):
        exceptions, counter = Exceptions(), await counter_of_epoch(engine, at.id, epoch)
        if decision == "booked":
            await taking.book(ledger, counter, [(row, _payload(row.payload)) for row in of_it], handlers, exceptions)
        async with engine.begin() as connection:
            await taking.open_exceptions(connection, counter, exceptions)
            await _remember(connection, of_it, decision, reason, actor)
            await audit(
                connection,
                actor,
                f"journal.{decision}",
                f"terminal:{at.id}",
                epoch=epoch,
                rows=[row.sequence for row in of_it],
                reason=reason,
            )
            await late.recount(connection, at, actor)
    return len(found)


async def _remember(
    connection: AsyncConnection, rows: Iterable[Any], decision: Decision, reason: str, actor: str
) -> None:
    """The first decision stands: two people who decide at once have booked each event once all the same."""
    values = {"decision": decision, "reason": reason, "decided_by": actor, "decided_at_us": now_us()}
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    for row in rows:
        await connection.execute(insert(journal_review).values(row=row.id, **values).on_conflict_do_nothing())
