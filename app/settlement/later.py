"""Amounts of a statement that are settled later, as people put them off: with a reason, and somebody who sees to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.identity.people import people
from app.identity.rights import allows
from app.identity.roles import Principal
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.ids import derived
from app.settlement import store, tables
from app.settlement.rules.later import most
from app.settlement.store import Line, Put, Run, Statement

TEXT_MAX = 500

_TOO_MUCH = Invalid("Not so much of this line can wait.", "later-too-much", field="units")


async def put_off(
    ledger: Ledger, id_: UUID, venue: UUID, line: int, units: int, reason: str, owner: str, *, actor: str
) -> Statement:
    """`units` of a line wait for the next run (0: none of it, after all); of a claim, minor units of its currency, else
    euro cents. `owner`: who sees to it ("person:<id>"). Raises NotFound, Conflict("run-moved-on"),
    Invalid("later-too-much", "later-needs-reason")."""
    reason = reason.strip()[:TEXT_MAX]
    async with ledger.engine.begin() as connection:
        run = await store.run_named(connection, id_)
        of = (await store.statements(connection, id_, venue)).get(venue)
        if of is None or of.frozen is None or (at := _line(of, line)) is None:
            raise NotFound("There is no such line.")
        if run.state != "frozen":
            raise Conflict("The run is not to be changed any more.", "run-moved-on")
        if not 0 <= units <= most(of.frozen, at.kind, at.issuer, at.currency):
            raise _TOO_MUCH
        if units and not (reason and owner):
            raise Invalid("Say why it waits, and who sees to it.", "later-needs-reason", field="reason")
        last = sa.select(sa.func.count()).where(tables.later.c.run == id_, tables.later.c.venue == venue)
        number = 1 + int((await connection.execute(last)).scalar_one())
        row = {"run": id_, "venue": venue, "number": number, "line": line, "units": units, "reason": reason}
        try:
            await connection.execute(sa.insert(tables.later).values(**row, owner=owner, actor=actor, at_us=now_us()))
        except sa.exc.IntegrityError as error:
            raise Conflict("Somebody took another step meanwhile.", "run-moved-on") from error
        told = {"venue": str(venue), "line": line, "units": units, "reason": reason, "owner": owner}
        await audit(connection, actor, "settlement.later", f"run:{id_}", **told)
        return (await store.statements(connection, id_, venue))[venue]


def can_wait(of: Statement, line: Line) -> int:
    """How much of a line can wait, in its units."""
    return most(of.frozen, line.kind, line.issuer, line.currency) if of.frozen is not None else 0


async def agree(connection: AsyncConnection, run: UUID, settled: Iterable[Statement]) -> None:
    """Keep what is settled now of statements of which something waits, in the transaction of the approval."""
    rows = [
        {
            "run": run,
            "venue": it.venue,
            "payment_cents": it.figures.payment,
            "figures": json.dumps(it.figures.kept()),
        }
        for it in settled
        if it.later and it.figures is not None
    ]
    if rows:
        await connection.execute(sa.insert(tables.agreed), rows)


@dataclass(frozen=True, slots=True)
class PutOff:
    """An amount that waits, or waited. `over`: a later run has settled the venue, so it waits no longer by this one."""

    run: Run
    venue: UUID
    line: Line
    put: Put
    over: bool

    @property
    def id(self) -> UUID:
        return derived("put-off", self.run.id, self.venue, self.line.number)


async def put_offs(connection: AsyncConnection, *, venue: UUID | None = None) -> list[PutOff]:
    """Of all runs that were approved, or of one venue in them; the newest run first."""
    query = sa.select(tables.later.c.run).where(tables.later.c.units > 0).distinct()
    named = list((await connection.execute(query)).scalars())
    if not named:
        return []
    settled = await _last_settled(connection)
    found = []
    for run in await store.runs(connection, *named):
        if run.event("approved") is None:
            continue
        for of in (await store.statements(connection, run.id, venue)).values():
            if of.settled:
                over = settled[of.venue] > run.number
                found += [PutOff(run, of.venue, at, it, over) for it in of.later for at in [_line(of, it.line)] if at]
    return found


async def _last_settled(connection: AsyncConnection) -> dict[UUID, int]:
    """By venue, the number of the last run that settled it."""
    approved = sa.select(tables.event.c.run).where(tables.event.c.kind == "approved")
    of, out = tables.statement, tables.left_out
    left = sa.exists().where(out.c.run == of.c.run, out.c.venue == of.c.venue)
    query = (
        sa.select(of.c.venue, sa.func.max(tables.run.c.number).label("number"))
        .join(tables.run, tables.run.c.id == of.c.run)
        .where(of.c.state == "included", of.c.run.in_(approved), ~left)
        .group_by(of.c.venue)
    )
    return {row.venue: row.number for row in await connection.execute(query)}


async def from_before(connection: AsyncConnection, run: Run, venue: UUID) -> list[PutOff]:
    """What the run before, of those that settled this venue, had put off: it is in this run."""
    earlier = [it for it in await put_offs(connection, venue=venue) if it.run.number < run.number]
    last = max((it.run.number for it in earlier), default=0)
    between = [
        it for it in await store.runs(connection) if last < it.number < run.number and it.event("approved") is not None
    ]
    for it in between:
        of = (await store.statements(connection, it.id, venue)).get(venue)
        if of is not None and of.settled:
            return []
    return [it for it in earlier if it.run.number == last]


async def owners(connection: AsyncConnection) -> dict[str, str]:
    """Names of those who may see to what waits, by how the audit log names them: whoever prepares settlements."""
    return {
        f"person:{it.id}": it.name
        for it in (await people(connection)).values()
        if allows(Principal(grants=it.grants, person=it.id), "put_off_settlement")
    }


def _line(of: Statement, number: int) -> Line | None:
    return next((it for it in of.lines if it.number == number), None)
