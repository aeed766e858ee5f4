"""What terminals are told at doors, what they saw there, and what a venue reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.tables import card
from app.door.tables import passage
from app.events.rules import Event
from app.events.service import events
from app.events.tables import event_price, ticket
from app.platform.database import is_sqlite
from app.rules.door import PASSED, Passage
from app.terminals.tables import terminal
from app.wire.door import DoorEvent, DoorList, DoorPassage, DoorPassages, DoorTicket, PassageRow

HOUR_US: Final = 3600 * 1_000_000
# A terminal is set up on the day before, and the last guests leave after midnight.
BEFORE_US: Final = 36 * HOUR_US
AFTER_US: Final = 12 * HOUR_US
# Rows are taken in beside each other: one may become visible after a later one was told.
OVERLAP_US: Final = 60 * 1_000_000
SHOWN_MAX: Final = 300


async def events_at(connection: AsyncConnection, venue: UUID, now_us: int) -> list[Event]:
    """Those whose door may be stood at now, the earliest first."""
    found = await events(connection, venue=venue, statuses=["published"], ends_after_us=now_us - AFTER_US)
    return [it for it in found.values() if it.doors_at_us < now_us + BEFORE_US]


async def door_list(connection: AsyncConnection, device: UUID, venue: UUID, now_us: int) -> DoorList:
    """The events of a venue now, with every ticket that there ever was: what became of it is told at the door."""
    found = await events_at(connection, venue, now_us)
    columns = (ticket.c.id, ticket.c.event, ticket.c.wallet, ticket.c.serial, ticket.c.state, ticket.c.name)
    named = (event_price.c.name_fr, event_price.c.name_en)
    query = sa.select(*columns, *named).join(event_price, event_price.c.id == ticket.c.price)
    query = query.where(ticket.c.event.in_([it.id for it in found])).order_by(ticket.c.event, ticket.c.serial)
    rows = (await connection.execute(query)).all() if found else []
    wallets = sa.select(ticket.c.wallet).where(ticket.c.event.in_([it.id for it in found]))
    cards: dict[UUID, list[str]] = {}
    asked = sa.select(card.c.wallet, card.c.uid).where(card.c.wallet.in_(wallets), card.c.status == "active")
    for wallet, uid in await connection.execute(asked.order_by(card.c.uid)) if found else ():
        # What is no chip's number is no card that could be laid down.
        if len(uid) in (8, 14, 20):
            cards.setdefault(wallet, []).append(uid)
    return DoorList(
        device=device,
        events=tuple(
            DoorEvent(
                id=it.id,
                titles=_names(it.title_fr, it.title_en),
                doors_at_us=it.doors_at_us,
                starts_at_us=it.starts_at_us,
                ends_at_us=it.ends_at_us,
                capacity=it.capacity,
            )
            for it in found
        ),
        tickets=tuple(
            DoorTicket(
                id=row.id,
                event=row.event,
                serial=row.serial,
                state=row.state,
                price=_names(row.name_fr, row.name_en),
                name=row.name,
                cards=tuple(cards.get(row.wallet, ())),
            )
            for row in rows
        ),
    )


async def passages_since(connection: AsyncConnection, venue: UUID, after_us: int, now_us: int) -> DoorPassages:
    """What terminals told of the venue's doors since then (our clock), the oldest first."""
    found = [it.id for it in await events_at(connection, venue, now_us)]
    rows = await connection.execute(
        sa.select(passage, terminal.c.name)
        .join(terminal, terminal.c.id == passage.c.terminal)
        .where(passage.c.event.in_(found), passage.c.received_at_us >= after_us - OVERLAP_US)
        .where(passage.c.result.in_(sorted(PASSED)))
        .order_by(passage.c.received_at_us, passage.c.id)
    )
    told = tuple(
        DoorPassage(
            id=row.id,
            ticket=row.ticket,
            at_event=row.event,
            direction=row.direction,
            at_us=row.at_us,
            terminal=row.name,
        )
        for row in rows
    )
    return DoorPassages(passages=told, until_us=now_us)


async def record(connection: AsyncConnection, device: UUID, rows: Sequence[PassageRow], now_us: int) -> None:
    """Written down as it happened; what is there already stays."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    values = [
        {
            "id": it.id,
            "event": it.at_event,
            "ticket": it.ticket,
            "terminal": device,
            "direction": it.direction,
            "result": it.result,
            "means": it.means,
            "cashier": it.cashier,
            "at_us": it.at_us,
            "received_at_us": now_us,
        }
        for it in rows
    ]
    await connection.execute(insert(passage).values(values).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Seen:
    """One row as people read it. `serial`: null where we issued no such ticket for this event."""

    ticket: UUID
    serial: int | None
    name: str | None
    price_fr: str
    price_en: str
    result: str
    passage: Passage


async def seen_at(connection: AsyncConnection, event: UUID) -> list[Seen]:
    """Everything that terminals saw at an event's door, the newest first."""
    rows = await connection.execute(
        sa.select(
            passage.c.ticket,
            passage.c.direction,
            passage.c.result,
            passage.c.at_us,
            terminal.c.name.label("at"),
            ticket.c.serial,
            ticket.c.name,
            event_price.c.name_fr,
            event_price.c.name_en,
        )
        .join(terminal, terminal.c.id == passage.c.terminal)
        .outerjoin(ticket, sa.and_(ticket.c.id == passage.c.ticket, ticket.c.event == passage.c.event))
        .outerjoin(event_price, event_price.c.id == ticket.c.price)
        .where(passage.c.event == event)
        .order_by(passage.c.at_us.desc(), passage.c.id.desc())
    )
    return [
        Seen(
            row.ticket,
            row.serial,
            row.name,
            row.name_fr or "",
            row.name_en or "",
            row.result,
            Passage(row.direction, row.at_us, row.at),
        )
        for row in rows
    ]


def _names(fr: str, en: str) -> dict[str, str]:
    return {"fr": fr or en, "en": en or fr}
