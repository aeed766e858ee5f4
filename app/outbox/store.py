"""The rows of webhooks: what admins change, and the lease under which one process at a time sends.

Every change of a sender is conditional on its lease and on the cursor it read, so whatever was paused, deleted or taken
over meanwhile is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.outbox.tables import webhook


@dataclass(frozen=True, slots=True)
class Webhook:
    """`state`: "active", "paused" by an admin, or "disabled" after failing for too long. `cursor`: the last operation
    that the receiver has confirmed. `failing_since_us`: None while all is well."""

    id: UUID
    url: str
    state: str
    secret_version: int
    old_secret_until_us: int
    cursor: int
    sending_upto: int | None
    attempts: int
    failing_since_us: int | None
    next_attempt_at_us: int
    last_error: str | None
    delivered_at_us: int | None
    created_at_us: int
    created_by: str


_COLUMNS = [webhook.c[name] for name in Webhook.__dataclass_fields__]


async def insert(connection: AsyncConnection, row: Webhook) -> None:
    values = {name: getattr(row, name) for name in Webhook.__dataclass_fields__}
    await connection.execute(webhook.insert().values(**values, leased_by=None, leased_until_us=0))


async def all_of(connection: AsyncConnection) -> list[Webhook]:
    rows = await connection.execute(sa.select(*_COLUMNS).order_by(webhook.c.created_at_us, webhook.c.id))
    return [_webhook(row) for row in rows]


async def change(connection: AsyncConnection, id_: UUID, **values: Any) -> Webhook | None:
    """The row as it is now; None if there is none."""
    row = await connection.execute(webhook.update().where(webhook.c.id == id_).values(**values).returning(*_COLUMNS))
    found = row.one_or_none()
    return None if found is None else _webhook(found)


def next_version() -> sa.ColumnElement[int]:
    """For `change`: the secret's version after the present one."""
    return webhook.c.secret_version + 1


async def delete(connection: AsyncConnection, id_: UUID) -> bool:
    return (await connection.execute(webhook.delete().where(webhook.c.id == id_))).rowcount == 1


async def due(connection: AsyncConnection, newest: int, now_us: int, sender: UUID) -> list[UUID]:
    """Those that have something to be sent now, and that nobody else is sending."""
    rows = await connection.execute(sa.select(webhook.c.id).where(*_free(newest, now_us, sender)))
    return [row.id for row in rows]


async def lease(
    connection: AsyncConnection, id_: UUID, sender: UUID, *, newest: int, batch: int, now_us: int, until_us: int
) -> Webhook | None:
    """Take or renew the lease, and fix which operations the next batch holds; None if there is nothing to do now.

    `newest`: the ledger's newest operation. The decision is the UPDATE's own, so of two processes one gets it.
    """
    end = sa.case((webhook.c.cursor + batch < newest, webhook.c.cursor + batch), else_=newest)
    row = await connection.execute(
        webhook.update()
        .where(webhook.c.id == id_, *_free(newest, now_us, sender))
        .values(leased_by=sender, leased_until_us=until_us, sending_upto=sa.func.coalesce(webhook.c.sending_upto, end))
        .returning(*_COLUMNS)
    )
    found = row.one_or_none()
    return None if found is None else _webhook(found)


async def confirm(connection: AsyncConnection, sent: Webhook, sender: UUID, now_us: int) -> bool:
    """The receiver has the batch. False if it is no longer this sender's to say so."""
    done = await connection.execute(
        webhook.update()
        .where(*_mine(sent, sender))
        .values(
            cursor=sent.sending_upto,
            sending_upto=None,
            attempts=0,
            failing_since_us=None,
            next_attempt_at_us=0,
            last_error=None,
            delivered_at_us=now_us,
        )
    )
    return done.rowcount == 1


async def fail(
    connection: AsyncConnection, sent: Webhook, sender: UUID, *, error: str, now_us: int, next_us: int, disable: bool
) -> None:
    """The receiver does not have the batch; try again at `next_us`, or not before an admin says so."""
    await connection.execute(
        webhook.update()
        .where(*_mine(sent, sender))
        .values(
            state=sa.case(
                (sa.and_(webhook.c.state == "active", sa.literal(disable)), "disabled"), else_=webhook.c.state
            ),
            attempts=webhook.c.attempts + 1,
            failing_since_us=sa.func.coalesce(webhook.c.failing_since_us, now_us),
            next_attempt_at_us=next_us,
            last_error=error,
        )
    )


async def release(connection: AsyncConnection, id_: UUID, sender: UUID) -> None:
    await connection.execute(
        webhook.update()
        .where(webhook.c.id == id_, webhook.c.leased_by == sender)
        .values(leased_by=None, leased_until_us=0)
    )


def _free(newest: int, now_us: int, sender: UUID) -> list[sa.ColumnElement[bool]]:
    return [
        webhook.c.state == "active",
        webhook.c.cursor < newest,
        webhook.c.next_attempt_at_us <= now_us,
        sa.or_(webhook.c.leased_by.is_(None), webhook.c.leased_by == sender, webhook.c.leased_until_us <= now_us),
    ]


def _mine(sent: Webhook, sender: UUID) -> list[sa.ColumnElement[bool]]:
    return [webhook.c.id == sent.id, webhook.c.leased_by == sender, webhook.c.cursor == sent.cursor]


def _webhook(row: Any) -> Webhook:
    return Webhook(**row._mapping)
