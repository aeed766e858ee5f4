"""Transfers to others than venues: one file for the bank, made by one person, released by another, then answered.

Whoever makes a transfer names it by an id of its own and asks here what became of it; nothing is booked here.

Errors: Conflict("nothing-to-pay", "no-bank-account", "outgoing-released", "outgoing-not-released"),
Forbidden("same-person"), Invalid("payment-unknown"), NotFound.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.settlement import bank_details, sepa
from app.settlement.rules.accounts import Details
from app.settlement.sepa import Kind, Report
from app.settlement.tables import outgoing_answer, outgoing_file, outgoing_release, outgoing_transfer
from app.settlement.terms import NETWORK

FILES_MAX = 50


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be sent: `id` is its own, and the bank names it by the end of it."""

    id: UUID
    cents: int
    to: Details
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """`released_by` None: it waits for a second person, and the bank has not got it."""

    id: UUID
    message: str
    transfers: int
    cents: int
    made_by: str
    made_at_us: int
    released_by: str | None
    released_at_us: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    kind: Kind
    reason: str
    source: str
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A transfer in a file, and what the bank said of it, in its order."""

    id: UUID
    file: UUID
    end_to_end: str
    cents: int
    iban: str
    released: bool
    answers: tuple[Answer, ...]


async def make(connection: AsyncConnection, dues: Sequence[Due], zone: str, *, actor: str) -> UUID:
    """The file of these transfers, in the caller's transaction."""
    if not dues:
        raise Conflict("Nobody is to be paid.", "nothing-to-pay")
    now, id_ = now_us(), uuid7()
    debtor = (await bank_details.effective(connection, now)).get(NETWORK)
    if debtor is None:
        raise Conflict("The network's reserve has no bank details.", "no-bank-account")
    message, names = f"H-{id_.hex[-24:]}", {it.id: f"H-{it.id.hex[-24:]}" for it in dues}
    transfers = [sepa.Transfer(names[it.id], it.cents, it.to, it.text) for it in dues]
    document = sepa.written(message, debtor.details, transfers, business_day(now, zone) + timedelta(days=1), now)
    row = {"id": id_, "message": message, "document": document, "made_by": actor, "made_at_us": now}
    await connection.execute(sa.insert(outgoing_file).values(row))
    rows = [
        {"id": it.id, "file": id_, "end_to_end": names[it.id], "amount_cents": it.cents}
        | {"holder": it.to.holder, "iban": it.to.iban}
        for it in dues
    ]
    await connection.execute(sa.insert(outgoing_transfer), rows)
    await audit(connection, actor, "outgoing.make", f"file:{id_}", payments=len(dues))
    return id_


async def release(connection: AsyncConnection, id_: UUID, *, actor: str) -> None:
    """It may be sent: a second person says so. The same person again changes nothing."""
    it = await named(connection, id_)
    if it.made_by == actor:
        raise Forbidden("Whoever makes the file does not release it: two people do.", "same-person")
    if it.released_by == actor:
        return
    row = {"file": id_, "released_by": actor, "released_at_us": now_us()}
    try:
        await connection.execute(sa.insert(outgoing_release).values(row))
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody released it already.", "outgoing-released") from error
    await audit(connection, actor, "outgoing.release", f"file:{id_}", payments=it.transfers)


async def document(connection: AsyncConnection, id_: UUID) -> tuple[str, str]:
    """(its name, the text of the file) of one that was released."""
    it = await named(connection, id_)
    if it.released_by is None:
        raise Conflict("A second person releases the file first.", "outgoing-not-released")
    query = sa.select(outgoing_file.c.document).where(outgoing_file.c.id == id_)
    return it.message, (await connection.execute(query)).scalar_one()


async def named(connection: AsyncConnection, id_: UUID) -> File:
    found = [it for it in await files(connection, one=id_) if it.id == id_]
    if not found:
        raise NotFound("There is no such file.")
    return found[0]


async def files(connection: AsyncConnection, *, one: UUID | None = None) -> list[File]:
    """The newest first."""
    sums = sa.select(
        outgoing_transfer.c.file,
        sa.func.count().label("transfers"),
        sa.func.sum(outgoing_transfer.c.amount_cents).label("cents"),
    )
    of = sums.group_by(outgoing_transfer.c.file).subquery()
    joined = outgoing_file.join(of, of.c.file == outgoing_file.c.id).outerjoin(outgoing_release)
    query = sa.select(outgoing_file, of.c.transfers, of.c.cents, outgoing_release).select_from(joined)
    if one is not None:
        query = query.where(outgoing_file.c.id == one)
    rows = await connection.execute(query.order_by(outgoing_file.c.made_at_us.desc()).limit(FILES_MAX))
    return [
        File(
            row.id,
            row.message,
            row.transfers,
            int(row.cents),
            row.made_by,
            row.made_at_us,
            row.released_by,
            row.released_at_us,
        )
        for row in rows
    ]


async def sent(
    connection: AsyncConnection, ids: Collection[UUID] | None = None, *, unanswered: bool = False
) -> dict[UUID, Sent]:
    """Transfers of these ids, or (None) all that were released; `unanswered`: of which the bank said nothing yet."""
    released = outgoing_release.c.file.is_not(None)
    joined = outgoing_transfer.outerjoin(outgoing_release, outgoing_release.c.file == outgoing_transfer.c.file)
    query = sa.select(outgoing_transfer, released.label("released")).select_from(joined)
    query = query.where(released if ids is None else outgoing_transfer.c.id.in_(list(ids)))
    if unanswered:
        query = query.where(~sa.exists().where(outgoing_answer.c.transfer == outgoing_transfer.c.id))
    rows = (await connection.execute(query.order_by(outgoing_transfer.c.end_to_end))).all()
    said: dict[UUID, list[Answer]] = {}
    answers = sa.select(outgoing_answer).where(outgoing_answer.c.transfer.in_([row.id for row in rows]))
    for row in await connection.execute(answers.order_by(outgoing_answer.c.at_us)):
        said.setdefault(row.transfer, []).append(Answer(row.kind, row.reason, row.source, row.actor, row.at_us))
    return {
        row.id: Sent(
            row.id,
            row.file,
            row.end_to_end,
            row.amount_cents,
            row.iban,
            bool(row.released),
            tuple(said.get(row.id, ())),
        )
        for row in rows
    }


async def awaited(connection: AsyncConnection) -> list[tuple[UUID, str, int]]:
    """(transfer, end-to-end id, euro cents) of each that the bank has and has said nothing about."""
    found = await sent(connection, unanswered=True)
    return [(it.id, it.end_to_end, it.cents) for it in found.values()]


async def read_report(engine: AsyncEngine, content: bytes, *, actor: str) -> int:
    """Take in a file of the bank; how many of our transfers it is about."""
    return await take_in(engine, sepa.read(content), source=sha256(content).hexdigest(), actor=actor)


async def take_in(engine: AsyncEngine, reports: Sequence[Report], *, source: str, actor: str) -> int:
    """What the bank says; read again, it changes nothing. Invalid("payment-unknown") where none of it is about ours."""
    async with engine.begin() as connection:
        known = {it.end_to_end: it for it in (await sent(connection)).values()}
        messages = {it.id: it.message for it in await files(connection)}
        whole = [
            replace(it, end_to_end=name)
            for it in reports
            for name, of in known.items()
            if not it.end_to_end and it.message == messages.get(of.file)
        ]
        mine = list({it.end_to_end: it for it in [*whole, *reports] if it.end_to_end in known}.values())
        if not mine or any(it.cents not in {None, known[it.end_to_end].cents} for it in mine):
            raise Invalid("This file is not about transfers of ours, or not about their amounts.", "payment-unknown")
        for it in mine:
            await _say(connection, known[it.end_to_end], it, source, actor)
    return len(mine)


async def _say(connection: AsyncConnection, of: Sent, report: Report, source: str, actor: str) -> None:
    if any(it.kind == report.kind for it in of.answers) or (of.answers and of.answers[-1].kind != "executed"):
        return
    kind: Kind = report.kind
    if kind == "rejected" and of.answers:
        kind = "returned"
    elif kind == "returned" and not of.answers:
        kind = "rejected"
    row = {"transfer": of.id, "kind": kind, "reason": report.reason, "source": source, "actor": actor}
    try:
        await connection.execute(sa.insert(outgoing_answer).values(**row, at_us=now_us()))
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody took in the same answer at this moment.", "run-moved-on") from error
    await audit(connection, actor, f"outgoing.{kind}", f"transfer:{of.id}", source=source, reason=report.reason)
