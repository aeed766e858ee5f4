"""What of settlements needs a person: lines that a venue disputes, and amounts that were put off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import Currency, currencies
from app.inbox.rules import Fault
from app.ledger.service import Ledger
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.errors import Invalid
from app.rules.ids import derived
from app.settlement import later, store, tables
from app.settlement.store import Line, Statement


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


async def can_wait(
    connection: AsyncConnection, facts: Mapping[str, Any], venue: UUID | None, known: Mapping[str, Currency]
) -> tuple[int, Unit, str] | None:
    """How much of a disputed line may be settled later, as an amount to be shown; None: nothing of it."""
    of, line = await _line(connection, facts, venue)
    units = later.can_wait(of, line)
    if not units:
        return None
    return (units, *_unit(line, known))


async def put_off(
    ledger: Ledger, facts: Mapping[str, Any], venue: UUID | None, typed: str, reason: str, owner: str, *, actor: str
) -> None:
    """Raises as app.settlement.later.put_off does, and Invalid("later-not-an-amount")."""
    async with ledger.reader.connect() as connection:
        of, line = await _line(connection, facts, venue)
        unit, _ = _unit(line, await currencies(connection))
    try:
        units = parse_amount(typed, unit)
    except AmountNotUnderstood as error:
        raise Invalid("Write the amount like 12.50.", "later-not-an-amount", field="amount") from error
    await later.put_off(ledger, UUID(facts["run"]), of.venue, line.number, units, reason, owner, actor=actor)


def _unit(line: Line, known: Mapping[str, Currency]) -> tuple[Unit, str]:
    currency = known.get(line.currency) if line.kind == "claim" else None
    return (Unit.CENT, "€") if currency is None else (currency.unit, currency.symbol)


async def _line(connection: AsyncConnection, facts: Mapping[str, Any], venue: UUID | None) -> tuple[Statement, Line]:
    kept = await store.statements(connection, UUID(facts["run"]), venue)
    (of,) = [it for it in kept.values() if it.venue == venue]
    (line,) = [it for it in of.lines if it.number == facts["line"]]
    return of, line
