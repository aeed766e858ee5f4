"""Notices and periods in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.lapses.rules import EFFECTS, Effect
from app.lapses.tables import growth, notice, period
from app.platform.database import is_sqlite

Scheduled = Literal["demurrage", "dormancy", "expiry", "growth"]


@dataclass(frozen=True, slots=True)
class Group:
    """The notices of one currency and effect that fall due at one turn of a day."""

    currency: str
    effect: Effect
    period: date
    due_us: int

    @property
    def order(self) -> tuple[int, int, str]:
        """How groups are booked one after the other."""
        return self.due_us, EFFECTS.index(self.effect), self.currency


@dataclass(frozen=True, slots=True)
class Notice:
    """What a holder was told: at most `amount` minor units lapse at `due_us`, when the business day `period` begins.

    `taken`: what did, None while it is open. `policy`: the version under which it was told ("RAF@3").
    """

    id: UUID
    currency: str
    effect: Effect
    owner: str
    period: date
    due_us: int
    amount: int
    policy: str
    made_at_us: int
    taken: int | None = None

    @property
    def group(self) -> Group:
        return Group(self.currency, self.effect, self.period, self.due_us)


@dataclass(frozen=True, slots=True)
class Summary:
    """A group in figures: how many wallets, what they were told at most, and what lapsed of those already closed."""

    group: Group
    wallets: int
    announced: int
    taken: int
    open: int


@dataclass(frozen=True, slots=True)
class Grown:
    """How one member's credit limit grew at the end of a period; minor units."""

    currency: str
    owner: str
    period: date
    sold: int
    limit_before: int
    limit_after: int
    policy: str
    made_at_us: int


async def give(connection: AsyncConnection, notices: Sequence[Notice]) -> int:
    """Keep those that are new: how many."""
    ids = [it.id for it in notices]
    known = {row.id for row in await connection.execute(sa.select(notice.c.id).where(notice.c.id.in_(ids)))}
    rows = [{k: v for k, v in asdict(it).items() if k != "taken"} for it in notices if it.id not in known]
    if rows:
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        await connection.execute(insert(notice).on_conflict_do_nothing(), rows)
    return len(rows)


async def told(connection: AsyncConnection, currency: str) -> set[tuple[Effect, str]]:
    """Who has an open notice that the whole of a wallet will lapse."""
    query = sa.select(notice.c.effect, notice.c.owner).where(
        notice.c.currency == currency, notice.c.taken.is_(None), notice.c.effect != "demurrage"
    )
    return {(row.effect, row.owner) for row in await connection.execute(query)}


async def open_groups(connection: AsyncConnection, until_us: int | None = None) -> list[Group]:
    """Groups that have open notices, due at an instant or before; in the order in which they are booked."""
    query = (
        sa.select(notice.c.currency, notice.c.effect, notice.c.period, notice.c.due_us)
        .where(notice.c.taken.is_(None))
        .distinct()
    )
    if until_us is not None:
        query = query.where(notice.c.due_us <= until_us)
    found = [Group(*row) for row in await connection.execute(query)]
    return sorted(found, key=lambda it: it.order)


async def open_notices(connection: AsyncConnection, of: Group, after: UUID | None, limit: int) -> list[Notice]:
    query = _NOTICES.where(*_in(of), notice.c.taken.is_(None)).order_by(notice.c.id).limit(limit)
    if after is not None:
        query = query.where(notice.c.id > after)
    return [_notice(row) for row in await connection.execute(query)]


async def notices(connection: AsyncConnection, of: Group) -> list[Notice]:
    """All of a group, the largest first."""
    rows = await connection.execute(_NOTICES.where(*_in(of)).order_by(notice.c.amount.desc(), notice.c.id))
    return [_notice(row) for row in rows]


async def notices_of(connection: AsyncConnection, owner: str) -> list[Notice]:
    """What one holder is told now, the nearest first."""
    query = _NOTICES.where(notice.c.owner == owner, notice.c.taken.is_(None)).order_by(notice.c.due_us, notice.c.effect)
    return [_notice(row) for row in await connection.execute(query)]


async def close(connection: AsyncConnection, taken: Mapping[UUID, int], booked: Collection[UUID], now_us: int) -> None:
    """Write down what lapsed. What was booked (`booked`) is the last word; that nothing was is not, for another process
    may have come first and found something."""
    for id_, amount in sorted(taken.items()):
        where = [notice.c.id == id_] if id_ in booked else [notice.c.id == id_, notice.c.taken.is_(None)]
        await connection.execute(sa.update(notice).where(*where).values(taken=amount, closed_at_us=now_us))


async def done(
    connection: AsyncConnection, currency: str, effect: Scheduled, of: date, end_us: int, policy: str, now_us: int
) -> None:
    """Every account of the period was dealt with."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    values = {"end_us": end_us, "policy": policy, "done_at_us": now_us}
    new = insert(period).values(currency=currency, effect=effect, period=of, **values)
    await connection.execute(new.on_conflict_do_nothing())


async def last_done_us(connection: AsyncConnection, currency: str, effect: Scheduled) -> int | None:
    """The end of the newest period that is done."""
    query = sa.select(sa.func.max(period.c.end_us)).where(period.c.currency == currency, period.c.effect == effect)
    last: int | None = (await connection.execute(query)).scalar_one()
    return last


async def summaries(connection: AsyncConnection, *, is_open: bool, limit: int = 200) -> list[Summary]:
    """Groups still to come, the nearest first; or (not `is_open`) those that are over, the newest first."""
    still = sa.func.count().filter(notice.c.taken.is_(None))
    keys = (notice.c.currency, notice.c.effect, notice.c.period)
    due = sa.func.max(notice.c.due_us)
    query = (
        sa.select(
            *keys,
            due.label("due_us"),
            sa.func.count().label("wallets"),
            sa.func.sum(notice.c.amount).label("announced"),
            sa.func.coalesce(sa.func.sum(notice.c.taken), 0).label("taken"),
            still.label("still"),
        )
        .group_by(*keys)
        .having(still > 0 if is_open else still == 0)
        .order_by(due.asc() if is_open else due.desc(), *keys)
        .limit(limit)
    )
    return [
        Summary(
            Group(row.currency, row.effect, row.period, row.due_us),
            row.wallets,
            int(row.announced),
            int(row.taken),
            row.still,
        )
        for row in await connection.execute(query)
    ]


async def group(connection: AsyncConnection, currency: str, effect: Effect, of: date) -> Group | None:
    where = (notice.c.currency == currency, notice.c.effect == effect, notice.c.period == of)
    due_us = (await connection.execute(sa.select(sa.func.max(notice.c.due_us)).where(*where))).scalar_one()
    return None if due_us is None else Group(currency, effect, of, due_us)


async def write_growth(connection: AsyncConnection, it: Grown) -> bool:
    """False where this member's period is written already."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    written = await connection.execute(insert(growth).values(asdict(it)).on_conflict_do_nothing())
    return written.rowcount == 1


async def growths(connection: AsyncConnection, currency: str | None = None, limit: int = 200) -> list[Grown]:
    """The newest first."""
    query = sa.select(growth).order_by(growth.c.period.desc(), growth.c.owner).limit(limit)
    if currency is not None:
        query = query.where(growth.c.currency == currency)
    return [Grown(**row._mapping) for row in await connection.execute(query)]


_NOTICES = sa.select(
    notice.c.id,
    notice.c.currency,
    notice.c.effect,
    notice.c.owner,
    notice.c.period,
    notice.c.due_us,
    notice.c.amount,
    notice.c.policy,
    notice.c.made_at_us,
    notice.c.taken,
)


def _in(of: Group) -> tuple[sa.ColumnElement[bool], ...]:
    return notice.c.currency == of.currency, notice.c.effect == of.effect, notice.c.period == of.period


def _notice(row: Any) -> Notice:
    return Notice(**row._mapping)
