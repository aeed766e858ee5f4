"""Sales without a card and gifts of the house: kept as first recorded, beside the ledger, in the venue's till figures.

Nothing of them is the network's money. What takes one back is a record of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.rules.business_day import day_that_counts
from app.sales.booking import Counter, day_of, details_of, fingerprint
from app.sales.tables import till_record
from app.wire import Sale


@dataclass(frozen=True, slots=True)
class TillRecord:
    """A sale without a card, or a gift of the house; `taken_back` names the void, if there is one."""

    id: UUID
    kind: Literal["sale", "house"]
    terminal: UUID
    business_day: date
    late: bool
    occurred_at_us: int
    details: Mapping[str, Any]
    taken_back: UUID | None


async def record(connection: AsyncConnection, counter: Counter, sale: Sale) -> bool:
    """Keep it, once. False: its id has other content."""
    now, content = now_us(), fingerprint(counter.terminal.id, sale)
    row = await _kept(connection, sale.id)
    if row is not None:
        return bool(row.fingerprint == content)
    day, late = day_of(counter, sale.occurred_at_us, now)
    await _insert(
        connection,
        id=sale.id,
        sale=sale.id,
        kind="sale" if sale.reason is None else "house",
        fingerprint=content,
        venue=counter.venue.id,
        terminal=counter.terminal.id,
        business_day=day,
        late=late,
        occurred_at_us=sale.occurred_at_us,
        recorded_at_us=now,
        details=to_json(details_of(counter, sale)).decode(),
    )
    return True


async def take_back(
    connection: AsyncConnection,
    counter: Counter,
    sale: UUID,
    id_: UUID,
    at_us: int,
    details: Mapping[str, object],
) -> bool:
    """Whether there was such a sale of this terminal; it is taken back, once."""
    row = await _kept(connection, sale)
    if row is None or row.terminal != counter.terminal.id:
        return False
    now, venue = now_us(), counter.venue
    day, late = day_that_counts(venue.day_of(at_us), at_us, venue.day_of(now), now)
    await _insert(
        connection,
        id=id_,
        sale=sale,
        kind="void",
        fingerprint=b"",
        venue=venue.id,
        terminal=counter.terminal.id,
        business_day=day,
        late=late,
        occurred_at_us=at_us,
        recorded_at_us=now,
        details=json.dumps(details, ensure_ascii=False),
    )
    return True


async def is_taken_back(connection: AsyncConnection, sale: UUID) -> bool:
    """Whether a sale without a card, or a gift, was undone."""
    undone = sa.select(till_record.c.id).where(till_record.c.sale == sale, till_record.c.kind == "void")
    return (await connection.execute(undone.limit(1))).first() is not None


async def records_of_day(connection: AsyncConnection, venue: UUID, day: date) -> list[TillRecord]:
    """A venue's sales without a card and gifts of one business day, the first one first."""
    undo = till_record.alias("undo")
    rows = await connection.execute(
        sa.select(till_record, undo.c.id.label("taken_back"))
        .join(undo, sa.and_(undo.c.sale == till_record.c.sale, undo.c.kind == "void"), isouter=True)
        .where(
            till_record.c.venue == venue, till_record.c.business_day == day, till_record.c.kind.in_(["sale", "house"])
        )
        .order_by(till_record.c.occurred_at_us, till_record.c.id)
    )
    return [
        TillRecord(
            row.id,
            row.kind,
            row.terminal,
            row.business_day,
            row.late,
            row.occurred_at_us,
            json.loads(row.details),
            row.taken_back,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class OffCard:
    """A sale without a card or a gift, or what took one back (`undoes`: which). `details`: JSON, of the sale itself in
    both cases."""

    id: UUID
    venue: UUID
    terminal: UUID
    occurred_at_us: int
    undoes: UUID | None
    details: str


async def off_card_of(
    connection: AsyncConnection, venues: Collection[UUID], day: date, since_us: int = 0
) -> list[OffCard]:
    """What these venues recorded for one business day, the first one first; only what was made after `since_us`. Led by
    ix_till_record_day."""
    sale = till_record.alias("sale")
    undone = sa.case((till_record.c.kind == "void", till_record.c.sale))
    query = (
        sa.select(
            till_record.c.id,
            till_record.c.venue,
            till_record.c.terminal,
            till_record.c.occurred_at_us,
            undone.label("undoes"),
            sa.func.coalesce(sale.c.details, till_record.c.details).label("details"),
        )
        .outerjoin(sale, sa.and_(till_record.c.kind == "void", sale.c.id == till_record.c.sale))
        .where(till_record.c.venue.in_(venues), till_record.c.business_day == day)
        .where(till_record.c.occurred_at_us > since_us)
        .order_by(till_record.c.occurred_at_us, till_record.c.id)
    )
    return [OffCard(*row) for row in await connection.execute(query)]


async def last_off_card(connection: AsyncConnection, venues: Collection[UUID], before: date) -> date | None:
    """The last business day before this one on which one of `venues` recorded a sale without a card."""
    newest = sa.select(sa.func.max(till_record.c.business_day))
    query = newest.where(till_record.c.venue.in_(venues), till_record.c.business_day < before)
    found: date | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _kept(connection: AsyncConnection, sale: UUID) -> Any:
    return (await connection.execute(sa.select(till_record).where(till_record.c.id == sale))).one_or_none()


async def _insert(connection: AsyncConnection, **values: object) -> None:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    # The same row may be taken in at two processes at once: it is one record.
    await connection.execute(insert(till_record).values(**values).on_conflict_do_nothing())
