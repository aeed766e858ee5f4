"""Notices of payment providers: known by their own name, and no more than a reason to ask the provider now."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.topups import service
from app.topups.provider import Notice
from app.topups.tables import payment_event, topup

# Stripe sends a notice again for up to three days.
KEPT_US = 14 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """`new`: false for a notice that had come before, and for one that has no name of its own and is about nobody here.
    `taken_back`: it may be about a payment that was taken back."""

    new: bool
    taken_back: bool = False


async def take(engine: AsyncEngine, provider: str, notice: Notice) -> Taken:
    """Keep it, and let the top-ups that it names be asked for now, in one transaction."""
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    now = now_us()
    async with engine.begin() as connection:
        if notice.event:
            row = {"provider": provider, "event": notice.event, "at_us": now}
            kept = await connection.execute(insert(payment_event).values(row).on_conflict_do_nothing())
            if not kept.rowcount:
                return Taken(new=False)
        named = await service.by_names(connection, provider, set(notice.names))
        if ids := [it.id for it in named.values() if it.status != "credited"]:
            await connection.execute(sa.update(topup).where(topup.c.id.in_(ids)).values(ask_at_us=now))
    # Where it does not say, only what was credited can have been taken back.
    credited = any(it.status == "credited" for it in named.values())
    return Taken(bool(notice.event or named), credited if notice.taken_back is None else notice.taken_back)


async def forget_old(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.delete(payment_event).where(payment_event.c.at_us < now_us() - KEPT_US))
