"""Payments that the provider has and that no top-up here knows: a backup was restored, or it was paid twice. Somebody
gives them back on the provider's pages; they are settled once that is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.rules.ids import derived
from app.topups import service
from app.topups.provider import Payment, Provider
from app.topups.tables import stray_payment, topup

_log = structlog.get_logger("comptoir.topups")

AT_ONCE = 100
SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class Stray:
    """`topup`: the one that the payment says it is for. `settled_at_us`: when it was seen to be given back."""

    id: UUID
    provider: str
    reference: str
    topup: UUID | None
    euro_cents: int
    found_at_us: int
    settled_at_us: int | None = None


async def look(engine: AsyncEngine, provider: Provider, since_us: int) -> None:
    """Go through what was paid to the provider since an instant: what is ours and not credited is asked for now, a
    payment whose name we had no time to write down is taken for its top-up's, and what is nobody's is kept."""
    some: list[Payment] = []
    async for it in provider.paid_since(since_us):
        some.append(it)
        if len(some) == AT_ONCE:
            await _sort(engine, provider.name, some)
            some = []
    if some:
        await _sort(engine, provider.name, some)


async def _sort(engine: AsyncEngine, provider: str, told: Sequence[Payment]) -> None:
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    names = {it.reference for it in told} | {str(it.topup) for it in told if it.topup is not None}
    async with engine.begin() as connection:
        known = await service.by_names(connection, provider, names)
        for it in told:
            of = known.get(it.reference) or known.get(str(it.topup))
            if of is not None and of.reference in {None, it.reference}:
                if of.status != "credited":
                    # A name that is there already stays: somebody else was quicker.
                    nameless = sa.update(topup).where(topup.c.id == of.id, topup.c.reference.is_(None))
                    await connection.execute(nameless.values(reference=it.reference))
                    await connection.execute(sa.update(topup).where(topup.c.id == of.id).values(ask_at_us=now_us()))
                continue
            id_ = derived("stray", provider, it.reference)
            row = {"id": id_, "provider": provider, "reference": it.reference, "topup": it.topup}
            row |= {"euro_cents": it.euro_cents or 0, "found_at_us": now_us()}
            kept = await connection.execute(insert(stray_payment).values(row).on_conflict_do_nothing())
            if kept.rowcount:
                _log.error("a payment that no top-up knows", provider=provider, reference=it.reference)
            if it.refunded_cents >= (it.euro_cents or 0) > 0:
                here = (stray_payment.c.id == id_, stray_payment.c.settled_at_us.is_(None))
                await connection.execute(sa.update(stray_payment).where(*here).values(settled_at_us=now_us()))


async def listed(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Stray]:
    """Those that are not settled, the first found first; or those named, however they stand."""
    where = stray_payment.c.settled_at_us.is_(None) if ids is None else stray_payment.c.id.in_(list(ids))
    query = sa.select(stray_payment).where(where).order_by(stray_payment.c.found_at_us).limit(SHOWN_MAX)
    return [Stray(**row) for row in (await connection.execute(query)).mappings()]


async def oldest_us(connection: AsyncConnection) -> int | None:
    """Since when there is one that is not settled."""
    query = sa.select(sa.func.min(stray_payment.c.found_at_us)).where(stray_payment.c.settled_at_us.is_(None))
    found: int | None = (await connection.execute(query)).scalar_one()
    return found
