"""What is kept about a wallet's memberships, and what of it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.members.reminders import letter_of
from app.members.tables import consultation, consultation_option, consultation_voter, member_term


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The oldest first."""
    query = sa.select(member_term).where(member_term.c.wallet == wallet).order_by(member_term.c.asked_at_us)
    return [
        {
            "at_us": it.asked_at_us,
            "name": it.name,
            "email": it.email,
            "from": it.first_day,
            "until": it.last_day,
            "status": it.state,
            "reason": it.end_reason,
        }
        for it in await connection.execute(query)
    ]


async def votes_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """Where they voted, the oldest first; and what, where the vote bears their name. Of a secret one that is kept
    nowhere."""
    voter, option = consultation_voter, consultation_option
    answer = sa.and_(option.c.consultation == consultation.c.id, option.c.position == voter.c.choice)
    query = (
        sa.select(consultation.c.opens_at_us, consultation.c.question, option.c.words)
        .select_from(voter)
        .join(consultation, consultation.c.id == voter.c.consultation)
        .outerjoin(option, answer)
        .where(voter.c.wallet == wallet, voter.c.voted)
        .order_by(consultation.c.opens_at_us, consultation.c.id)
    )
    return [
        {"opened_us": row.opens_at_us, "question": row.question, "chosen": row.words}
        for row in await connection.execute(query)
    ]


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """The reminders that may have been written."""
    terms = await connection.execute(sa.select(member_term.c.id).where(member_term.c.wallet == wallet))
    return [letter_of(id_) for id_ in terms.scalars()]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """The address, and with it the reminder. The name stays in the register, which the law asks for."""
    mine = sa.update(member_term).where(member_term.c.wallet == wallet)
    await connection.execute(mine.values(email=None, reminded=None))
