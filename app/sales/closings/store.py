"""Closings in the database: sealed on the way in, and read again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.sales.closings.document import GENESIS, ClosingDocument, PeriodKind, digest_of
from app.sales.tables import closing, closing_part


@dataclass(frozen=True, slots=True)
class Sealed:
    """A closing with its seal. `text` is what was sealed; `document` is read from it."""

    text: str
    document: ClosingDocument
    previous: bytes
    digest: bytes
    signature: bytes
    sealed_at_us: int


async def lock(connection: AsyncConnection) -> None:
    """One at a time: a number is given after the number before is known. On SQLite whoever writes is alone anyway."""
    if not is_sqlite(connection):
        await connection.execute(sa.text("LOCK TABLE closing IN EXCLUSIVE MODE"))


async def seal(
    connection: AsyncConnection, key: Ed25519PrivateKey, document: ClosingDocument, parts: Collection[UUID] = ()
) -> None:
    """Add a closing at the end of its subject's chain. Whoever calls holds the lock."""
    before = await newest(connection, document.subject, document.period)
    previous = before.digest if before else GENESIS
    text = document.text()
    digest = digest_of(previous, text)
    await connection.execute(
        sa.insert(closing).values(
            id=document.id,
            period=document.period,
            subject=document.subject,
            number=document.number,
            venue=document.venue,
            day=document.day,
            document=text,
            previous=previous,
            digest=digest,
            signature=key.sign(digest),
            sealed_at_us=now_us(),
        )
    )
    for part in parts:
        await connection.execute(sa.insert(closing_part).values(part=part, whole=document.id))


async def newest(connection: AsyncConnection, subject: UUID, period: PeriodKind) -> Sealed | None:
    query = sa.select(closing).where(closing.c.subject == subject, closing.c.period == period)
    row = (await connection.execute(query.order_by(closing.c.number.desc()).limit(1))).one_or_none()
    return _sealed(row) if row else None


async def before(connection: AsyncConnection, subject: UUID, period: PeriodKind, number: int) -> Sealed | None:
    """The closing that stands before `number`, whether or not all between them came in."""
    here = (closing.c.subject == subject, closing.c.period == period, closing.c.number < number)
    query = sa.select(closing).where(*here).order_by(closing.c.number.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return _sealed(row) if row else None


async def numbered(connection: AsyncConnection, subject: UUID, period: PeriodKind, number: int) -> Sealed | None:
    here = (closing.c.subject == subject, closing.c.period == period, closing.c.number == number)
    row = (await connection.execute(sa.select(closing).where(*here))).one_or_none()
    return _sealed(row) if row else None


async def named(connection: AsyncConnection, id_: UUID) -> Sealed | None:
    row = (await connection.execute(sa.select(closing).where(closing.c.id == id_))).one_or_none()
    return _sealed(row) if row else None


async def ungathered(connection: AsyncConnection, venue: UUID, period: PeriodKind) -> list[Sealed]:
    """Closings of a venue that no longer period contains yet, the oldest first."""
    query = (
        sa.select(closing)
        .outerjoin(closing_part, closing_part.c.part == closing.c.id)
        .where(closing.c.venue == venue, closing.c.period == period, closing_part.c.part.is_(None))
        .order_by(closing.c.day, closing.c.sealed_at_us, closing.c.id)
    )
    return [_sealed(row) for row in await connection.execute(query)]


async def of_year(connection: AsyncConnection, subject: UUID, period: PeriodKind, year: int) -> list[Sealed]:
    """What was closed of a calendar year, the oldest first."""
    query = sa.select(closing).where(
        closing.c.subject == subject,
        closing.c.period == period,
        closing.c.day.between(date(year, 1, 1), date(year, 12, 31)),
    )
    return [_sealed(row) for row in await connection.execute(query.order_by(closing.c.number))]


async def some(
    connection: AsyncConnection,
    venues: Collection[UUID] | None,
    periods: Sequence[PeriodKind],
    limit: int,
) -> list[Sealed]:
    """The newest closings of these venues (None: of all), the newest first."""
    query = sa.select(closing).where(
        closing.c.period.in_(periods), sa.true() if venues is None else closing.c.venue.in_(venues)
    )
    rows = await connection.execute(query.order_by(closing.c.sealed_at_us.desc(), closing.c.id.desc()).limit(limit))
    return [_sealed(row) for row in rows]


async def chains_at(connection: AsyncConnection, venue: UUID) -> list[Sealed]:
    """All closings of a venue, and those that its terminals made elsewhere: whole chains, each in order."""
    here = sa.select(closing.c.subject).where(closing.c.venue == venue)
    query = sa.select(closing).where(closing.c.subject.in_(here))
    rows = await connection.execute(query.order_by(closing.c.subject, closing.c.period, closing.c.number))
    return [_sealed(row) for row in rows]


def _sealed(row: Any) -> Sealed:
    return Sealed(
        row.document,
        ClosingDocument.read(row.document),
        bytes(row.previous),
        bytes(row.digest),
        bytes(row.signature),
        row.sealed_at_us,
    )
