"""The intake of terminals' journals: keep every byte first, then book each event once, in order, by its id.

A sale that was delivered is always booked. What is wrong with it becomes an exception for a person, never a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from app.sales.booking import Counter
from app.sales.tables import exception, intake
from app.terminals import service as terminals
from app.terminals.rows import Exceptions, HandlersOf
from app.wire import AnyRow, Batch, JournalRow, SyncReply, read_payload, row_hash

_log = structlog.get_logger("comptoir.intake")


async def receive(
    engine: AsyncEngine, ledger: Ledger, counter: Counter, batch: Batch, handlers: HandlersOf
) -> SyncReply:
    """Take one batch in. The reply acknowledges what is kept *and* booked, or asks for rows that are missing."""
    device = counter.terminal.id
    _check_chain(batch)
    read = {row.sequence: _read(row) for row in batch.rows}
    fresh, applied, forked = await _keep(engine, device, batch, read)
    skew_ms = (batch.sent_at_us - now_us()) // 1000
    if forked or counter.terminal.status == "quarantined":
        async with engine.begin() as connection:
            await terminals.quarantine(connection, device)
            await terminals.seen(connection, device, batch.waiting, skew_ms)
        _log.error("journal forked", terminal=str(device), epoch=batch.epoch, applied=applied)
        return SyncReply(acknowledged=applied, quarantined=True, server_time_us=now_us())
    if fresh and fresh[0].sequence > applied + 1:
        return SyncReply(acknowledged=applied, resend_from=applied + 1, server_time_us=now_us())
    exceptions = Exceptions()
    await _book(ledger, counter, [(row, read[row.sequence]) for row in fresh], handlers, exceptions)
    async with engine.begin() as connection:
        await _open(connection, counter, exceptions)
        if fresh:
            await terminals.advance(connection, device, batch.epoch, fresh[-1].sequence, fresh[-1].hash)
        await terminals.seen(connection, device, batch.waiting, skew_ms)
        applied, _ = await terminals.mark(connection, device, batch.epoch)
    return SyncReply(
        acknowledged=applied, exceptions=tuple(event for event, _, _ in exceptions.found), server_time_us=now_us()
    )


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
    engine: AsyncEngine, device: UUID, batch: Batch, read: Mapping[int, AnyRow | None]
) -> tuple[list[JournalRow], int, bool]:
    """Write down what is new, before anything is made of it. (rows above the mark, the mark, whether it forked)."""
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
        new = [row for row in batch.rows if row.hash not in held.get(row.sequence, set())]
        if new:
            now = now_us()
            await connection.execute(
                sa.insert(intake), [_kept(device, batch.epoch, row, read[row.sequence], now) for row in new]
            )
    return fresh, applied, forked


def _kept(device: UUID, epoch: int, row: JournalRow, payload: AnyRow | None, now: int) -> dict[str, object]:
    return {
        "device": device,
        "epoch": epoch,
        "sequence": row.sequence,
        "previous": row.previous,
        "hash": row.hash,
        "payload": row.payload,
        "event": payload.event if payload else None,
        "received_at_us": now,
    }


def _read(row: JournalRow) -> AnyRow | None:
    try:
        return read_payload(row.payload)
    except ValidationError:
        return None


async def _book(
    ledger: Ledger,
    counter: Counter,
    rows: Sequence[tuple[JournalRow, AnyRow | None]],
    handlers: HandlersOf,
    exceptions: Exceptions,
) -> None:
    """In order: rows of one kind that follow each other in one go, for sales come in hundreds.

    Between them stand intents and refusals, which book nothing and so do not part a run.
    """
    run: list[AnyRow] = []
    for row, payload in rows:
        if payload is None:
            # Named by its hash, so that the same row taken again is the same exception.
            exceptions.add(UUID(row.hash[:32]), "unreadable", sequence=row.sequence)
            _log.error("journal row not understood", terminal=str(counter.terminal.id), sequence=row.sequence)
            continue
        if type(payload) not in handlers:
            continue
        if run and type(run[0]) is not type(payload):
            await handlers[type(run[0])](ledger, counter, run, exceptions)
            run = []
        run.append(payload)
    if run:
        await handlers[type(run[0])](ledger, counter, run, exceptions)


async def _open(connection: AsyncConnection, counter: Counter, exceptions: Exceptions) -> None:
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
