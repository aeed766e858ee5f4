"""Sales that holders dispute: their venue's to answer, and the network's to look at where that takes too long."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.disputes import service
from app.inbox.rules import Fault
from app.platform.clock import now_us

OPEN, LATE = "sale-dispute", "late-dispute"


async def disputed(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Fault]:
    """Those that wait, or those named."""
    found = await service.standing(connection, ids) if ids is None or ids else []
    return [
        Fault(
            f"{OPEN}:{it.id}",
            "sale-disputed",
            it.opened_at_us,
            it.venue,
            operation=it.sale,
            cause=it.state == "open",
            facts={"dispute": str(it.id), "said": it.reason, "text": it.text},
        )
        for it in found
    ]


async def unanswered(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Fault]:
    """Those of which the network should ask the venue; or those named."""
    found, now = await service.standing(connection, ids) if ids is None or ids else [], now_us()
    return [
        Fault(
            f"{LATE}:{it.id}",
            "dispute-unanswered",
            it.opened_at_us,
            cause=it.state == "open",
            operation=it.sale,
            facts={"dispute": str(it.id), "said": it.reason, "text": it.text},
        )
        for it in found
        if ids is not None or it.late(now)
    ]
