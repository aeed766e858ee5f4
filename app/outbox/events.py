"""Operations as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID

from app.ledger.documents import shown
from app.ledger.service import Stretch
from app.outbox.follower import Follower

# Proxies commonly close what is silent for a minute.
ALIVE_S = 15.0
# The client then comes back by itself and is let in, or not, by the rights it has by then.
LIVES_S = 600.0
RETRY_MS = 2000
# A stretch is what one client holds in memory at most.
STRETCH = 100


async def events(
    follower: Follower,
    after: int,
    venues: Collection[UUID] | None,
    *,
    alive_s: float = ALIVE_S,
    lives_s: float = LIVES_S,
) -> AsyncIterator[str]:
    """One event for each operation after number `after`. A stretch in which these venues have nothing moves the
    client's number on without an event."""
    clock = asyncio.get_running_loop().time
    ends_s = clock() + lives_s
    yield f"retry: {RETRY_MS}\nid: {after}\n\n"
    while not follower.stopped and clock() < ends_s:
        stretch = await follower.next(after, limit=STRETCH, venues=venues, timeout_s=alive_s)
        yield _text(stretch) if stretch.upto > after else ": alive\n\n"
        after = stretch.upto


def _text(stretch: Stretch) -> str:
    told = [
        f"id: {it.seq}\nevent: operation\ndata: {shown(it, stretch.accounts).model_dump_json()}\n\n"
        for it in stretch.operations
    ]
    if not stretch.operations or stretch.operations[-1].seq < stretch.upto:
        told.append(f"id: {stretch.upto}\n\n")
    return "".join(told)
