"""What is kept about a wallet's disputes, and what of it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.disputes.rules import EMAIL_KEPT_US, TEXTS_KEPT_US
from app.disputes.service import letter_of
from app.disputes.tables import dispute
from app.platform.clock import now_us

# A refusal has words; where they were forgotten, these.
FORGOTTEN = "–"


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    query = sa.select(dispute).where(dispute.c.wallet == wallet).order_by(dispute.c.opened_at_us)
    return [
        {
            "at_us": it.opened_at_us,
            "operation": it.sale,
            "reason": it.reason,
            "text": it.text,
            "email": it.email,
            "status": it.state,
            "answer": it.answer,
            "answered_us": it.answered_at_us,
        }
        for it in await connection.execute(query)
    ]


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    rows = await connection.execute(sa.select(dispute.c.id).where(dispute.c.wallet == wallet))
    return [letter_of(id_) for id_ in rows.scalars()]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """What was said by both; that there was a dispute, and how it ended, stays beside its sale."""
    await _forget(connection, dispute.c.wallet == wallet)


async def forget_old(connection: AsyncConnection) -> None:
    """Words of those answered long ago, and addresses that no answer came for."""
    now = now_us()
    await _forget(connection, dispute.c.answered_at_us < now - TEXTS_KEPT_US)
    unanswered = (dispute.c.opened_at_us < now - EMAIL_KEPT_US, dispute.c.email.is_not(None))
    await connection.execute(sa.update(dispute).where(*unanswered).values(email=None))


async def _forget(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> None:
    answer = sa.case((dispute.c.state == "refused", FORGOTTEN), else_="")
    await connection.execute(sa.update(dispute).where(which).values(text="", email=None, answer=answer))
