"""What of settlements needs a person: lines that a venue disputes, and amounts that were put off."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.inbox.rules import Fault
from app.rules.ids import derived
from app.settlement import later, store, tables


def dispute_id(run: UUID, venue: UUID, line: int) -> UUID:
    return derived("dispute", run, venue, line)


async def disputed(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Fault]:
    """Of runs that wait for answers, or those named whatever became of them."""
    query = sa.select(tables.answer).where(tables.answer.c.answer == "disputed").order_by(tables.answer.c.number)
    if ids is None:
        over = sa.select(tables.event.c.run).where(tables.event.c.kind.in_(["approved", "cancelled"]))
        query = query.where(tables.answer.c.run.not_in(over))
    said = {
        (row.run, row.venue, row.line): row
        for row in await connection.execute(query)
        if ids is None or dispute_id(row.run, row.venue, row.line) in ids
    }
    found = []
    for run in await store.runs(connection, *{it[0] for it in said}) if said else ():
        kept = await store.statements(connection, run.id)
        for (of_run, venue, number), row in said.items():
            if of_run != run.id:
                continue
            of = kept[venue]
            line = next(it for it in of.lines if it.number == number)
            stands = run.state == "frozen" and number in of.disputed and number not in {it.line for it in of.later}
            facts = {"run": str(run.id), "number": run.number, "line": number, "cents": line.cents, "reason": row.text}
            key = f"dispute:{dispute_id(run.id, venue, number)}"
            found.append(Fault(key, "line-disputed", row.at_us, venue, cause=stands, facts=facts))
    return [it for it in found if ids is not None or it.cause]


async def waiting(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Fault]:
    """What was put off and is in no later run yet, or those named."""
    found = []
    for it in await later.put_offs(connection) if ids is None or ids else ():
        if it.over if ids is None else it.id not in ids:
            continue
        facts = {"run": str(it.run.id), "number": it.run.number, "line": it.line.number}
        facts |= {"cents": it.put.cents, "reason": it.put.reason}
        key, at_us = f"later:{it.id}", it.put.at_us
        found.append(Fault(key, "put-off", at_us, it.venue, cause=not it.over, owner=it.put.owner, facts=facts))
    return found
