"""What is still to be booked: operations of the ledger, records of a till and what changed its drawer, page by page in
flat memory.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books import drawer
from app.accounting.books.entries import Bookkeeper, Entry, Piece
from app.accounting.books.keeping import Books
from app.accounting.books.store import Mark
from app.accounting.tables import booked_drawer, booked_record
from app.ledger.service import BookedOperation, Ledger, Stretch
from app.sales.tables import closing, drawer_move, till_record

OPERATIONS_A_PAGE = 1_000
RECORDS_A_PAGE = 1_000
# Whatever venue these name, they move what others are owed.
_OF_SEVERAL_VENUES = ("settlement.clearing",)


@dataclass(frozen=True, slots=True)
class Span:
    """A month that is not closed. What is dated up to `last_day` belongs to it, unless it was there when the month
    before was closed: numbered up to `closed_upto` and dated up to `closed_day`. Everything up to number `after` is
    in the books. Nothing is booked on a day before `first_day`; None: the books begin with it."""

    last_day: date
    first_day: date | None = None
    after: int = 0
    closed_upto: int = 0
    closed_day: date = date.min

    def takes(self, seq: int, day: date) -> bool:
        return day <= self.last_day and not (seq <= self.closed_upto and day <= self.closed_day)


@dataclass(slots=True)
class Read:
    """How far the ledger was read, and the first number that is left for a later month (0: none)."""

    upto: int = 0
    first_left: int = 0


async def entries(
    ledger: Ledger, connection: AsyncConnection, books: Books, keeper: Bookkeeper, span: Span, read: Read
) -> AsyncIterator[tuple[Entry | None, tuple[Mark, UUID] | None]]:
    """(an entry, what of the till it is of), the ledger's operations first and in their order. What of the till books
    nothing is told all the same, with None. `read` is filled in as it goes."""
    where: set[UUID | None] | None = {books.id, None} if books.of_venue else None
    read.upto = span.after
    while True:
        stretch = await ledger.history.after(read.upto, OPERATIONS_A_PAGE, where, kinds=_OF_SEVERAL_VENUES)
        undone = await _undone(ledger, stretch) if books.of_venue else {}
        for it in stretch.operations:
            if not span.takes(it.seq, it.business_day):
                if it.business_day > span.last_day and not read.first_left:
                    read.first_left = it.seq
                continue
            if entry := keeper.entry(_piece(it, undone), stretch.accounts, span.first_day):
                yield entry, None
        if stretch.upto <= read.upto:
            break
        read.upto = stretch.upto
    if books.of_venue:
        async for piece in _records(connection, books.id, span.last_day):
            yield keeper.entry(piece, {}, span.first_day), ("record", piece.id)
        due = (drawer_move.c.venue == books.id, drawer_move.c.business_day <= span.last_day)
        async for move, piece in drawer_pieces(connection, *due, booked_drawer.c.move.is_(None)):
            yield keeper.entry(piece, {}, span.first_day), ("move", move)


async def _undone(ledger: Ledger, stretch: Stretch) -> dict[UUID, str]:
    """Details of the sales that operations of a stretch take back, by the sale's id."""
    ids = {it.reverses for it in stretch.operations if it.reverses is not None}
    return {id_: it.details for id_, it in (await ledger.booked(ids)).items()} if ids else {}


def _piece(it: BookedOperation, undone: dict[UUID, str]) -> Piece:
    before = undone.get(it.reverses) if it.reverses is not None else None
    return Piece(it.id, it.kind, it.business_day, it.venue, it.details, it.transfers, before, it.seq)


async def _records(connection: AsyncConnection, venue: UUID, last_day: date) -> AsyncIterator[Piece]:
    sale = till_record.alias("sale")
    query = (
        sa.select(till_record, sale.c.details.label("undone"))
        .outerjoin(booked_record, booked_record.c.record == till_record.c.id)
        .outerjoin(sale, sa.and_(till_record.c.kind == "void", sale.c.id == till_record.c.sale))
        .where(
            till_record.c.venue == venue,
            till_record.c.business_day <= last_day,
            booked_record.c.record.is_(None),
        )
    )
    async for row in _paged(connection, till_record, query):
        yield Piece(row.id, row.kind, row.business_day, row.venue, row.details, undone=row.undone)


async def drawer_pieces(
    connection: AsyncConnection, *where: sa.ColumnElement[bool]
) -> AsyncIterator[tuple[UUID, Piece]]:
    """(a drawer's move, what an entry is made of it). The piece of what a closing says is that closing."""
    query = (
        sa.select(drawer_move, closing.c.number)
        .outerjoin(booked_drawer, booked_drawer.c.move == drawer_move.c.id)
        .outerjoin(closing, closing.c.id == drawer_move.c.closing)
        .where(*where)
    )
    async for row in _paged(connection, drawer_move, query):
        told = {"kind": row.kind, "cents": row.cents, "reason": row.reason, "note": row.note, "number": row.number}
        details = json.dumps(told, ensure_ascii=False)
        yield row.id, Piece(row.closing or row.id, drawer.KIND, row.business_day, row.venue, details)


async def _paged(connection: AsyncConnection, table: sa.Table, query: sa.Select[Any]) -> AsyncIterator[Any]:
    """In the order in which it happened, a page at a time."""
    order = (table.c.occurred_at_us, table.c.id)
    query = query.order_by(*order).limit(RECORDS_A_PAGE)
    last: tuple[int, UUID] | None = None
    while True:
        page = (
            await connection.execute(query if last is None else query.where(sa.tuple_(*order) > sa.tuple_(*last)))
        ).all()
        for row in page:
            yield row
        if len(page) < RECORDS_A_PAGE:
            return
        last = (page[-1].occurred_at_us, page[-1].id)
