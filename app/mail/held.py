"""What is kept of e-mails that other rooms sent, by their ids."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mail.tables import mail
from app.platform.clock import now_us


async def held_about(connection: AsyncConnection, ids: Collection[UUID]) -> list[dict[str, Any]]:
    """The oldest first. `email`: in part, for whoever has one card of a family reads this too; None once forgotten."""
    query = sa.select(mail).where(mail.c.id.in_(list(ids))).order_by(mail.c.created_at_us)
    return [
        {
            "at_us": it.created_at_us,
            "what": it.template,
            "email": it.recipient and in_part(it.recipient),
            "status": it.status,
        }
        for it in await connection.execute(query)
    ]


async def forget(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """To whom they went and what was in them. What waits is sent to nobody any more."""
    mine = mail.c.id.in_(list(ids))
    stopped = {"status": "failed", "next_at_us": None, "ended_at_us": now_us(), "last_error": "forgotten"}
    nothing = {"recipient": None, "data": None}
    await connection.execute(sa.update(mail).where(mine, mail.c.status == "waiting").values(**stopped, **nothing))
    await connection.execute(sa.update(mail).where(mine, mail.c.status != "waiting").values(**nothing))


async def sent_to(connection: AsyncConnection, address: str) -> list[UUID]:
    """Those to this address that were not forgotten yet."""
    query = sa.select(mail.c.id).where(sa.func.lower(mail.c.recipient) == address.lower())
    return list((await connection.execute(query)).scalars())


def in_part(address: str) -> str:
    """ "awa@example.org" is a…@example.org."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
