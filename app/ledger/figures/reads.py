"""Questions to the figures. Each costs as much as there are days in the period and kinds of movement, however many
sales these were."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.figures.lots import NOWHERE
from app.ledger.figures.tables import day_flow, figures_head, lot, month_flow, spent_from, spent_month
from app.ledger.rules.kinds import Book, BookKind
from app.ledger.store.instants import balance_at
from app.ledger.tables import account, book, operation, transfer


@dataclass(frozen=True, slots=True)
class Movement:
    """What operations of one kind moved in `book` between two kinds of account, in minor units. Owners are '' for
    holders and for the issuer's own accounts. `day`: None where several days are one. `venue`: where it was booked."""

    day: date | None
    book: Book
    kind: str
    venue: UUID | None
    debit: tuple[str, str]
    credit: tuple[str, str]
    amount: int
    transfers: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A venue's account as the figures know it; minor units on its normal side."""

    book: Book
    kind: str
    owner: str
    normal: int
    balance: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Money loaded at venue `origin` (None: online, or nowhere) that went to `venue`."""

    book: Book
    origin: UUID | None
    venue: UUID | None
    amount: int


@dataclass(frozen=True, slots=True)
class Unspent:
    """What is left on cards of what was loaded on `day`."""

    book: Book
    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All figures of one snapshot. `transfer`, `booked_at_us`: the last transfer in them, and when it was booked (None:
    nothing yet). `since`: movements after the period, for balances at its end."""

    transfer: int
    booked_at_us: int | None
    movements: Sequence[Movement]
    since: Sequence[Movement]
    standings: Sequence[Standing]
    spent: Sequence[Spent]


async def picture(engine: AsyncEngine, first: date, last: date, owners: Collection[str]) -> Picture:
    """Business days `first` to `last`, both included; accounts and movements of these venues' `owners`."""
    venues = [UUID(it.partition(":")[2]) for it in owners]
    async with engine.connect() as connection:
        upto = (await connection.execute(sa.select(figures_head.c.transfer))).scalar_one()
        booked = sa.select(operation.c.booked_at_us).where(operation.c.first_transfer <= upto)
        newest = booked.order_by(operation.c.seq.desc()).limit(1)
        following = (last.replace(day=1) + timedelta(days=31)).replace(day=1) if last.year < date.max.year else date.max

        def theirs(table: sa.Table) -> sa.ColumnElement[bool]:
            return sa.or_(table.c.debit_owner.in_(owners), table.c.credit_owner.in_(owners))

        def here(table: sa.Table) -> sa.ColumnElement[bool]:
            return sa.or_(theirs(table), table.c.venue.in_([*venues, NOWHERE]))

        begin, end = whole_months(first, last)
        day, month = day_flow.c.day, month_flow.c.month
        of_period: list[Part] = [(day_flow, here(day_flow), day >= first, day <= last)]
        if begin < end:
            of_period = [
                (month_flow, here(month_flow), month >= begin, month < end),
                (day_flow, here(day_flow), day >= first, sa.or_(day < begin, day >= end), day <= last),
            ]
        return Picture(
            upto,
            (await connection.execute(newest)).scalar_one_or_none(),
            await _movements(connection, *of_period),
            await _movements(
                connection,
                (day_flow, theirs(day_flow), day > last, day < following),
                (month_flow, theirs(month_flow), month >= following),
            ),
            await _standings(connection, upto, owners),
            await _spent(connection, first, last, venues),
        )


async def days(engine: AsyncEngine, first: date, last: date, owner: str) -> list[Movement]:
    """Each day's movements of one venue, oldest first."""
    of = sa.or_(
        day_flow.c.debit_owner == owner,
        day_flow.c.credit_owner == owner,
        day_flow.c.venue == UUID(owner.partition(":")[2]),
    )
    async with engine.connect() as connection:
        return await _movements(
            connection, (day_flow, of, day_flow.c.day >= first, day_flow.c.day <= last), by_day=True
        )


@dataclass(frozen=True, slots=True)
class Resting:
    """What is on the cards (`wallets` of them) that were last used or topped up on `day`."""

    book: Book
    day: date
    amount: int
    wallets: int


async def resting(engine: AsyncEngine) -> list[Resting]:
    """What is on cards, by the day on which it last moved, oldest first. Each wallet knows its last transfer, so this
    costs as much as there are wallets."""
    query = (
        sa.select(
            operation.c.business_day.label("day"),
            sa.func.sum(account.c.balance).label("amount"),
            sa.func.count().label("wallets"),
            *_BOOK,
        )
        .join_from(account, book, book.c.id == account.c.book)
        .join(transfer, transfer.c.id == account.c.last_transfer)
        .join(operation, operation.c.seq == transfer.c.operation_seq)
        .where(account.c.kind == "wallet", account.c.balance > 0)
        .group_by(operation.c.business_day, *_BOOK)
        .order_by(operation.c.business_day)
    )
    async with engine.connect() as connection:
        return [Resting(_book(row), row.day, int(row.amount), row.wallets) for row in await connection.execute(query)]


async def unspent(engine: AsyncEngine) -> list[Unspent]:
    """What is on cards, by the day on which it was loaded, oldest first."""
    query = (
        sa.select(lot.c.day, sa.func.sum(lot.c.remaining).label("amount"), *_BOOK)
        .join_from(lot, book, book.c.id == lot.c.book)
        .where(lot.c.remaining > 0)
        .group_by(lot.c.day, *_BOOK)
        .order_by(lot.c.day)
    )
    async with engine.connect() as connection:
        return [Unspent(_book(row), row.day, int(row.amount)) for row in await connection.execute(query)]


_BOOK = (book.c.issuer, book.c.kind.label("book_kind"), book.c.currency)


def _book(row: Any) -> Book:
    return Book(row.issuer, BookKind(row.book_kind), row.currency)


Part = tuple[sa.Table, *tuple[sa.ColumnElement[bool], ...]]
_FLOW = ("kind", "venue", "debit_kind", "debit_owner", "credit_kind", "credit_owner")


async def _movements(connection: AsyncConnection, *parts: Part, by_day: bool = False) -> list[Movement]:
    """`parts`: a table of flows, and what of it."""
    found = sa.union_all(
        *(
            sa.select(
                *([table.c.day] if by_day else []),
                *(table.c[it] for it in ("book", *_FLOW, "amount", "transfers")),
            ).where(*conditions)
            for table, *conditions in parts
        )
    ).subquery()
    kept = (*([found.c.day] if by_day else []), *_BOOK, *(found.c[it] for it in _FLOW))
    amount, transfers = (sa.func.sum(found.c[it]).label(it) for it in ("amount", "transfers"))
    query = sa.select(*kept, amount, transfers).join_from(found, book, book.c.id == found.c.book)
    query = query.group_by(*kept).order_by(*kept)
    return [
        Movement(
            row.day if by_day else None,
            _book(row),
            row.kind,
            row.venue if row.venue != NOWHERE else None,
            (row.debit_kind, row.debit_owner),
            (row.credit_kind, row.credit_owner),
            int(row.amount),
            int(row.transfers),
        )
        for row in await connection.execute(query)
    ]


async def _standings(connection: AsyncConnection, upto: int, owners: Collection[str]) -> list[Standing]:
    query = (
        sa.select(
            *_BOOK,
            account.c.kind,
            account.c.owner,
            account.c.normal,
            sa.func.coalesce(balance_at(connection, upto), 0).label("at"),
        )
        .join_from(account, book, account.c.book == book.c.id)
        .where(account.c.owner.in_(owners))
        .order_by(account.c.id)
    )
    return [Standing(_book(row), row.kind, row.owner, row.normal, row.at) for row in await connection.execute(query)]


async def _spent(connection: AsyncConnection, first: date, last: date, venues: Sequence[UUID]) -> list[Spent]:
    """Whole months by the month, what stands beside them by the day."""
    begin, end = whole_months(first, last)
    day, month = spent_from.c.day, spent_month.c.month
    parts = [_part(spent_from, venues, day >= first, day < begin), _part(spent_from, venues, day >= end, day <= last)]
    if begin < end:
        parts.append(_part(spent_month, venues, month >= begin, month < end))
    else:
        parts = [_part(spent_from, venues, day >= first, day <= last)]
    found = sa.union_all(*parts).subquery()
    kept = (*_BOOK, found.c.origin, found.c.venue)
    query = (
        sa.select(*kept, sa.func.sum(found.c.amount).label("amount"))
        .join_from(found, book, book.c.id == found.c.book)
        .group_by(*kept)
        .order_by(*kept)
    )
    return [
        Spent(
            _book(row),
            row.origin if row.origin != NOWHERE else None,
            row.venue if row.venue != NOWHERE else None,
            int(row.amount),
        )
        for row in await connection.execute(query)
        if row.amount
    ]


def whole_months(first: date, last: date) -> tuple[date, date]:
    """(first day of the first month that lies whole in these days, first day after the last one); the second is not
    later than the first where there is none."""
    if last.year == date.max.year:
        return first, first
    begin = first if first.day == 1 else (first.replace(day=1) + timedelta(days=31)).replace(day=1)
    return begin, (last + timedelta(days=1)).replace(day=1)


def _part(
    table: sa.Table, venues: Sequence[UUID], *when: sa.ColumnElement[bool]
) -> sa.Select[tuple[int, UUID, UUID, int]]:
    kept = (table.c.book, table.c.origin, table.c.venue)
    of = sa.or_(table.c.origin.in_(venues), table.c.venue.in_(venues))
    query = sa.select(*kept, sa.func.sum(table.c.amount).label("amount"))
    return query.where(table.c.purpose == "claim", of, *when).group_by(*kept)


def balances_at_end(standings: Sequence[Standing], since: Sequence[Movement]) -> Mapping[tuple[Book, str, str], int]:
    """What each account held at the end of the period, by (book, kind, owner): what it holds, less what moved since."""
    after: dict[tuple[Book, str, str], int] = {}
    for it in since:
        for side, sign in ((it.debit, -1), (it.credit, 1)):
            key = (it.book, *side)
            after[key] = after.get(key, 0) + sign * it.amount
    return {
        (it.book, it.kind, it.owner): it.balance - it.normal * after.get((it.book, it.kind, it.owner), 0)
        for it in standings
    }
