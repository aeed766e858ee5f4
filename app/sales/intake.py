"""The intake of terminals' journals: keep every byte first, then book each event once, in order, by its id.

A sale that was delivered is always booked. What is wrong with it becomes an exception for a person, never a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import cards_by_uid
from app.ledger.rules.operations import Conflict, Posted, Tombstone
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import DomainError, Invalid, Unavailable
from app.rules.ids import uuid7
from app.sales import booking
from app.sales.booking import Counter
from app.sales.service import reverse
from app.sales.tables import exception, intake
from app.terminals import service as terminals
from app.wire import (
    Batch,
    CancelRow,
    IntentRow,
    JournalRow,
    RefusedRow,
    Sale,
    SaleRow,
    SyncReply,
    VoidRow,
    read_payload,
    row_hash,
)

_log = structlog.get_logger("comptoir.intake")

Payload = IntentRow | SaleRow | RefusedRow | CancelRow | VoidRow


@dataclass(slots=True)
class Exceptions:
    """What needs a person, gathered while a batch is booked: (event, kind, details)."""

    found: list[tuple[UUID, str, dict[str, object]]] = field(default_factory=list)

    def add(self, event: UUID, kind: str, **details: object) -> None:
        self.found.append((event, kind, details))


async def receive(engine: AsyncEngine, ledger: Ledger, counter: Counter, batch: Batch) -> SyncReply:
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
    await _book(ledger, counter, [(row, read[row.sequence]) for row in fresh], exceptions)
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
    engine: AsyncEngine, device: UUID, batch: Batch, read: Mapping[int, Payload | None]
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


def _kept(device: UUID, epoch: int, row: JournalRow, payload: Payload | None, now: int) -> dict[str, object]:
    return {
        "device": device,
        "epoch": epoch,
        "sequence": row.sequence,
        "previous": row.previous,
        "hash": row.hash,
        "payload": row.payload,
        "event": _event(payload),
        "received_at_us": now,
    }


def _event(payload: Payload | None) -> UUID | None:
    """The operation that a row asks for; None for rows that book nothing."""
    if isinstance(payload, SaleRow):
        return payload.sale.id
    return payload.id if isinstance(payload, CancelRow | VoidRow) else None


def _read(row: JournalRow) -> Payload | None:
    try:
        return read_payload(row.payload)
    except ValidationError:
        return None


async def _book(
    ledger: Ledger, counter: Counter, rows: Sequence[tuple[JournalRow, Payload | None]], exceptions: Exceptions
) -> None:
    """In order: sales in runs, each run in one go; voids and cancels alone, for they look at what came before."""
    run: list[SaleRow] = []
    for row, payload in rows:
        if isinstance(payload, SaleRow):
            run.append(payload)
            continue
        await _book_sales(ledger, counter, run, exceptions)
        run = []
        if isinstance(payload, CancelRow):
            await _cancel(ledger, counter, payload, exceptions)
        elif isinstance(payload, VoidRow):
            await _void(ledger, counter, payload, exceptions)
        elif payload is None:
            # Named by its hash, so that the same row taken again is the same exception.
            exceptions.add(UUID(row.hash[:32]), "unreadable", sequence=row.sequence)
            _log.error("journal row not understood", terminal=str(counter.terminal.id), sequence=row.sequence)
    await _book_sales(ledger, counter, run, exceptions)


async def _book_sales(ledger: Ledger, counter: Counter, run: Sequence[SaleRow], exceptions: Exceptions) -> None:
    """What a person should look at is read off the transfers, which are the same however often a row is taken in."""
    if not run:
        return
    async with ledger.reader.connect() as connection:
        cards = await cards_by_uid(connection, {row.sale.card for row in run})
    sales: list[Sale] = []
    for row in run:
        if any(tender.currency not in counter.currencies for tender in row.sale.tenders):
            exceptions.add(row.sale.id, "currency-unknown", card=row.sale.card)
            continue
        sales.append(row.sale)
    delivered = await booking.delivered_sales(ledger, counter, [(sale, cards.get(sale.card)) for sale in sales])
    outcomes = await ledger.post(delivered.operations)
    for sale, outcome in zip(sales, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            reason = "id-reused" if isinstance(outcome, Conflict) else str(outcome)
            exceptions.add(sale.id, "not-booked", card=sale.card, reason=reason)
            continue
        if any(t.debit in delivered.suspense for t in outcome.transfers):
            exceptions.add(sale.id, "blocked-card" if sale.card in cards else "unknown-card", card=sale.card)
        if owed := sum(t.amount for t in outcome.transfers if t.debit in delivered.overdrafts):
            exceptions.add(sale.id, "offline-overdraft", card=sale.card, amount=owed)


async def _cancel(ledger: Ledger, counter: Counter, row: CancelRow, exceptions: Exceptions) -> None:
    """A booked sale is reversed; an id never seen becomes a tombstone that refuses a late arrival."""
    details = json.dumps({"cancel": str(row.id)})
    (outcome,) = await ledger.post([Tombstone(row.sale, counter.actor, details)])
    if isinstance(outcome, Posted):
        await _take_back(ledger, counter, row.sale, row.id, row.at_us, {"reason": "cancelled"}, exceptions)


async def _void(ledger: Ledger, counter: Counter, row: VoidRow, exceptions: Exceptions) -> None:
    details: dict[str, object] = {"reason": row.reason, "cashier": str(row.cashier) if row.cashier else None}
    await _take_back(ledger, counter, row.sale, row.id, row.at_us, details, exceptions)


async def _take_back(
    ledger: Ledger,
    counter: Counter,
    sale: UUID,
    id_: UUID,
    at_us: int,
    details: dict[str, object],
    exceptions: Exceptions,
) -> None:
    original = (await ledger.booked([sale])).get(sale)
    if original is None or original.terminal != counter.terminal.id:
        exceptions.add(id_, "void-of-unknown-sale", sale=str(sale))
        return
    try:
        await reverse(
            ledger,
            counter.venue,
            original,
            id_,
            actor=counter.actor,
            occurred_at_us=at_us,
            terminal=counter.terminal.id,
            details=details,
        )
    except (Invalid, RuntimeError) as error:
        exceptions.add(id_, "not-booked", sale=str(sale), reason=str(error))
    except Unavailable:
        raise
    except DomainError:
        # Undone already, by staff at two screens: that is what this row asks for, and nobody needs to look at it.
        _log.info("void of a sale already undone", sale=str(sale))


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
