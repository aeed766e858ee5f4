"""What the batches of gifts and of vouchers have in common: kept before anything is booked, found again by their id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.issuing.tables import issue_batch
from app.platform.errors import Invalid, NotFound

BatchKind = Literal["gifts", "vouchers"]


@dataclass(frozen=True, slots=True)
class Batch:
    """`amount`: minor units in all; `parts`: of how many operations or vouchers it is made; `content`: SHA-256 of what
    was asked for. `valid_until_us`: of vouchers, None where they have no end. `wallet`: of a voucher
    that a holder bought, whose."""

    id: UUID
    kind: BatchKind
    currency: str
    venue: UUID | None
    amount: int
    parts: int
    reason: str
    valid_until_us: int | None
    actor: str
    content: bytes
    made_at_us: int
    wallet: UUID | None = None


def content_of(*asked: object) -> bytes:
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).digest()


async def batch_of(connection: AsyncConnection, id_: UUID) -> Batch:
    """Raises NotFound."""
    row = (await connection.execute(sa.select(issue_batch).where(issue_batch.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such batch.")
    return _batch(row)


async def recent_batches(connection: AsyncConnection, kind: BatchKind, limit: int = 100) -> list[Batch]:
    """Those made by hand, the newest first."""
    where = sa.and_(issue_batch.c.kind == kind, issue_batch.c.wallet.is_(None))
    rows = await connection.execute(
        sa.select(issue_batch).where(where).order_by(issue_batch.c.made_at_us.desc(), issue_batch.c.id).limit(limit)
    )
    return [_batch(row) for row in rows]


async def known_batch(connection: AsyncConnection, id_: UUID, content: bytes) -> Batch | None:
    """The batch, if it was kept before. Raises Invalid("idempotency-key-reused") where it was another one."""
    row = (await connection.execute(sa.select(issue_batch).where(issue_batch.c.id == id_))).one_or_none()
    if row is None:
        return None
    found = _batch(row)
    if found.content != content:
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    return found


async def keep(
    connection: AsyncConnection, new: Batch, rows: Sequence[tuple[sa.Table, list[dict[str, Any]]]] = ()
) -> None:
    """The batch, and what else it is made of by table. IntegrityError when somebody else has kept it meanwhile."""
    await connection.execute(sa.insert(issue_batch).values(asdict(new)))
    for table, values in rows:
        await connection.execute(sa.insert(table), values)


def _batch(row: Any) -> Batch:
    return Batch(**{**row._mapping, "content": bytes(row.content)})
