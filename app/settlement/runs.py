"""A settlement run, step by step, as people take them: begin, freeze, answer, approve or cancel.

Every step is one transaction that adds rows. What a step books is in app.settlement.booking; whoever approves is never
whoever made the run, and the database says so too.

Errors: NotFound, Conflict("run-open", "run-moved-on", "cut-off-refused", "answers-missing"), Forbidden("same-person").
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.ledger.service import Ledger, Moment
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.ids import uuid7
from app.settlement import invoices, later, store, tables
from app.settlement.bank_details import effective
from app.settlement.freezing import frozen_of
from app.settlement.guards import OVER
from app.settlement.store import Run, Statement
from app.settlement.terms import network_terms

DAY_US = 24 * 3_600_000_000
TEXT_MAX = 500


async def begin(ledger: Ledger, cut_off_us: int, percent: int, *, actor: str) -> Run:
    """A run over everything that is booked by an instant. One is open at a time."""
    if not 1 <= percent <= 100:
        raise Invalid("A share is 1 to 100 percent.")
    at = await ledger.history.moment()
    id_, now = uuid7(), now_us()
    async with ledger.engine.begin() as connection:
        earlier = await store.runs(connection)
        if earlier and not any(it.kind in OVER for it in earlier[0].events):
            raise Conflict("Another run is open: finish or cancel it first.", "run-open")
        row = {"id": id_, "number": len(earlier) + 1, "cut_off_us": cut_off_us, "percent": percent}
        first = {"run": id_, "number": 1, "kind": "created", "actor": actor, "at_us": now, "reason": ""}
        try:
            await connection.execute(sa.insert(tables.run).values(row))
            await connection.execute(sa.insert(tables.event).values(**first, seq=at.seq, transfer=at.transfer))
        except sa.exc.IntegrityError as error:
            raise Conflict("Another run is open: finish or cancel it first.", "run-open") from error
        await audit(connection, actor, "settlement.begin", f"run:{id_}", cut_off_us=cut_off_us, percent=percent)
        return await store.run_named(connection, id_)


async def freeze(ledger: Ledger, id_: UUID, *, actor: str) -> Run:
    """Write down what every venue is owed at the cut-off. Nothing of it ever changes again."""
    async with ledger.reader.connect() as connection:
        run = await store.run_named(connection, id_)
        earlier = [it for it in await store.runs(connection) if it.number < run.number]
    if run.state != "created":
        return _same(run, "frozen")
    if run.cut_off_us > now_us():
        raise Conflict("The cut-off is still to come.", "cut-off-refused")
    at = await ledger.history.moment(run.cut_off_us)
    sent = [it.at.seq for of in earlier for it in of.events if it.kind in {"booked", "sent"}]
    if at.seq < max(sent, default=0):
        raise Conflict("An earlier run was still being paid at the cut-off: choose a later one.", "cut-off-refused")
    found = await frozen_of(ledger, run, at, _last_cut_off(earlier))
    async with ledger.engine.begin() as connection:
        await store.keep_statements(connection, id_, found.states, found.figures, found.lines, found.covers)
        await store.step(connection, run, "frozen", at, actor=actor)
        await audit(connection, actor, "settlement.freeze", f"run:{id_}", seq=at.seq)
        return await store.run_named(connection, id_)


async def answer(
    ledger: Ledger,
    id_: UUID,
    venue: UUID,
    said: Literal["accepted", "disputed"],
    *,
    line: int | None = None,
    text: str = "",
    actor: str,
) -> Statement:
    """What a venue says about its statement or one of its lines; a dispute names the line and says why."""
    text = text.strip()[:TEXT_MAX]
    async with ledger.engine.begin() as connection:
        run = await store.run_named(connection, id_)
        of = (await store.statements(connection, id_, venue)).get(venue)
        if of is None or of.figures is None:
            raise NotFound("This venue has no statement in this run.")
        if run.state != "frozen":
            raise Conflict("The run waits for no answers.", "run-moved-on")
        if line is not None and line not in {it.number for it in of.lines}:
            raise NotFound("There is no such line.")
        if said == "disputed" and (line is None or not text):
            raise Invalid("Say which line, and why.")
        row = {"run": id_, "venue": venue, "number": len(of.answers) + 1, "line": line, "answer": said, "text": text}
        try:
            await connection.execute(sa.insert(tables.answer).values(**row, actor=actor, at_us=now_us()))
        except sa.exc.IntegrityError as error:
            raise Conflict("Somebody answered at the same time: look again.", "run-moved-on") from error
        await audit(connection, actor, f"settlement.{said}", f"run:{id_}", venue=str(venue), line=line, text=text)
        return (await store.statements(connection, id_, venue))[venue]


async def approve(ledger: Ledger, id_: UUID, *, leave_out: Collection[UUID] = (), actor: str) -> Run:
    """By a second person. Disputed statements and those of `leave_out` wait for the next run, and so do amounts that
    were put off (app.settlement.later).

    A venue that has not answered stops the run for as long as the terms let it look.
    """
    at = await ledger.history.moment()
    async with ledger.engine.begin() as connection:
        run = await store.run_named(connection, id_)
        if run.state != "frozen":
            return _same(run, "approved")
        if actor in {it.actor for it in run.events}:
            raise Forbidden("Whoever makes a run does not approve it: two people do.", "same-person")
        frozen = run.event("frozen")
        days = (await network_terms(connection)).answer_days
        silence_counts = frozen is not None and now_us() >= frozen.at_us + days * DAY_US
        settled: list[Statement] = []
        for it in (await store.statements(connection, id_)).values():
            if it.figures is None:
                continue
            reason = "chosen" if it.venue in leave_out else "disputed" if it.answered == "disputed" else ""
            if reason:
                await connection.execute(sa.insert(tables.left_out).values(run=id_, venue=it.venue, reason=reason))
                continue
            if it.answered == "open" and not silence_counts:
                raise Conflict("Some venues have not answered yet: leave them out, or wait.", "answers-missing")
            settled.append(it)
        await later.agree(connection, id_, settled)
        await invoices.bill(connection, run, settled)
        await store.step(connection, run, "approved", at, actor=actor)
        await audit(connection, actor, "settlement.approve", f"run:{id_}", left_out=[str(it) for it in leave_out])
        return await store.run_named(connection, id_)


async def cancel(ledger: Ledger, id_: UUID, *, reason: str, actor: str) -> Run:
    """Before the approval: nothing was booked, and everything is found again by the next run."""
    at = await ledger.history.moment()
    async with ledger.engine.begin() as connection:
        run = await store.run_named(connection, id_)
        if run.state not in {"created", "frozen"}:
            return _same(run, "cancelled")
        await store.step(connection, run, "cancelled", at, actor=actor, reason=reason.strip()[:TEXT_MAX])
        await audit(connection, actor, "settlement.cancel", f"run:{id_}", reason=reason)
        return await store.run_named(connection, id_)


async def close(ledger: Ledger, id_: UUID, *, actor: str) -> Run:
    """When the bank has answered for every payment, or there was none."""
    at = await ledger.history.moment()
    async with ledger.engine.begin() as connection:
        run = await store.run_named(connection, id_)
        if run.state not in {"booked", "executed", "partly_failed"}:
            return _same(run, "closed")
        if run.state == "booked" and await _payable(connection, id_):
            raise Conflict("There are payments to send first.", "run-moved-on")
        await store.step(connection, run, "closed", at, actor=actor)
        await audit(connection, actor, "settlement.close", f"run:{id_}")
        return await store.run_named(connection, id_)


async def _payable(connection: AsyncConnection, id_: UUID) -> bool:
    """Whether there is somebody to pay, whose bank account is known."""
    accounts = await effective(connection, now_us())
    kept = (await store.statements(connection, id_)).values()
    return any(
        it.figures.payment and f"venue:{it.venue}" in accounts for it in kept if it.settled and it.figures is not None
    )


def _same(run: Run, wanted: store.Step) -> Run:
    """The run, where the step was taken already; asked twice, it is taken once."""
    if run.event(wanted) is None:
        raise Conflict("The run is not where this step begins.", "run-moved-on")
    return run


def _last_cut_off(earlier: Collection[Run]) -> Moment:
    """The position of the cut-off that was last settled: openings stand there."""
    settled = [it for it in earlier if it.event("approved") is not None]
    frozen = max(settled, key=lambda it: it.number).event("frozen") if settled else None
    return frozen.at if frozen is not None else Moment(0, 0)
