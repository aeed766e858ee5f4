"""What tills show of memberships when a card is tapped: no names, no addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.members.plans import plans
from app.members.tables import member_term
from app.venues.service import the_network, venues
from app.wire import SnapshotPlan

# How long it is still told that a membership has ended.
TOLD_AFTER_DAYS: Final = 60

Memberships = Mapping[UUID, tuple[tuple[str, date], ...]]
"""By wallet: (a plan's key, the last day)."""


async def shown_at_tills(connection: AsyncConnection, today: date) -> Memberships:
    """Who is a member today, or was not long ago; of several terms of one plan, how far they reach together."""
    last = sa.func.max(member_term.c.last_day)
    query = (
        sa.select(member_term.c.wallet, member_term.c.plan, last.label("last"))
        .where(member_term.c.state == "held", member_term.c.last_day >= today - timedelta(TOLD_AFTER_DAYS))
        .group_by(member_term.c.wallet, member_term.c.plan)
        .having(sa.func.min(member_term.c.first_day) <= today)
    )
    found: dict[UUID, list[tuple[str, date]]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.wallet, []).append((_key(row.plan), row.last))
    return {wallet: tuple(sorted(them)) for wallet, them in found.items()}


async def plans_at_tills(connection: AsyncConnection) -> tuple[SnapshotPlan, ...]:
    network, at = await the_network(connection), await venues(connection)
    return tuple(
        SnapshotPlan(
            key=_key(it.id),
            names={"fr": it.name_fr, "en": it.name_en},
            of=at[it.venue].name if it.venue else network.name,
        )
        for it in (await plans(connection)).values()
    )


def _key(plan: UUID) -> str:
    """Short, for it travels with each card: the random end of the plan's id."""
    return plan.hex[-8:]
