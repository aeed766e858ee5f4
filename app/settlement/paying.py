"""Payments of a run: the file for the bank, and what the bank answers, each booked once whatever is sent twice.

Errors: Conflict("run-moved-on", "no-bank-account", "nothing-to-pay"), Invalid("bank-file-not-understood",
"payment-unknown").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import currencies
from app.identity.audit import audit
from app.ledger.rules.operations import Invalid as NotBookable
from app.ledger.service import Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.settlement import bank_details, sepa, store, tables
from app.settlement.bank_details import Account
from app.settlement.booking import PAYMENT, operation_id, payment, post
from app.settlement.sepa import Kind, Report
from app.settlement.store import Run
from app.settlement.terms import NETWORK
from app.venues.service import the_network, venues

FAILED = frozenset({"rejected", "returned"})


@dataclass(frozen=True, slots=True)
class Said:
    """What the bank said of a payment."""

    kind: Kind
    reason: str
    source: str
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Payment:
    """`said`: in its order; empty while the bank has said nothing final."""

    venue: UUID
    end_to_end: str
    cents: int
    account: Account
    said: tuple[Said, ...]

    @property
    def failed(self) -> bool:
        return bool(self.said) and self.said[-1].kind in FAILED


async def send(ledger: Ledger, id_: UUID, *, actor: str) -> Run:
    """Make the file, book its payments, and say that it may be sent. Again, where it stopped.

    A venue without bank details is not paid: what it is owed carries over.
    """
    async with ledger.reader.connect() as connection:
        run = await store.run_named(connection, id_)
        if run.event("sent") is not None:
            return run
        if run.state != "booked":
            raise Conflict("The run is not booked.", "run-moved-on")
        network, known = await the_network(connection), await currencies(connection)
        made = await file_of(connection, id_)
    if made is None:
        async with ledger.engine.begin() as connection:
            await _make(connection, run, network.name, network.settings.zone)
    async with ledger.reader.connect() as connection:
        sent = await payments(connection, id_)
    drafts = [payment(f"venue:{it.venue}", it.cents) for it in sent]
    await post(ledger, run, network, known, drafts, actor=actor)
    at = await ledger.history.moment()
    async with ledger.engine.begin() as connection:
        await store.step(connection, run, "sent", at, actor=actor)
        await audit(connection, actor, "settlement.send", f"run:{id_}", payments=len(sent))
        return await store.run_named(connection, id_)


def message_of(run: Run) -> str:
    """What the bank names the whole file by."""
    return f"R{run.number}-{run.id.hex[-20:]}"


async def _make(connection: AsyncConnection, run: Run, network: str, zone: str) -> None:
    """The payments and their file, in the caller's transaction: both or neither."""
    now = now_us()
    accounts = await bank_details.effective(connection, now)
    debtor = accounts.get(NETWORK)
    if debtor is None:
        raise Conflict("The network's reserve has no bank details.", "no-bank-account")
    places = await venues(connection)
    transfers, rows = [], []
    for it in (await store.statements(connection, run.id)).values():
        to = accounts.get(f"venue:{it.venue}")
        if not it.settled or it.figures is None or not it.figures.payment or to is None:
            continue
        name = f"R{run.number}-{it.venue.hex[-20:]}"
        text = f"{network}: R{run.number} {places[it.venue].name}"
        transfers.append(sepa.Transfer(name, it.figures.payment, to.details, text))
        rows.append({"venue": it.venue, "end_to_end": name, "amount_cents": it.figures.payment, "account": to.id})
    if not transfers:
        raise Conflict("Nobody is to be paid.", "nothing-to-pay")
    message = message_of(run)
    on = business_day(now, zone) + timedelta(days=1)
    document = sepa.written(message, debtor.details, transfers, on, now)
    try:
        await connection.execute(sa.insert(tables.payment), [{"run": run.id, **row} for row in rows])
        row = {"run": run.id, "message": message, "document": document, "made_at_us": now}
        await connection.execute(sa.insert(tables.file).values(row))
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody took another step meanwhile.", "run-moved-on") from error


async def file_of(connection: AsyncConnection, run: UUID) -> str | None:
    query = sa.select(tables.file.c.document).where(tables.file.c.run == run)
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def payments(connection: AsyncConnection, run: UUID) -> list[Payment]:
    said: dict[UUID, list[Said]] = {}
    events = sa.select(tables.payment_event).where(tables.payment_event.c.run == run)
    for row in await connection.execute(events.order_by(tables.payment_event.c.at_us)):
        said.setdefault(row.venue, []).append(Said(row.kind, row.reason, row.source, row.actor, row.at_us))
    query = sa.select(tables.payment).where(tables.payment.c.run == run).order_by(tables.payment.c.end_to_end)
    rows: Sequence[Any] = (await connection.execute(query)).all()
    return [
        Payment(
            row.venue,
            row.end_to_end,
            row.amount_cents,
            await bank_details.named(connection, row.account),
            tuple(said.get(row.venue, ())),
        )
        for row in rows
    ]


async def awaited(connection: AsyncConnection) -> list[tuple[UUID, str, int]]:
    """(run, end-to-end id, euro cents) of each payment in a file that the bank has said nothing about."""
    of, said = tables.payment, tables.payment_event
    answered = sa.exists().where(said.c.run == of.c.run, said.c.venue == of.c.venue)
    query = sa.select(of.c.run, of.c.end_to_end, of.c.amount_cents).where(~answered).order_by(of.c.end_to_end)
    return [(row.run, row.end_to_end, row.amount_cents) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Failed:
    """A payment that the bank refused or returned. `made_good`: a later run has paid the venue what was due to it."""

    id: UUID
    run: UUID
    number: int
    venue: UUID
    cents: int
    reason: str
    at_us: int
    made_good: bool


async def failed(connection: AsyncConnection) -> list[Failed]:
    """The newest first."""
    of, said, run = tables.payment, tables.payment_event, tables.run
    join = of.join(said, sa.and_(said.c.run == of.c.run, said.c.venue == of.c.venue)).join(run, run.c.id == of.c.run)
    latest = of.join(run, run.c.id == of.c.run)
    query = sa.select(of.c.venue, sa.func.max(run.c.number).label("number")).select_from(latest).group_by(of.c.venue)
    newest = {row.venue: row.number for row in await connection.execute(query)}
    query = sa.select(of, run.c.number, said.c.reason, said.c.at_us).select_from(join)
    query = query.where(said.c.kind.in_(FAILED)).order_by(said.c.at_us.desc(), of.c.end_to_end)
    return [
        Failed(
            derived("failed-payment", row.run, row.venue),
            row.run,
            row.number,
            row.venue,
            row.amount_cents,
            row.reason,
            row.at_us,
            newest[row.venue] > row.number,
        )
        for row in await connection.execute(query)
    ]


async def read_report(ledger: Ledger, id_: UUID, document: bytes, *, actor: str) -> Run:
    """Take in a file of the bank. Read again, or another that says the same, it changes nothing."""
    return await take_in(ledger, id_, sepa.read(document), source=sha256(document).hexdigest(), actor=actor)


async def take_in(ledger: Ledger, id_: UUID, reports: Sequence[Report], *, source: str, actor: str) -> Run:
    """What the bank says of payments of this run; what is about others is left alone.

    Raises Invalid("payment-unknown") where none of it is about this run, or an amount is not the payment's.
    """
    async with ledger.reader.connect() as connection:
        run = await store.run_named(connection, id_)
        if run.event("sent") is None:
            raise Conflict("The run is not sent.", "run-moved-on")
        known = {it.end_to_end: it for it in await payments(connection, id_)}
    whole = [it for it in reports if not it.end_to_end and it.message == message_of(run)]
    every = [replace(it, end_to_end=name) for it in whole for name in known]
    mine = list({it.end_to_end: it for it in [*every, *reports] if it.end_to_end in known}.values())
    if not mine or any(it.cents not in {None, known[it.end_to_end].cents} for it in mine):
        raise Invalid("This file is not about payments of this run, or not about their amounts.", "payment-unknown")
    for it in mine:
        await _say(ledger, run, known[it.end_to_end], it, source, actor)
    return await _after(ledger, id_, actor)


async def _say(ledger: Ledger, run: Run, of: Payment, report: Report, source: str, actor: str) -> None:
    """The reversal is booked first: a crash between the two is made good by reading the file again."""
    if any(it.kind == report.kind for it in of.said) or of.failed:
        return
    kind: Kind = "returned" if of.said and report.kind == "rejected" else report.kind
    if kind == "returned" and not of.said:
        kind = "rejected"
    if kind in FAILED:
        await _unwind(ledger, run, of, report.reason, actor)
    row = {"run": run.id, "venue": of.venue, "kind": kind, "reason": report.reason, "source": source, "actor": actor}
    try:
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.insert(tables.payment_event).values(**row, at_us=now_us()))
            await audit(connection, actor, f"settlement.{kind}", f"run:{run.id}", venue=str(of.venue), source=source)
    except sa.exc.IntegrityError as error:
        raise Conflict("Somebody took in the same answer at this moment.", "run-moved-on") from error


async def _unwind(ledger: Ledger, run: Run, of: Payment, reason: str, actor: str) -> None:
    about = f"venue:{of.venue}"
    original = (await ledger.booked([operation_id(run.id, PAYMENT, about)])).get(operation_id(run.id, PAYMENT, about))
    if original is None:
        raise NotFound("This payment is not in the books.")
    async with ledger.reader.connect() as connection:
        network = await the_network(connection)
    now = now_us()
    back = await ledger.reversal(
        original,
        operation_id(run.id, f"{PAYMENT}.reversal", about),
        actor=actor,
        occurred_at_us=now,
        business_day=business_day(now, network.settings.zone),
        details=original.details,
    )
    (outcome,) = await ledger.post([back])
    if isinstance(outcome, NotBookable):
        raise Conflict(f"The payment could not be taken back ({reason}).", "run-moved-on")
    posted(outcome)


async def _after(ledger: Ledger, id_: UUID, actor: str) -> Run:
    """The run's step once every payment has its answer; a return that comes later moves it too."""
    at = await ledger.history.moment()
    async with ledger.engine.begin() as connection:
        run = await store.run_named(connection, id_)
        of = await payments(connection, id_)
        if run.state in {"sent", "executed"} and all(it.said for it in of):
            wanted: store.Step = "partly_failed" if any(it.failed for it in of) else "executed"
            if wanted != run.state:
                await store.step(connection, run, wanted, at, actor=actor)
                return await store.run_named(connection, id_)
        return run
