"""Runs as they are kept: rows that are only ever added. What a run is now follows from them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.policies import policies, policy_at
from app.ledger.service import Moment
from app.platform.clock import now_us
from app.platform.errors import Conflict, NotFound
from app.rules.policy import Fee
from app.settlement import tables
from app.settlement.reading import Cover
from app.settlement.rules.amounts import Figures, State
from app.settlement.rules.later import Later, cents_of, without

Step = Literal["created", "frozen", "approved", "booked", "sent", "executed", "partly_failed", "closed", "cancelled"]
Answered = Literal["open", "accepted", "disputed"]


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: the ledger's position: that of the cut-off for "frozen", that of the moment for the others."""

    number: int
    kind: Step
    actor: str
    at_us: int
    at: Moment
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    id: UUID
    number: int
    cut_off_us: int
    percent: int
    events: tuple[Event, ...]

    @property
    def state(self) -> Step:
        return self.events[-1].kind

    def event(self, kind: Step) -> Event | None:
        return next((it for it in self.events if it.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement: what it adds to what the venue is owed, in euro cents, and what it is made of: transfers
    of `account` above `from_transfer`, up to `upto_transfer`. `opening`, `closing`, `units`: in its minor units."""

    number: int
    kind: str
    issuer: str
    currency: str
    units: int
    cents: int
    year: int | None = None
    account: int | None = None
    opening: int = 0
    closing: int = 0
    from_transfer: int = 0
    upto_transfer: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of a venue; `line` None: about the whole statement."""

    line: int | None
    answer: Literal["accepted", "disputed"]
    text: str
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Put:
    """What of a line waits for the next run: `units` of it, and `cents` that it therefore adds less to what the venue
    is owed. `owner`: who sees to it."""

    line: int
    units: int
    cents: int
    reason: str
    owner: str
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Statement:
    """`figures` None: the venue is not settled in this run; else what is settled now, without `later`. `frozen`: with
    it. `left_out`: why the approval left the venue to the next run."""

    venue: UUID
    state: State
    figures: Figures | None
    lines: tuple[Line, ...]
    answers: tuple[Said, ...]
    left_out: str | None = None
    later: tuple[Put, ...] = ()
    frozen: Figures | None = None

    @property
    def disputed(self) -> dict[int, Said]:
        """By line, what nobody has taken back yet."""
        found: dict[int, Said] = {}
        for it in self.answers:
            if it.answer == "disputed" and it.line is not None:
                found[it.line] = it
            elif it.line is None:
                found.clear()
            else:
                found.pop(it.line, None)
        return found

    @property
    def answered(self) -> Answered:
        """About what is settled now: a line of which something waits is disputed no more."""
        wait = {it.line for it in self.later}
        if self.disputed.keys() - wait:
            return "disputed"
        accepted = {it.line for it in self.answers if it.answer == "accepted"}
        whole = None in accepted or (self.lines and accepted | wait >= {it.number for it in self.lines})
        return "accepted" if whole else "open"

    @property
    def settled(self) -> bool:
        return self.figures is not None and self.left_out is None


async def runs(connection: AsyncConnection, *ids: UUID) -> list[Run]:
    """All of them, or these; the newest first."""
    chosen = [tables.run.c.id.in_(ids)] if ids else []
    events: dict[UUID, list[Event]] = {}
    mine = [tables.event.c.run.in_(ids)] if ids else []
    for row in await connection.execute(sa.select(tables.event).where(*mine).order_by(tables.event.c.number)):
        it = Event(row.number, row.kind, row.actor, row.at_us, Moment(row.seq, row.transfer), row.reason)
        events.setdefault(row.run, []).append(it)
    rows = await connection.execute(sa.select(tables.run).where(*chosen).order_by(tables.run.c.number.desc()))
    return [Run(row.id, row.number, row.cut_off_us, row.percent, tuple(events[row.id])) for row in rows]


async def run_named(connection: AsyncConnection, id_: UUID) -> Run:
    found = await runs(connection, id_)
    if not found:
        raise NotFound("There is no such run.")
    return found[0]


async def step(connection: AsyncConnection, run: Run, kind: Step, at: Moment, *, actor: str, reason: str = "") -> None:
    """The run's next event. Raises Conflict("run-moved-on") where somebody took another step meanwhile."""
    row = {
        "run": run.id,
        "number": run.events[-1].number + 1,
        "kind": kind,
        "actor": actor,
        "at_us": now_us(),
        "seq": at.seq,
        "transfer": at.transfer,
        "reason": reason,
    }
    try:
        await connection.execute(sa.insert(tables.event).values(row))
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody took another step meanwhile.", "run-moved-on") from error


async def statements(connection: AsyncConnection, run: UUID, venue: UUID | None = None) -> dict[UUID, Statement]:
    """By venue, in no order that means anything."""

    async def rows(table: sa.Table, *order: str) -> list[Any]:
        query = sa.select(table).where(table.c.run == run).order_by(*(table.c[it] for it in order))
        return list(await connection.execute(query if venue is None else query.where(table.c.venue == venue)))

    lines: dict[UUID, list[Line]] = {}
    for row in await rows(tables.line, "number"):
        lines.setdefault(row.venue, []).append(Line(*(getattr(row, it) for it in Line.__dataclass_fields__)))
    answers: dict[UUID, list[Said]] = {}
    for row in await rows(tables.answer, "number"):
        answers.setdefault(row.venue, []).append(Said(row.line, row.answer, row.text, row.actor, row.at_us))
    out = {row.venue: row.reason for row in await rows(tables.left_out)}
    puts: dict[UUID, dict[int, Any]] = {}
    for row in await rows(tables.later, "number"):
        puts.setdefault(row.venue, {})[row.line] = row
    agreed = {row.venue: Figures.read(json.loads(row.figures)) for row in await rows(tables.agreed)}
    fees = await _fees(connection, run) if puts else {}
    found = {}
    for row in await rows(tables.statement):
        frozen = Figures.read(json.loads(row.figures)) if row.state == "included" else None
        of = tuple(lines.get(row.venue, ()))
        now, later = _without(row.venue, frozen, of, puts.get(row.venue, {}), agreed.get(row.venue), fees)
        said = tuple(answers.get(row.venue, ()))
        found[row.venue] = Statement(row.venue, row.state, now, of, said, out.get(row.venue), later, frozen)
    return found


def _without(
    venue: UUID,
    frozen: Figures | None,
    lines: Sequence[Line],
    puts: Mapping[int, Any],
    agreed: Figures | None,
    fees: Mapping[str, Fee],
) -> tuple[Figures | None, tuple[Put, ...]]:
    """(what is settled now, what waits)."""
    waiting = {row.line: waits_of(it, row.units) for it in lines for row in [puts.get(it.number)] if row and row.units}
    if frozen is None or not waiting:
        return frozen, ()
    now = agreed if agreed is not None else without(frozen, f"venue:{venue}", list(waiting.values()), fees)
    return now, tuple(
        Put(line, it.units, cents_of(frozen, now, it), row.reason, row.owner, row.actor, row.at_us)
        for line, it in waiting.items()
        for row in [puts[line]]
    )


def waits_of(line: Line, units: int) -> Later:
    return Later(line.kind, line.issuer, line.currency, units)


async def _fees(connection: AsyncConnection, run: UUID) -> dict[str, Fee]:
    """For exchanging each currency, at a run's cut-off."""
    cut_off_us = (await run_named(connection, run)).cut_off_us
    found = await policies(connection)
    return {code: policy_at(of, cut_off_us).policy.redeem.fee for code, of in found.items()}


async def covers(connection: AsyncConnection, run: UUID) -> list[Cover]:
    query = sa.select(tables.cover).where(tables.cover.c.run == run).order_by(tables.cover.c.number)
    rows = await connection.execute(query)
    return [Cover(row.owner, row.currency, row.venue, row.units, row.venue_units) for row in rows]


async def settled_lines(
    connection: AsyncConnection, kinds: Collection[str], year: int | None = None
) -> dict[tuple[UUID, int | None], int]:
    """Euro cents of these lines in statements that were approved, by venue and year (of the line), without what was put
    off."""
    approved = sa.select(tables.event.c.run).where(tables.event.c.kind == "approved")
    out = sa.exists().where(tables.left_out.c.run == tables.line.c.run, tables.left_out.c.venue == tables.line.c.venue)
    query = (
        sa.select(tables.line.c.venue, tables.line.c.year, sa.func.sum(tables.line.c.cents).label("cents"))
        .where(tables.line.c.kind.in_(list(kinds)), tables.line.c.run.in_(approved), ~out)
        .group_by(tables.line.c.venue, tables.line.c.year)
    )
    if year is not None:
        query = query.where(tables.line.c.year == year)
    found = {(row.venue, row.year): int(row.cents) for row in await connection.execute(query)}
    newer, put = tables.later.alias("newer"), tables.later
    same = (newer.c.run == put.c.run, newer.c.venue == put.c.venue, newer.c.line == put.c.line)
    waiting = (
        sa.select(put.c.units, tables.line)
        .join(tables.line, sa.and_(tables.line.c.run == put.c.run, tables.line.c.venue == put.c.venue))
        .where(tables.line.c.number == put.c.line, ~sa.exists().where(*same, newer.c.number > put.c.number))
        .where(put.c.units > 0, tables.line.c.kind.in_(list(kinds)), tables.line.c.run.in_(approved), ~out)
    )
    for row in await connection.execute(waiting if year is None else waiting.where(tables.line.c.year == year)):
        # A claim's cents are whole multiples of its units.
        found[row.venue, row.year] -= row[0] * (row.cents // row.units_1)
    return found


async def last_settled(connection: AsyncConnection) -> dict[UUID, int]:
    """By venue, the cut-off of the last run that settled it."""
    approved = sa.select(tables.event.c.run).where(tables.event.c.kind == "approved")
    out = sa.exists().where(
        tables.left_out.c.run == tables.statement.c.run, tables.left_out.c.venue == tables.statement.c.venue
    )
    query = (
        sa.select(tables.statement.c.venue, sa.func.max(tables.run.c.cut_off_us).label("at_us"))
        .join(tables.run, tables.run.c.id == tables.statement.c.run)
        .where(tables.statement.c.state == "included", tables.statement.c.run.in_(approved), ~out)
        .group_by(tables.statement.c.venue)
    )
    return {row.venue: row.at_us for row in await connection.execute(query)}


async def keep_statements(
    connection: AsyncConnection,
    run: UUID,
    states: Mapping[UUID, State],
    figures: Mapping[UUID, Figures],
    lines: Mapping[UUID, Collection[Line]],
    owed: Collection[Cover],
) -> None:
    """What is frozen. Raises Conflict("run-moved-on")."""
    kept = [
        {
            "run": run,
            "venue": venue,
            "state": state,
            "payment_cents": figures[venue].payment if venue in figures else 0,
            "figures": json.dumps(figures[venue].kept()) if venue in figures else "{}",
        }
        for venue, state in states.items()
    ]
    rows = [
        {"run": run, "venue": venue, **{it: getattr(one, it) for it in Line.__dataclass_fields__}}
        for venue, of in lines.items()
        for one in of
    ]
    borne = [
        {"run": run, "number": number, **{it: getattr(one, it) for it in Cover.__dataclass_fields__}}
        for number, one in enumerate(owed, 1)
    ]
    try:
        for table, values in ((tables.statement, kept), (tables.line, rows), (tables.cover, borne)):
            if values:
                await connection.execute(sa.insert(table), values)
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody took another step meanwhile.", "run-moved-on") from error
