"""What moved each business day, and what there was at the end of each: from the figures, however many sales these were.

What there was is worked out backwards from what there is, so it costs as much as there are days and kinds of movement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.figures.follow import PURSE
from app.ledger.figures.tables import day_flow, figures_head, lot, shortfall
from app.ledger.rules.kinds import BookKind
from app.ledger.store.instants import balance_at
from app.ledger.tables import account, book, transfer


@dataclass(frozen=True, slots=True)
class Daily:
    """What operations of one kind moved in a money on one business day between two kinds of account; minor units."""

    day: date
    currency: str
    kind: str
    debit: str
    credit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Stocks:
    """By currency, minor units: what was issued and not taken back (`issued`), and what holders have of it, less what
    they owe (`held`); after all that is in the figures. `later`: by (currency, day), what that day added to both."""

    issued: Mapping[str, int]
    held: Mapping[str, int]
    later: Mapping[tuple[str, date], tuple[int, int]]

    def at_end_of(self, currency: str, days: Sequence[date]) -> list[tuple[int, int]]:
        """What was issued and what was held at the end of each of `days`, which are in order and of those asked for."""
        changes = sorted(((day, it) for (code, day), it in self.later.items() if code == currency), reverse=True)
        issued, held = self.issued.get(currency, 0), self.held.get(currency, 0)
        found: list[tuple[int, int]] = []
        place = 0
        for day in reversed(days):
            while place < len(changes) and changes[place][0] > day:
                issued, held = issued - changes[place][1][0], held - changes[place][1][1]
                place += 1
            found.append((issued, held))
        return found[::-1]


async def dailies(engine: AsyncEngine, first: date, last: date, venues: Collection[UUID] | None) -> list[Daily]:
    """Business days `first` to `last`, both included, oldest first; `venues`: only what was booked there."""
    kept = (day_flow.c.day, day_flow.c.book, day_flow.c.kind, day_flow.c.debit_kind, day_flow.c.credit_kind)
    sums = (
        sa.select(*kept, sa.func.sum(day_flow.c.amount).label("amount"))
        .where(day_flow.c.day >= first, day_flow.c.day <= last)
        .group_by(*kept)
    )
    if venues is not None:
        sums = sums.where(day_flow.c.venue.in_(venues))
    # Added up before their books are looked at: in the order of the table's key, and of far fewer rows.
    found = sums.subquery()
    query = (
        sa.select(found.c.day, book.c.currency, found.c.kind, found.c.debit_kind, found.c.credit_kind, found.c.amount)
        .join_from(found, book, book.c.id == found.c.book)
        .where(book.c.kind == BookKind.CURRENCY)
        .order_by(found.c.day, book.c.currency, found.c.kind, found.c.debit_kind, found.c.credit_kind)
    )
    async with engine.connect() as connection:
        return [Daily(*row[:-1], int(row[-1])) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded on `day`, and what of it is still on cards; minor units."""

    currency: str
    day: date
    amount: int
    left: int


async def loads(engine: AsyncEngine, since: date) -> list[Loaded]:
    """Days after `since`. What a void gave back, or one purse gave another, was loaded when it first was. It costs as
    much as there were loads since then."""
    again = sa.or_(transfer.c.reverses.is_not(None), account.c.kind.in_(PURSE))
    query = (
        sa.select(
            book.c.currency,
            lot.c.day,
            sa.func.sum(sa.case((again, 0), else_=lot.c.amount)).label("amount"),
            sa.func.sum(lot.c.remaining).label("left"),
        )
        .join_from(lot, book, book.c.id == lot.c.book)
        .join(transfer, transfer.c.id == lot.c.transfer)
        .join(account, account.c.id == transfer.c.debit_account)
        .where(lot.c.day > since)
        .group_by(book.c.currency, lot.c.day)
        .order_by(lot.c.day)
    )
    async with engine.connect() as connection:
        # Of a load that made a debt good, no more is told than what was beyond it; a void may give back more.
        return [
            Loaded(row.currency, row.day, max(int(row.amount), int(row.left)), int(row.left))
            for row in await connection.execute(query)
        ]


async def last_sold(engine: AsyncEngine, venues: Collection[UUID], before: date) -> date | None:
    """The last business day before this one on which a card paid at one of `venues`."""
    query = (
        sa.select(day_flow.c.day)
        .where(day_flow.c.day < before, day_flow.c.kind == "sale", day_flow.c.venue.in_(venues))
        .order_by(day_flow.c.day.desc())
        .limit(1)
    )
    async with engine.connect() as connection:
        return (await connection.execute(query)).scalar_one_or_none()


async def stocks(engine: AsyncEngine, since: date) -> Stocks:
    """What there is, and what each day after `since` added to it."""
    async with engine.connect() as connection:
        upto = (await connection.execute(sa.select(figures_head.c.transfer))).scalar_one()
        return Stocks(await _issued(connection, upto), await _held(connection), await _later(connection, since))


async def _issued(connection: AsyncConnection, upto: int) -> dict[str, int]:
    query = (
        sa.select(book.c.currency, sa.func.coalesce(balance_at(connection, upto), 0).label("amount"))
        .join_from(account, book, account.c.book == book.c.id)
        .where(book.c.kind == BookKind.CURRENCY, account.c.kind == "issuance")
    )
    return {row.currency: int(row.amount) for row in await connection.execute(query)}


async def _held(connection: AsyncConnection) -> dict[str, int]:
    """Lots are what purses hold, shortfalls what they owe."""
    found: dict[str, int] = {}
    for table, sign in ((lot, 1), (shortfall, -1)):
        sums = sa.select(table.c.book, sa.func.sum(table.c.remaining).label("amount")).where(table.c.remaining > 0)
        each = sums.group_by(table.c.book).subquery()
        query = (
            sa.select(book.c.currency, sa.func.sum(each.c.amount).label("amount"))
            .join_from(each, book, book.c.id == each.c.book)
            .group_by(book.c.currency)
        )
        for row in await connection.execute(query):
            found[row.currency] = found.get(row.currency, 0) + sign * int(row.amount)
    return found


async def _later(connection: AsyncConnection, since: date) -> dict[tuple[str, date], tuple[int, int]]:
    # An issuance grows on the debit side, a purse on the credit side.
    issued = _sum((day_flow.c.debit_kind == "issuance", 1), (day_flow.c.credit_kind == "issuance", -1))
    held = _sum((day_flow.c.credit_kind.in_(PURSE), 1), (day_flow.c.debit_kind.in_(PURSE), -1))
    found = (
        sa.select(day_flow.c.day, day_flow.c.book, issued.label("issued"), held.label("held"))
        .where(day_flow.c.day > since)
        .group_by(day_flow.c.day, day_flow.c.book)
        .subquery()
    )
    query = (
        sa.select(
            book.c.currency,
            found.c.day,
            sa.func.sum(found.c.issued).label("issued"),
            sa.func.sum(found.c.held).label("held"),
        )
        .join_from(found, book, book.c.id == found.c.book)
        .where(book.c.kind == BookKind.CURRENCY)
        .group_by(book.c.currency, found.c.day)
    )
    rows = await connection.execute(query)
    return {(row.currency, row.day): (int(row.issued), int(row.held)) for row in rows}


def _sum(*sides: tuple[sa.ColumnElement[bool], int]) -> sa.ColumnElement[Any]:
    return sa.func.sum(sum((sa.case((side, sign * day_flow.c.amount), else_=0) for side, sign in sides), sa.literal(0)))
