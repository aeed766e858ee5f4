"""The fleet as its managers see it: each terminal with what it told and what it needs, the most pressing first."""

from __future__ import annotations

from collections.abc import Callable
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
    members = [_member(row, words.get(row.id), now) for row in rows]
    return sorted(members, key=lambda it: (-it.judged.level, it.row.status == "revoked", it.row.name.casefold()))


def _member(row: Any, it: Told | None, now: int) -> Member:
    silent_s = max(0, now - row.seen_at_us) // 1_000_000
    seen = Seen(row.status, row.waiting, row.skew_ms, silent_s, it.status if it else None, own_version(), row.to_review)
    return Member(row, it, judge(seen), silent_s)
