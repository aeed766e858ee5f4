"""Tickets that terminals let in twice: each door decided rightly by what it knew, and one of the two may be a copy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.door.service import HOUR_US
from app.door.tables import passage
from app.events.tables import event, event_price, ticket
from app.rules.door import PASSED, Passage, doubtful
from app.terminals.tables import terminal

# After this nobody at the door remembers; the event's page still tells.
TOLD_FOR_US: Final = 60 * 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Twice:
    """`pairs`: each two that let it in without a way out between them; none where a way out came in late.
    `serial`: None where no such ticket was issued for this event."""

    ticket: UUID
    event: UUID
    venue: UUID
    title_fr: str
    title_en: str
    serial: int | None
    price_fr: str
    price_en: str
    pairs: tuple[tuple[Passage, Passage], ...]
    last_us: int


async def let_in_twice(
    connection: AsyncConnection, now_us: int, tickets: Collection[UUID] | None = None
) -> list[Twice]:
    """Of events of the last two months; or those named, whether they were or not."""
    mine = (passage.c.result.in_(sorted(PASSED)), event.c.id == passage.c.event)
    if tickets is None:
        several = (
            sa.select(passage.c.ticket)
            .where(*mine, passage.c.direction == "in", event.c.ends_at_us > now_us - TOLD_FOR_US)
            .group_by(passage.c.ticket)
            .having(sa.func.count() > 1)
        )
        tickets = list((await connection.execute(several)).scalars())
    if not tickets:
        return []
    query = (
        sa.select(
            *(passage.c.ticket, passage.c.event, passage.c.direction, passage.c.at_us, terminal.c.name.label("at")),
            *(event.c.venue, event.c.title_fr, event.c.title_en, ticket.c.serial),
            *(event_price.c.name_fr, event_price.c.name_en),
        )
        .join(event, event.c.id == passage.c.event)
        .join(terminal, terminal.c.id == passage.c.terminal)
        .outerjoin(ticket, sa.and_(ticket.c.id == passage.c.ticket, ticket.c.event == passage.c.event))
        .outerjoin(event_price, event_price.c.id == ticket.c.price)
        .where(passage.c.ticket.in_(sorted(tickets)), passage.c.result.in_(sorted(PASSED)))
        .order_by(passage.c.at_us, passage.c.id)
    )
    found: dict[tuple[UUID, UUID], list[Any]] = {}
    for row in await connection.execute(query):
        found.setdefault((row.ticket, row.event), []).append(row)
    return [_twice(rows) for rows in found.values()]


def _twice(rows: list[Any]) -> Twice:
    it = rows[0]
    pairs = doubtful([Passage(row.direction, row.at_us, row.at) for row in rows])
    return Twice(
        *(it.ticket, it.event, it.venue, it.title_fr, it.title_en, it.serial, it.name_fr or "", it.name_en or ""),
        pairs=tuple(pairs),
        last_us=max((after.at_us for _, after in pairs), default=rows[-1].at_us),
    )
