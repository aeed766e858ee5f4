"""The figures against the ledger that they were worked out from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.figures.follow import PURSE, issued, moved
from app.ledger.figures.tables import (
    day_flow,
    figures_head,
    lot,
    month_flow,
    month_of,
    shortfall,
    spent_from,
    spent_month,
)
from app.ledger.store.instants import balance_at
from app.ledger.tables import account
from app.platform.database import is_sqlite

FINDINGS_MAX = 20


async def findings(connection: AsyncConnection) -> AsyncIterator[str]:
    """Each a sentence: days whose movements are not the transfers' sums, purses whose lots are not their balance."""
    upto = (await connection.execute(sa.select(figures_head.c.transfer))).scalar_one()
    if upto == 0:
        return
    said, right = sa.select(*day_flow.c), moved(0, upto)
    for wrong, found in (
        ("is in the figures and not in the transfers", sa.except_(said, right)),
        ("is in the transfers and not in the figures", sa.except_(right, said)),
    ):
        for row in await connection.execute(found.limit(FINDINGS_MAX)):
            what = f"{row.amount} by {row.kind} from {row.debit_kind} to {row.credit_kind}"
            yield f"figures of {row.day}: {what} {wrong}"
    for days, months, what in (
        (day_flow, month_flow, "what moved"),
        (spent_from, spent_month, "where money was spent"),
    ):
        for row in await connection.execute(_wrong_months(connection, days, months)):
            yield f"figures of {row.month:%Y-%m}: its days of {what} are not the month's by {row.amount}"
    for row in await connection.execute(_wrong_purses(connection, upto)):
        yield f"lots of {row.owner} in book {row.book}: they come to {row.remaining}, its accounts to {row.balance}"


def _wrong_months(connection: AsyncConnection, days: sa.Table, months: sa.Table) -> sa.Select[tuple[date, int]]:
    """Months that are not the sums of their days."""
    of = [it.name for it in months.primary_key if it.name != "month"]
    month = month_of(days.c.day, sqlite=is_sqlite(connection))
    each = sa.union_all(
        sa.select(month.label("month"), *(days.c[it] for it in of), days.c.amount),
        sa.select(months.c.month, *(months.c[it] for it in of), -months.c.amount),
    ).subquery()
    amount = sa.func.sum(each.c.amount)
    query = sa.select(each.c.month, amount.label("amount")).group_by(each.c.month, *(each.c[it] for it in of))
    return query.having(amount != 0).limit(FINDINGS_MAX)


def _wrong_purses(connection: AsyncConnection, upto: int) -> sa.Select[tuple[int, str, int, int]]:
    accounts = (
        sa.select(account.c.book, account.c.owner, sa.func.coalesce(balance_at(connection, upto), 0).label("amount"))
        .where(account.c.kind.in_(PURSE), account.c.book.in_(issued()))
        .subquery()
    )
    parts = sa.union_all(
        sa.select(accounts.c.book, accounts.c.owner, sa.literal(0).label("lots"), accounts.c.amount.label("balance")),
        sa.select(lot.c.book, lot.c.owner, lot.c.remaining, sa.literal(0)),
        sa.select(shortfall.c.book, shortfall.c.owner, -shortfall.c.remaining, sa.literal(0)),
    ).subquery()
    remaining, balance = sa.func.sum(parts.c.lots), sa.func.sum(parts.c.balance)
    return (
        sa.select(parts.c.book, parts.c.owner, remaining.label("remaining"), balance.label("balance"))
        .group_by(parts.c.book, parts.c.owner)
        .having(remaining != balance)
        .limit(FINDINGS_MAX)
    )
