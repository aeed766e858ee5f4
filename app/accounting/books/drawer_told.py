"""Where a difference in a drawer stands in the books of its venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books import keeping, reading
from app.accounting.books.closing import MONTH
from app.accounting.books.entries import Bookkeeper
from app.accounting.tables import booked_drawer, line
from app.sales.closings import store
from app.sales.tables import drawer_move


@dataclass(frozen=True, slots=True)
class Told:
    """`cents` on `account`, whichever side. `month`: in whose books it is or will be, by its first day; `number`: that
    of its entry in the journal CA, None while the month is open."""

    slug: str
    account: str
    name: str
    cents: int
    month: date
    number: int | None


async def told(connection: AsyncConnection, closing: UUID) -> Told | None:
    """None where a closing found no difference, or was sealed before drawers were in the books."""
    this = (drawer_move.c.closing == closing, drawer_move.c.kind == "difference")
    found = [it async for it in reading.drawer_pieces(connection, *this)]
    if not found:
        return None
    ((move, piece),) = found
    (books,) = [it for it in await keeping.all_books(connection) if it.id == piece.venue]
    entry = Bookkeeper(books.owner, books.chart, {}).entry(piece, {})
    if entry is None:
        raise RuntimeError("a difference is an entry")
    (against,) = [it for it in entry.lines if it.account != books.chart.number("till.cash")]
    cents = against.debit + against.credit
    query = sa.select(booked_drawer.c.closing).where(booked_drawer.c.move == move)
    number = (await connection.execute(query)).scalar_one_or_none()
    sealed = None if number is None else await store.numbered(connection, books.id, MONTH, number)
    if sealed is None or sealed.document.books is None:
        last = await store.newest(connection, books.id, MONTH)
        after = last.document.books.last_day if last is not None and last.document.books is not None else date.min
        day = max(piece.day, date.fromordinal(after.toordinal() + 1))
        return Told(books.slug, against.account, books.chart.name(against.account), cents, day.replace(day=1), None)
    # As it was written, whatever the chart says today.
    here = (line.c.books == books.id, line.c.exercise == sealed.document.books.exercise, line.c.journal == "CA")
    same = (line.c.closing == number, line.c.piece == entry.piece, line.c.label == entry.label)
    side = line.c.debit if against.debit else line.c.credit
    row = (await connection.execute(sa.select(line.c.account, line.c.number).where(*here, *same, side > 0))).one()
    name = sealed.document.books.accounts[row.account].name
    return Told(books.slug, row.account, name, cents, sealed.document.day, row.number)
