"""The books in the database: entries on their way in, and lines read again, a page at a time.

Entries wait in a temporary table until their month is whole: they are dated and numbered by one statement, in the order
of their days, and nothing of a month stands in the books before it is sealed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounting.books.entries import JOURNALS, Entry
from app.accounting.tables import booked_drawer, booked_record, line
from app.platform.database import is_sqlite, one_by_one
from app.sales.closings.document import JournalTotals

LINES_A_PAGE: Final = 5_000
# A month of a large network takes longer than a request may.
CLOSING_TIMEOUT_S: Final = 900

_draft = sa.Table(
    "books_draft",
    sa.MetaData(),
    sa.Column("entry", sa.BigInteger),
    sa.Column("place", sa.SmallInteger),
    sa.Column("journal", sa.Text),
    sa.Column("day", sa.Date),
    sa.Column("account", sa.Text),
    sa.Column("party", sa.Text),
    sa.Column("piece", sa.Text),
    sa.Column("piece_day", sa.Date),
    sa.Column("label", sa.Text),
    sa.Column("debit", sa.BigInteger),
    sa.Column("credit", sa.BigInteger),
    prefixes=["TEMPORARY"],
)
# What is taken into the books one by one, by the table that says so.
Mark = Literal["record", "move"]
_marks = sa.Table(
    "books_draft_mark",
    sa.MetaData(),
    sa.Column("of", sa.Text),
    sa.Column("id", sa.Uuid),
    prefixes=["TEMPORARY"],
)
_MARKED: Final[dict[Mark, sa.Table]] = {"record": booked_record, "move": booked_drawer}


async def open_draft(connection: AsyncConnection) -> None:
    for table in (_draft, _marks):
        await connection.run_sync(table.create)


async def drop_draft(connection: AsyncConnection) -> None:
    for table in (_draft, _marks):
        await connection.run_sync(table.drop)


async def draft(
    connection: AsyncConnection, number: int, found: Sequence[Entry], marks: Sequence[tuple[Mark, UUID]]
) -> None:
    """Add entries, numbered from `number` in the order in which they came, and what of the till is among them."""
    rows = [
        {
            "entry": number + position,
            "place": place,
            "journal": it.journal,
            "day": it.day,
            "account": part.account,
            "party": part.party,
            "piece": it.piece,
            "piece_day": it.piece_day,
            "label": it.label,
            "debit": part.debit,
            "credit": part.credit,
        }
        for position, it in enumerate(found)
        for place, part in enumerate(it.lines, 1)
    ]
    if rows:
        await connection.execute(sa.insert(_draft), rows)
    if marks:
        await connection.execute(sa.insert(_marks), [{"of": of, "id": id_} for of, id_ in marks])


async def write_draft(connection: AsyncConnection, books: UUID, exercise: int, closing: int) -> None:
    """Give every entry of the draft its number, and put it into the books as part of a closing."""
    if not is_sqlite(connection):
        await connection.execute(sa.text(f"SET LOCAL statement_timeout = '{CLOSING_TIMEOUT_S}s'"))
    here = (line.c.books == books, line.c.exercise == exercise)
    last = {
        journal: (
            await connection.execute(sa.select(sa.func.max(line.c.number)).where(*here, line.c.journal == journal))
        ).scalar_one()
        or 0
        for journal in JOURNALS
    }
    rank = sa.func.dense_rank().over(partition_by=_draft.c.journal, order_by=(_draft.c.day, _draft.c.entry))
    same = [column for column in _draft.c if column.name != "entry"]
    values = {
        "books": sa.literal(books, sa.Uuid),
        "exercise": sa.literal(exercise, sa.SmallInteger),
        "closing": sa.literal(closing, sa.BigInteger),
        "number": rank + sa.case(last, value=_draft.c.journal),
        **{column.name: column for column in same},
    }
    rows = sa.select(*(value.label(name) for name, value in values.items()))
    await connection.execute(sa.insert(line).from_select(list(values), rows))
    for of, table in _MARKED.items():
        taken = sa.select(_marks.c.id, sa.literal(closing, sa.BigInteger)).where(_marks.c.of == of)
        await connection.execute(sa.insert(table).from_select([of, "closing"], taken))


Fetch = Callable[[sa.Select[Any]], Awaitable[list[Any]]]


def within(connection: AsyncConnection) -> Fetch:
    """Read in the caller's transaction."""

    async def fetch(query: sa.Select[Any]) -> list[Any]:
        return [*await connection.execute(query)]

    return fetch


def apart(engine: AsyncEngine) -> Fetch:
    """Read each page by itself: what is closed never changes, and whoever takes long over a page holds no connection
    and no transaction open meanwhile (PostgreSQL would end it)."""
    pages = one_by_one(engine)

    async def fetch(query: sa.Select[Any]) -> list[Any]:
        async with pages.connect() as connection:
            return [*await connection.execute(query)]

    return fetch


async def lines(fetch: Fetch, books: UUID, exercise: int, journal: str, first: int, last: int) -> AsyncIterator[Any]:
    """The lines of entries `first` to `last` of a journal, in order, a page at a time by their place in the primary
    key: memory stays flat however many there are."""
    here = (line.c.books == books, line.c.exercise == exercise, line.c.journal == journal, line.c.number <= last)
    number, place = first, 0
    while True:
        follows = sa.tuple_(line.c.number, line.c.place) > sa.tuple_(number, place)
        query = sa.select(line).where(*here, line.c.number >= number, follows)
        query = query.order_by(line.c.number, line.c.place).limit(LINES_A_PAGE)
        page = await fetch(query)
        for row in page:
            yield row
        if len(page) < LINES_A_PAGE:
            return
        number, place = page[-1].number, page[-1].place


async def journal_totals(connection: AsyncConnection, books: UUID, closing: int) -> dict[str, JournalTotals]:
    query = (
        sa.select(
            line.c.journal,
            sa.func.min(line.c.number).label("first"),
            sa.func.max(line.c.number).label("last"),
            _whole(line.c.debit).label("cents"),
        )
        .where(line.c.books == books, line.c.closing == closing)
        .group_by(line.c.journal)
    )
    found = {
        row.journal: JournalTotals(first=row.first, last=row.last, cents=row.cents)
        for row in await connection.execute(query)
    }
    return {code: found[code] for code in JOURNALS if code in found}


async def account_totals(connection: AsyncConnection, books: UUID, closing: int) -> list[tuple[str, str, int, int]]:
    """(account, party, debit, credit) of a closing, in cents, by account and party."""
    return await _totals(connection, line.c.books == books, line.c.closing == closing)


async def balances(connection: AsyncConnection, books: UUID, exercise: int, last_day: date | None = None) -> list[Any]:
    """(account, party, debit, credit) of an exercise, up to a day, in cents."""
    until = sa.true() if last_day is None else line.c.day <= last_day
    return await _totals(connection, line.c.books == books, line.c.exercise == exercise, until)


async def account_lines(
    fetch: Fetch, books: UUID, exercise: int, account: str, journal: str, first: int, last: int
) -> AsyncIterator[Any]:
    """The lines of one account among entries `first` to `last` of a journal, in order."""
    at, place = (line.c.number, line.c.place), (first, 0)
    here = (line.c.books == books, line.c.exercise == exercise, line.c.account == account, line.c.journal == journal)
    while True:
        query = sa.select(line).where(*here, line.c.number.between(place[0], last), sa.tuple_(*at) > sa.tuple_(*place))
        page = await fetch(query.order_by(*at).limit(LINES_A_PAGE))
        for row in page:
            yield row
        if len(page) < LINES_A_PAGE:
            return
        place = (page[-1].number, page[-1].place)


async def _totals(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> list[tuple[str, str, int, int]]:
    query = (
        sa.select(line.c.account, line.c.party, _whole(line.c.debit), _whole(line.c.credit))
        .where(*where)
        .group_by(line.c.account, line.c.party)
        .order_by(line.c.account, line.c.party)
    )
    return [(account, party, debit, credit) for account, party, debit, credit in await connection.execute(query)]


def _whole(column: sa.Column[int]) -> sa.ColumnElement[int]:
    """PostgreSQL sums whole numbers into decimals."""
    return sa.cast(sa.func.sum(column), sa.BigInteger)
