"""The intake of terminals' journals: keep every byte first, then book each event once, in order, by its id.

A sale that was delivered is always booked. What is wrong with it becomes an exception for a person, never a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Invalid
from app.rules.ids import uuid7
from app.sales import late
from app.sales.booking import Counter
from app.sales.plain import PlainSaleRow, read_plain
from app.sales.tables import exception, intake
from app.terminals import service as terminals
from app.terminals.rows import Exceptions, HandlersOf
from app.terminals.service import Terminal
from app.wire import AnyRow, Batch, JournalRow, Row, SaleRow, SyncReply, read_payload, row_hash

_log = structlog.get_logger("comptoir.intake")

Read = AnyRow | PlainSaleRow


async def receive(
    engine: AsyncEngine, ledger: Ledger, counter: Counter, batch: Batch, handlers: HandlersOf, *, over: bool = False
) -> SyncReply:
    """Take one batch in. The reply acknowledges what is kept *and* booked, or asks for rows that are missing.

    `over`: the terminal has a later epoch by now. What it had not delivered is booked all the same, at the venue of
    then, unless that epoch's journal had forked: then it is another copy that speaks, and a person decides.
    """
    device = counter.terminal.id
    if over and await _in_review(engine, counter.terminal):
        return await receive_late(engine, counter.terminal, batch, "old_epoch")
    _check_chain(batch)
    read = {row.sequence: read_row(row) for row in batch.rows}
    fresh, new, applied, forked = await _keep(engine, device, batch, read)
    skew_ms = (batch.sent_at_us - now_us()) // 1000
    if forked or (counter.terminal.status == "quarantined" and not over):
        async with engine.begin() as connection:
            if not over:
                await terminals.quarantine(connection, device)
                await terminals.seen(connection, device, batch.waiting, skew_ms)
            kept = await late.hold(connection, counter.terminal, batch, new, "old_epoch" if over else "forked")
        _log.error("journal forked", terminal=str(device), epoch=batch.epoch, applied=applied)
        return _held(batch, kept)
    if fresh and fresh[0].sequence > applied + 1:
        return SyncReply(acknowledged=applied, resend_from=applied + 1, server_time_us=now_us())
    exceptions = Exceptions()
    await book(ledger, counter, [(row, read[row.sequence]) for row in fresh], handlers, exceptions)
    async with engine.begin() as connection:
        await open_exceptions(connection, counter, exceptions)
        if fresh:
            await terminals.advance(connection, device, batch.epoch, fresh[-1].sequence, fresh[-1].hash)
        await terminals.seen(connection, device, batch.waiting, skew_ms)
        applied, _ = await terminals.mark(connection, device, batch.epoch)
    return SyncReply(
        acknowledged=applied, exceptions=tuple(event for event, _, _ in exceptions.found), server_time_us=now_us()
    )


async def receive_late(engine: AsyncEngine, at: Terminal, batch: Batch, why: late.Why) -> SyncReply:
    """Take in what waits for a person: nothing of it is booked. Invalid("review-full")."""
    _check_chain(batch)
    read = {row.sequence: read_row(row) for row in batch.rows}
    async with engine.begin() as connection:
        await late.require_room(connection, at)
    _, new, _, _ = await _keep(engine, at.id, batch, read)
    async with engine.begin() as connection:
        kept = await late.hold(connection, at, batch, new, why)
    _log.warning("rows wait for a review", terminal=str(at.id), epoch=batch.epoch, why=why)
    return _held(batch, kept)


async def _in_review(engine: AsyncEngine, at: Terminal) -> bool:
    async with engine.connect() as connection:
        return await late.in_review(connection, at)


def _held(batch: Batch, kept: int) -> SyncReply:
    """Kept is acknowledged: the terminal need not send it again, and may be paired anew."""
    resend_from = None if kept else max(1, batch.rows[0].sequence - len(batch.rows))
    acknowledged = kept or (resend_from or 1) - 1
    return SyncReply(acknowledged=acknowledged, resend_from=resend_from, quarantined=True, server_time_us=now_us())


def _check_chain(batch: Batch) -> None:
    """Each row names its predecessor's hash and has its own right. Anything else is no journal of ours.

    Nor are zero bytes, which no JSON text holds and PostgreSQL could not keep.
    """
    previous: JournalRow | None = None
    for row in batch.rows:
        linked = previous is None or (row.sequence == previous.sequence + 1 and row.previous == previous.hash)
        linked = linked and "\0" not in row.payload
        if not linked or row_hash(batch.device, batch.epoch, row.sequence, row.previous, row.payload) != row.hash:
            raise Invalid(f"Row {row.sequence} does not continue the journal.", "broken-chain")
        previous = row


async def _keep(
    engine: AsyncEngine, device: UUID, batch: Batch, read: Mapping[int, Read | None]
) -> tuple[list[JournalRow], list[JournalRow], int, bool]:
    """Write down what is new, before anything is made of it. (rows above the mark, new rows, the mark, whether it
    forked)."""
    async with engine.begin() as connection:
        applied, head = await terminals.mark(connection, device, batch.epoch)
        first, last = batch.rows[0].sequence, batch.rows[-1].sequence
        at = (intake.c.device == device, intake.c.epoch == batch.epoch)
        rows = await connection.execute(
            sa.select(intake.c.sequence, intake.c.hash).where(*at, intake.c.sequence.between(first, last))
        )
        held: dict[int, set[str]] = {}
        for row in rows:
            held.setdefault(row.sequence, set()).add(row.hash)
        forked = any(row.sequence in held and held[row.sequence] != {row.hash} for row in batch.rows)
        fresh = [row for row in batch.rows if row.sequence > applied]
        if fresh and fresh[0].sequence == applied + 1 and fresh[0].previous != head:
            forked = True
        new = [row for row in batch.rows if row.hash not in held.get(row.sequence, ())]
        if new:
            await _write_down(connection, device, batch.epoch, [_kept(row, read[row.sequence]) for row in new])
    return fresh, new, applied, forked


def _kept(row: JournalRow, payload: Read | None) -> tuple[object, ...]:
    """In the order of _OF_ROW. A row that can't be read asks for something too, nobody knows what; it goes by its
    hash."""
    event = payload.event if payload else unreadable(row.hash)
    return row.sequence, row.previous, row.hash, row.payload, event


# What of a kept row differs from row to row; in PostgreSQL one array each, for that is one statement for all of them.
_OF_ROW = (intake.c.sequence, intake.c.previous, intake.c.hash, intake.c.payload, intake.c.event)
_IN_ARRAYS = sa.select(
    sa.func.unnest(*(sa.bindparam(it.name, type_=postgresql.ARRAY(it.type)) for it in _OF_ROW))
    .table_valued(*(sa.column(it.name, it.type) for it in _OF_ROW), name="arrived")
    .render_derived()
)


async def _write_down(
    connection: AsyncConnection, device: UUID, epoch: int, rows: Sequence[tuple[object, ...]]
) -> None:
    names = [it.name for it in _OF_ROW]
    of_all = {"device": device, "epoch": epoch, "received_at_us": now_us()}
    if is_sqlite(connection):
        await connection.execute(sa.insert(intake), [of_all | dict(zip(names, row, strict=True)) for row in rows])
        return
    alike = [sa.literal(value, intake.c[name].type).label(name) for name, value in of_all.items()]
    insert = sa.insert(intake).from_select([*names, *of_all], _IN_ARRAYS.add_columns(*alike))
    await connection.execute(insert, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


class Kept(Protocol):
    """A row as it is kept, of a batch or of the table."""

    @property
    def sequence(self) -> int: ...

    @property
    def hash(self) -> str: ...


def unreadable(row_hash: str) -> UUID:
    """The same row taken in again is the same exception."""
    return UUID(row_hash[:32])


def read_row(row: JournalRow) -> Read | None:
    """None: it can't be read."""
    if (plain := read_plain(row.payload)) is not None:
        return plain
    try:
        return read_payload(row.payload)
    except ValidationError:
        return None


async def book(
    ledger: Ledger,
    counter: Counter,
    rows: Sequence[tuple[Kept, Read | None]],
    handlers: HandlersOf,
    exceptions: Exceptions,
) -> None:
    """In order: rows of one kind that follow each other in one go, for sales come in hundreds.

    Between them stand intents and refusals, which book nothing and so do not part a run.
    """
    run: list[Read] = []
    of_run: type[Row] | None = None
    for row, payload in rows:
        if payload is None:
            exceptions.add(unreadable(row.hash), "unreadable", sequence=row.sequence)
            _log.error("journal row not understood", terminal=str(counter.terminal.id), sequence=row.sequence)
            continue
        kind = SaleRow if isinstance(payload, PlainSaleRow) else type(payload)
        if kind not in handlers:
            continue
        if of_run is not None and of_run is not kind:
            await handlers[of_run](ledger, counter, run, exceptions)
            run = []
        run.append(payload)
        of_run = kind
    if of_run is not None:
        await handlers[of_run](ledger, counter, run, exceptions)


async def open_exceptions(connection: AsyncConnection, counter: Counter, exceptions: Exceptions) -> None:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    for event, kind, details in exceptions.found:
        await connection.execute(
            insert(exception)
            .values(
                id=uuid7(),
                event=event,
                kind=kind,
                venue=counter.venue.id,
                terminal=counter.terminal.id,
                details=json.dumps(details, ensure_ascii=False),
                opened_at_us=now_us(),
            )
            .on_conflict_do_nothing()
        )
