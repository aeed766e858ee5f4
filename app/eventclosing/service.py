"""An event's terminals, cut-off and days of refunds: kept, and read by whoever goes by them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.eventclosing.rules import Closing, Window
from app.eventclosing.tables import event_closing, event_terminal
from app.events.rules import Event
from app.events.tables import event
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Invalid, NotFound
from app.terminals.service import terminals
from app.terminals.status import told


@dataclass(frozen=True, slots=True)
class InUse:
    """A terminal of the event's venue. `seen_at_us`: when it was last heard of; `waiting`: rows it had still to send
    then."""

    id: UUID
    name: str
    chosen: bool
    seen_at_us: int
    waiting: int


async def closing_of(connection: AsyncConnection, of: UUID) -> Closing:
    row = (await connection.execute(sa.select(event_closing).where(event_closing.c.event == of))).one_or_none()
    return Closing() if row is None else Closing(row.cut_off_us, _window(row))


async def set_closing(connection: AsyncConnection, actor: str, at: Event, now: Closing) -> None:
    """Raises Invalid for a cut-off before the event's doors, or refunds that end before they begin."""
    if now.cut_off_us is not None and now.cut_off_us < at.doors_at_us:
        raise Invalid("The cut-off is before the doors open.", field="cut_off")
    if now.refund is not None and now.refund.closes < now.refund.opens:
        raise Invalid("Refunds would end before they begin.", field="refund_closes")
    opens, closes = (None, None) if now.refund is None else (str(now.refund.opens), str(now.refund.closes))
    row = {"cut_off_us": now.cut_off_us, "refund_opens": opens, "refund_closes": closes, "changed_at_us": now_us()}
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    new = insert(event_closing).values(event=at.id, **row)
    await connection.execute(new.on_conflict_do_update(index_elements=["event"], set_=row))
    await audit(
        connection,
        actor,
        "event.closing",
        f"event:{at.id}",
        venue=at.venue,
        title=at.title_fr,
        cut_off_us=now.cut_off_us,
        refund_opens=opens,
        refund_closes=closes,
    )


async def terminals_of(connection: AsyncConnection, at: Event) -> list[InUse]:
    """The tills of the event's venue that may sell, and those that were chosen for it, by name."""
    mine = sa.select(event_terminal.c.terminal).where(event_terminal.c.event == at.id)
    chosen, words = set((await connection.execute(mine)).scalars()), await told(connection)
    found = []
    for row in await terminals(connection):
        if row.id in chosen or (row.venue == at.venue and row.status == "active" and row.kind == "till"):
            word = words.get(row.id)
            waiting = row.waiting if word is None else max(row.waiting, word.status.waiting)
            found.append(InUse(row.id, row.name, row.id in chosen, row.seen_at_us, waiting))
    return sorted(found, key=lambda it: it.name.casefold())


async def set_terminals(connection: AsyncConnection, actor: str, at: Event, wanted: Collection[UUID]) -> None:
    """These and no others are in use. NotFound: one that is no till of the event's venue."""
    # One after the other: of two that choose at once, the second finds what the first chose.
    await connection.execute(sa.select(event.c.id).where(event.c.id == at.id).with_for_update())
    known = {it.id: it.name for it in await terminals_of(connection, at)}
    if not set(wanted) <= known.keys():
        raise NotFound("There is no such terminal at the event's venue.")
    await connection.execute(sa.delete(event_terminal).where(event_terminal.c.event == at.id))
    if rows := [{"event": at.id, "terminal": id_} for id_ in sorted(set(wanted))]:
        await connection.execute(sa.insert(event_terminal), rows)
    names = ", ".join(sorted(known[id_] for id_ in wanted))
    await audit(
        connection, actor, "event.terminals", f"event:{at.id}", venue=at.venue, title=at.title_fr, terminals=names
    )


async def refund_windows(connection: AsyncConnection) -> list[Window]:
    """The days of refunds of all events that take place or took place, the earliest first."""
    query = sa.select(event_closing).join(event, event.c.id == event_closing.c.event)
    query = query.where(event_closing.c.refund_opens.is_not(None), event.c.status == "published")
    rows = await connection.execute(query.order_by(event_closing.c.refund_opens, event_closing.c.event))
    return [found for row in rows if (found := _window(row)) is not None]


def _window(row: Any) -> Window | None:
    if row.refund_opens is None:
        return None
    return Window(date.fromisoformat(row.refund_opens), date.fromisoformat(row.refund_closes))
