"""Tickets that were let in twice, at doors that could not know of each other."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.door.twice import let_in_twice
from app.inbox.rules import Fault
from app.platform.clock import now_us
from app.venues.service import venues

TWICE = "twice"


async def twice(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Fault]:
    """Those that stand, or those named. A way out that a terminal delivers late ends one; else somebody does."""
    found = await let_in_twice(connection, now_us(), ids) if ids is None or ids else []
    at = await venues(connection) if found else {}
    return [
        Fault(
            f"{TWICE}:{it.ticket}",
            "let-in-twice",
            it.last_us,
            it.venue,
            cause=bool(it.pairs),
            facts={
                "event": str(it.event),
                "titles": {"fr": it.title_fr or it.title_en, "en": it.title_en or it.title_fr},
                "prices": {"fr": it.price_fr or it.price_en, "en": it.price_en or it.price_fr},
                "number": "?" if it.serial is None else it.serial,
                "pairs": it.pairs,
                "zone": at[it.venue].zone,
                "happened_at_us": it.last_us,
            },
        )
        for it in found
        if ids is not None or it.pairs
    ]
