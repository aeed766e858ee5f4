"""What is kept about a member: their name and roles, what was lent to them, what they paid to belong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mutual.tables import loan, member, member_role, membership


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    who = (await connection.execute(sa.select(member).where(member.c.wallet == wallet))).one_or_none()
    if who is None:
        return []
    roles = await connection.execute(sa.select(member_role.c.role).where(member_role.c.member == who.id))
    found: list[dict[str, Any]] = [{"name": who.name, "at_us": who.joined_at_us, "roles": sorted(roles.scalars())}]
    lent = await connection.execute(sa.select(loan).where(loan.c.borrower == who.id).order_by(loan.c.lent_at_us))
    for it in lent:
        points = {"currency": it.currency, "minor": it.points}
        told = {"at_us": it.lent_at_us, "thing": it.thing, "amount": points, "status": it.status}
        found.append(told | {"ended_us": it.ended_at_us})
    paid = await connection.execute(sa.select(membership).where(membership.c.member == who.id))
    for it in paid:
        price = {"currency": "EUR", "minor": it.price_cents}
        found.append({"membership": it.plan, "amount": price, "from": it.first_day, "until": it.last_day})
    return found
