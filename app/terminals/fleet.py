"""The fleet as its managers see it: each terminal with what it told and what it needs, the most pressing first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.terminals import service
from app.terminals.rules import Judged, Seen, judge
from app.terminals.status import Told, told


@dataclass(frozen=True, slots=True)
class Member:
    """One terminal. `row`: its row of the table; `told`: its last word about itself."""

    row: Any
    told: Told | None
    judged: Judged
    silent_s: int


@cache
def own_version() -> str:
    return version("comptoir")


async def fleet(connection: AsyncConnection, sees: Callable[[UUID], bool]) -> list[Member]:
    """The terminals of the venues that somebody `sees`."""
    words, now = await told(connection), now_us()
    rows = [row for row in await service.terminals(connection) if sees(row.venue)]
    forks = await _forks_seen(connection, words)
    members = [_member(row, words.get(row.id), now, forks) for row in rows]
    return sorted(members, key=lambda it: (-it.judged.level, it.row.status == "revoked", it.row.name.casefold()))


async def _forks_seen(connection: AsyncConnection, words: Mapping[UUID, Told]) -> Mapping[tuple[UUID, int], int]:
    """Journals (terminal, epoch) of which another terminal that may sell was shown two branches, and from which row on.
    The word of one that was revoked is not taken: whoever stole it might say anything."""
    trusted = {row.id for row in await service.terminals(connection) if row.status == "active"}
    return {
        (fork.device, fork.epoch): fork.sequence
        for reporter, it in words.items()
        if reporter in trusted
        for fork in it.status.forks
        if fork.device != reporter
    }


def _member(row: Any, it: Told | None, now: int, forks: Mapping[tuple[UUID, int], int]) -> Member:
    silent_s = max(0, now - row.seen_at_us) // 1_000_000
    seen = Seen(
        row.status,
        row.waiting,
        row.skew_ms,
        silent_s,
        it.status if it else None,
        own_version(),
        row.to_review,
        fork_seen=forks.get((row.id, row.epoch)),
        kind=row.kind,
    )
    return Member(row, it, judge(seen), silent_s)
