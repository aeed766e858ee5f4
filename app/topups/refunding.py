"""Payments that are given back, all or in part, because the network asked the provider to.

Each row is written before the provider hears of it, and its id is the idempotency key: asked for again after a crash,
it is given back once. What was paid back may still fail: the money is with us again, and whoever asked sees to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.platform.clock import now_us
from app.platform.errors import Unavailable
from app.rules.ids import uuid7
from app.topups.provider import Provider, ProviderRefused
from app.topups.tables import chargeback, chargeback_end, payment_refund, topup

_log = structlog.get_logger("comptoir.topups")

Status = Literal["planned", "pending", "paid", "failed"]

# What says nothing about the payment itself: our key, their pace, our balance there. It is asked for again.
AGAIN = frozenset({401, 403, 429})
NOT_NOW = "balance_insufficient"


@dataclass(frozen=True, slots=True)
class GivenBack:
    """So much of one payment. `payment`: the provider's name for it."""

    id: UUID
    topup: UUID
    request: UUID
    euro_cents: int
    status: Status
    reason: str
    payment: str
    provider: str
    currency: str
    changed_at_us: int


_ROWS = sa.select(payment_refund, topup.c.reference.label("payment"), topup.c.provider, topup.c.currency).join_from(
    payment_refund, topup
)


async def rooms(
    connection: AsyncConnection, wallet: UUID, currency: str, provider: str, *, locked: bool = False
) -> list[tuple[UUID, int]]:
    """(top-up, euro cents) of what payments of this wallet can give back, the newest first. `locked`: nobody plans
    another before the end of the transaction."""
    mine = (topup.c.wallet == wallet, topup.c.currency == currency, topup.c.provider == provider)
    query = sa.select(topup.c.id, topup.c.euro_cents).where(*mine, topup.c.status == "credited")
    query = query.where(topup.c.reference.is_not(None)).order_by(topup.c.created_at_us.desc(), topup.c.id.desc())
    rows = (await connection.execute(query.with_for_update() if locked else query)).all()
    gone = await _gone(connection, [row.id for row in rows])
    return [(row.id, left) for row in rows if (left := row.euro_cents - gone.get(row.id, 0)) > 0]


async def _gone(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """Euro cents of these payments that were given back, are about to be, or were taken back."""
    gone: dict[UUID, int] = {}
    given = sa.select(payment_refund.c.topup, payment_refund.c.euro_cents).where(
        payment_refund.c.topup.in_(ids), payment_refund.c.status != "failed"
    )
    taken = sa.select(chargeback.c.topup, chargeback.c.euro_cents).where(
        chargeback.c.topup.in_(ids), ~sa.exists().where(chargeback_end.c.chargeback == chargeback.c.id)
    )
    for one in [*(await connection.execute(given)), *(await connection.execute(taken))]:
        gone[one.topup] = gone.get(one.topup, 0) + one.euro_cents
    return gone


async def plan(connection: AsyncConnection, request: UUID, parts: Collection[tuple[UUID, int]]) -> None:
    """In the caller's transaction, in which `rooms` were locked."""
    now = now_us()
    rows = [
        {"id": uuid7(), "topup": of, "request": request, "euro_cents": cents, "status": "planned", "reason": ""}
        | {"planned_at_us": now, "changed_at_us": now}
        for of, cents in parts
        if cents
    ]
    if rows:
        await connection.execute(sa.insert(payment_refund), rows)


async def unplan(connection: AsyncConnection, request: UUID, reason: str) -> None:
    """What the provider was not asked for yet, and never will be: the payment can give it back to somebody else."""
    mine = (payment_refund.c.request == request, payment_refund.c.status == "planned")
    values = {"status": "failed", "reason": reason, "changed_at_us": now_us()}
    await connection.execute(sa.update(payment_refund).where(*mine).values(values))


async def left_of(connection: AsyncConnection, topups: Collection[UUID]) -> dict[UUID, int]:
    """Euro cents that each of these payments can still give back."""
    mine = (topup.c.id.in_(list(topups)), topup.c.status == "credited", topup.c.reference.is_not(None))
    rows = (await connection.execute(sa.select(topup.c.id, topup.c.euro_cents).where(*mine))).all()
    gone = await _gone(connection, [row.id for row in rows])
    return {row.id: max(0, row.euro_cents - gone.get(row.id, 0)) for row in rows}


async def of_request(connection: AsyncConnection, request: UUID, *, locked: bool = False) -> list[GivenBack]:
    """`locked`: none of them changes before the end of the transaction."""
    query = _ROWS.where(payment_refund.c.request == request).order_by(payment_refund.c.id)
    if locked:
        query = query.with_for_update(of=payment_refund)
    return [_given_back(row) for row in await connection.execute(query)]


async def asked(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, GivenBack]:
    """Those of these ids that are ours."""
    query = _ROWS.where(payment_refund.c.id.in_(list(ids)))
    return {row.id: _given_back(row) for row in await connection.execute(query)}


async def paid_of(connection: AsyncConnection, topups: Collection[UUID]) -> dict[UUID, list[int]]:
    """Euro cents that were given back of each of these payments, refund by refund."""
    query = sa.select(payment_refund.c.topup, payment_refund.c.euro_cents).where(
        payment_refund.c.topup.in_(list(topups)), payment_refund.c.status == "paid"
    )
    found: dict[UUID, list[int]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.topup, []).append(row.euro_cents)
    return found


async def failed_requests(connection: AsyncConnection) -> set[UUID]:
    query = sa.select(payment_refund.c.request).where(payment_refund.c.status == "failed").distinct()
    return set((await connection.execute(query)).scalars())


async def send(engine: AsyncEngine, provider: Provider, it: GivenBack) -> Status:
    """Ask for it, or what became of it. What the provider does not answer stays as it is, to be asked for again."""
    if it.status in {"paid", "failed"}:
        return it.status
    if it.provider != provider.name:
        return await _now(engine, it, "failed", reason="another provider")
    try:
        back = await provider.refund(it.payment, it.id, it.euro_cents)
    except ProviderRefused as refused:
        if refused.status in AGAIN or NOT_NOW in refused.reason:
            _log.error("not given back yet", refund=str(it.id), reason=refused.reason)
            return it.status
        return await _now(engine, it, "failed", reason=refused.reason)
    except Unavailable:
        return it.status
    return await _now(engine, it, back.status, reason=back.reason, reference=back.reference)


async def failed(engine: AsyncEngine, it: GivenBack, reason: str) -> None:
    """The provider says that it came back."""
    if it.status != "failed":
        await _now(engine, it, "failed", reason=reason)


async def _now(engine: AsyncEngine, it: GivenBack, status: Status, **values: Any) -> Status:
    if status == it.status:
        return status
    async with engine.begin() as connection:
        # Locked before the clock is read: whoever counts these rows counts by when they changed.
        await connection.execute(sa.select(payment_refund.c.id).where(payment_refund.c.id == it.id).with_for_update())
        same = (payment_refund.c.id == it.id, payment_refund.c.status == it.status)
        await connection.execute(
            sa.update(payment_refund).where(*same).values(status=status, changed_at_us=now_us(), **values)
        )
        query = sa.select(payment_refund.c.status).where(payment_refund.c.id == it.id)
        found: Status = (await connection.execute(query)).scalar_one()
        return found


def _given_back(row: Any) -> GivenBack:
    return GivenBack(
        row.id,
        row.topup,
        row.request,
        row.euro_cents,
        row.status,
        row.reason,
        row.payment,
        row.provider,
        row.currency,
        row.changed_at_us,
    )
