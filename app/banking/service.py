"""What the lines of bank statements are about, decided once each; what that books; and what is still open.

Two ways lead to the reserve's bank account: what a payment provider pays out (bank / clearing; its fee is the network's
own expense) and cash that a venue sends (bank / due from the venue).
"""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.banking import handovers, payouts
from app.banking.booking import ISSUER, booked_as, legs_of, operation_of
from app.banking.lines import NEWEST, UNDECIDED, Found, Kind, Seen, lines
from app.banking.rules.finding import Announced, Expected, Owing, Sent, proposals
from app.banking.tables import line, match, payout_match, statement
from app.banking.turns import alone
from app.identity.audit import audit
from app.ledger.rules.operations import Conflict as NotThis
from app.ledger.rules.operations import Posted, Refused, Tombstone
from app.ledger.service import Ledger, posted, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.settlement import bank_details, outgoing, paying
from app.settlement.sepa import Report
from app.venues.service import venues

__all__ = ["Found", "Kind", "Seen", "lines"]

_DECIDED = Conflict("This line was decided already.", "line-decided")
_MATCHED = Conflict("This payout came with another line of the bank.", "payout-matched")


async def expected(connection: AsyncConnection, ledger: Ledger) -> Expected:
    """Everything that the bank could be telling of now."""
    at = await venues(connection)
    details = await bank_details.effective(connection, now_us())
    due: dict[str, int] = {}
    clearing: dict[str, int] = {}
    for row in await ledger.balances(kinds=["due_from", "clearing"]):
        if row.key.book == reserve_book(ISSUER):
            into = due if row.key.kind == "due_from" else clearing
            into[row.key.owner] = into.get(row.key.owner, 0) + row.balance
    owing = [
        Owing(it.owner, it.name, due.get(it.owner, 0), found.details.iban if (found := details.get(it.owner)) else "")
        for it in at.values()
    ]
    return Expected(
        owing,
        [
            Announced(it.id, at[it.venue].owner, it.amount_cents, it.reference)
            for it in await handovers.listed(connection, open_=True)
            if it.means == "transfer"
        ],
        clearing,
        await counted_cents(connection),
        [
            Sent(name, cents)
            for _, name, cents in [*await paying.awaited(connection), *await outgoing.awaited(connection)]
        ],
        await payouts.expected(connection),
    )


async def counted_cents(connection: AsyncConnection) -> int:
    """Cash that was counted and that no statement has shown at the bank yet."""
    counted = await handovers.counted_cents(connection)
    deposited = sum(it.line.amount_cents for it in await lines(connection, open_=False, limit=100_000) if _is_cash(it))
    return counted - deposited


def _is_cash(it: Seen) -> bool:
    return it.found is not None and it.found.kind == "handover"


async def open_lines(connection: AsyncConnection, ledger: Ledger) -> list[Seen]:
    """Lines that wait for somebody, with proposals, the newest first."""
    what = await expected(connection, ledger)
    return [
        Seen(it.id, it.statement, it.iban, it.number, it.line, None, proposals(it.line, what))
        for it in await lines(connection, open_=True)
    ]


async def match_what_is_certain(engine: AsyncEngine, ledger: Ledger, day: date) -> int:
    """Lines whose reference and amount agree with what is expected need nobody; how many these were."""
    done = 0
    async with engine.connect() as connection:
        found = await open_lines(connection, ledger)
    for it in found:
        if sure := next((each for each in it.proposals if each.certain), None):
            more = {"handover": sure.handover, "payout": sure.payout, "gross_cents": sure.gross_cents or None}
            try:
                await decide(engine, ledger, it.id, sure.kind, sure.subject, day, actor="server", **more)  # type: ignore[arg-type]
            except Conflict:
                # Somebody decided meanwhile, or another line of this amount was the payout.
                continue
            done += 1
    return done


async def decide(
    engine: AsyncEngine,
    ledger: Ledger,
    id_: UUID,
    kind: Kind,
    subject: str,
    day: date,
    *,
    actor: str,
    reason: str = "",
    gross_cents: int | None = None,
    handover: UUID | None = None,
    payout: str = "",
) -> Seen:
    """Say what a line is, and book it. `day`: the business day that counts; `payout`: which one of the provider it is.

    The operation's id follows from the line and the number of the decision: whoever stops half-way decides again, and
    nothing is booked twice. Raises NotFound, Conflict("line-decided"), Invalid("bank-line-invalid"),
    and what app.settlement.paying raises where a payment is not of that amount.
    """
    async with alone(ledger):
        if kind == "payout":
            await _complete_all(engine, ledger)
        return await _decide(engine, ledger, id_, kind, subject, day, actor, reason, gross_cents, handover, payout)


async def _complete_all(engine: AsyncEngine, ledger: Ledger) -> None:
    """Keep what was booked by servers that stopped before they could say so: a payout that came is not on its way."""
    said = match.alias("said")
    count = sa.select(sa.func.count()).select_from(said).where(said.c.line == line.c.id).scalar_subquery()
    query = sa.select(line.c.id, count.label("number")).select_from(line.outerjoin(match, NEWEST)).where(UNDECIDED)
    async with engine.connect() as connection:
        numbers = {row.id: row.number + 1 for row in await connection.execute(query)}
    booked = await ledger.booked([booked_as(it, number) for it, number in numbers.items()]) if numbers else {}
    for it, number in numbers.items():
        if booked_as(it, number) in booked:
            await _complete(engine, ledger, it, number)


async def _decide(
    engine: AsyncEngine,
    ledger: Ledger,
    id_: UUID,
    kind: Kind,
    subject: str,
    day: date,
    actor: str,
    reason: str,
    gross_cents: int | None,
    handover: UUID | None,
    payout: str,
) -> Seen:
    async with engine.connect() as connection:
        it, number = await _one(connection, id_), await _number(connection, id_)
        _check(it, kind, reason)
        if kind == "remittance" and subject not in {each.owner for each in (await venues(connection)).values()}:
            raise Invalid("There is no such venue.", "bank-line-invalid")
        if payout and await payouts.has_come(connection, subject, payout):
            raise _MATCHED
    booking = booked_as(id_, number)
    if kind in {"payout", "remittance"}:
        legs = await legs_of(ledger, kind, subject, it.line.amount_cents, gross_cents)
        (outcome,) = await ledger.post([operation_of(booking, kind, subject, it, legs, day, actor, handover, payout)])
        if isinstance(outcome, Refused | NotThis):
            await _complete(engine, ledger, id_, number)
            raise _DECIDED
        posted(outcome)
    else:
        # From here on nobody else's booking for this decision can come through; was there one, it is the decision.
        (outcome,) = await ledger.post([Tombstone(booking, actor)])
        if isinstance(outcome, Posted):
            await _complete(engine, ledger, id_, number)
            raise _DECIDED
        if kind == "payment":
            await _tell_run(ledger, subject, it, actor)
    operation = booking if kind in {"payout", "remittance"} else None
    await _keep(engine, id_, number, kind, subject, operation, reason, actor, handover, payout)
    async with engine.connect() as connection:
        return await _one(connection, id_)


async def _tell_run(ledger: Ledger, end_to_end: str, it: Seen, actor: str) -> None:
    """The money of a settlement's payment, or of a refund, has left the account."""
    async with ledger.reader.connect() as connection:
        run = next((run for run, name, _ in await paying.awaited(connection) if name == end_to_end), None)
        other = any(name == end_to_end for _, name, _ in await outgoing.awaited(connection))
    if run is None and other:
        report = Report(end_to_end, "executed", "", -it.line.amount_cents)
        await outgoing.take_in(ledger.engine, [report], source=f"line:{it.id}", actor=actor)
        return
    if run is None:
        raise Invalid("No payment waits under this name.", "bank-line-invalid")
    report = Report(end_to_end, "executed", "", -it.line.amount_cents)
    await paying.take_in(ledger, run, [report], source=f"line:{it.id}", actor=actor)


async def _complete(engine: AsyncEngine, ledger: Ledger, id_: UUID, number: int) -> None:
    """Keep the decision of somebody whose server stopped between its booking and its row."""
    for booked in (await ledger.booked([booked_as(id_, number)])).values():
        told = json.loads(booked.details)
        handover = UUID(told["handover"]) if told.get("handover") else None
        more = (booked.id, "", booked.actor, handover, told.get("payout", ""))
        await _keep(engine, id_, number, booked.kind, told["subject"], *more)


async def _keep(
    engine: AsyncEngine,
    id_: UUID,
    number: int,
    kind: str,
    subject: str,
    operation: UUID | None,
    reason: str,
    actor: str,
    handover: UUID | None,
    payout: str = "",
) -> None:
    row = {"line": id_, "number": number, "kind": kind, "subject": subject, "operation": operation, "reason": reason}
    async with engine.begin() as connection:
        try:
            await connection.execute(sa.insert(match).values(**row, decided_by=actor, decided_at_us=now_us()))
        except IntegrityError as error:
            raise _DECIDED from error
        if payout:
            which = {"line": id_, "number": number, "provider": subject, "payout": payout}
            await connection.execute(sa.insert(payout_match).values(**which))
        if handover is not None and operation is not None:
            await handovers.came_by_transfer(connection, handover, operation, actor=actor)
        await audit(connection, actor, f"bank-line.{kind}", f"line:{id_}", to=subject, reason=reason)


async def undo(engine: AsyncEngine, ledger: Ledger, id_: UUID, reason: str, day: date, *, actor: str) -> None:
    """Open a line again; what was booked for it is reversed. Raises NotFound, Conflict("line-open"), Invalid."""
    if not reason.strip():
        raise Invalid("Say why.", "bank-line-invalid")
    async with engine.connect() as connection:
        it = await _one(connection, id_)
    if it.found is None:
        raise Conflict("This line is open already.", "line-open")
    reversal = None
    if it.found.operation is not None:
        (original,) = (await ledger.booked([it.found.operation])).values()
        reversal = booked_as(id_, it.found.number + 1)
        back = await ledger.reversal(
            original,
            reversal,
            actor=actor,
            occurred_at_us=now_us(),
            business_day=day,
            details=json.dumps({"reason": reason}, ensure_ascii=False),
        )
        await ledger.post_one(back)
    async with engine.begin() as connection:
        row = {"line": id_, "number": it.found.number + 1, "kind": "undone", "subject": it.found.subject}
        row |= {"operation": reversal, "reason": reason.strip(), "decided_by": actor, "decided_at_us": now_us()}
        try:
            await connection.execute(sa.insert(match).values(**row))
        except IntegrityError as error:
            raise _DECIDED from error
        await audit(connection, actor, "bank-line.undo", f"line:{id_}", reason=reason)


def _check(it: Seen, kind: Kind, reason: str) -> None:
    if it.found is not None:
        raise _DECIDED
    if kind == "aside" and not reason.strip():
        raise Invalid("Say what this line is, and why it is none of the network's business.", "bank-line-invalid")
    if (kind in {"payout", "remittance", "handover"}) != (it.line.amount_cents > 0) and kind != "aside":
        raise Invalid("This does not fit a line of that direction.", "bank-line-invalid")


async def _one(connection: AsyncConnection, id_: UUID) -> Seen:
    found = await lines(connection, one=id_)
    if not found:
        raise NotFound("There is no such line.")
    return found[0]


async def _number(connection: AsyncConnection, id_: UUID) -> int:
    return 1 + int((await connection.execute(sa.select(sa.func.count()).where(match.c.line == id_))).scalar_one())


async def statements(
    connection: AsyncConnection, limit: int = 50, before: tuple[int, UUID] | None = None
) -> list[sa.RowMapping]:
    """Newest first, with how many of their lines are open. `before`: those after this (imported_at_us, id)."""
    is_open = sa.case((UNDECIDED, 1), else_=0)
    query = (
        sa.select(statement, sa.func.count(line.c.id).label("lines"), sa.func.sum(is_open).label("open"))
        .select_from(statement.outerjoin(line, line.c.statement == statement.c.id).outerjoin(match, NEWEST))
        .group_by(statement.c.id)
        .order_by(statement.c.imported_at_us.desc(), statement.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        at_us, id_ = before
        same = (statement.c.imported_at_us == at_us) & (statement.c.id < id_)
        query = query.where((statement.c.imported_at_us < at_us) | same)
    return list((await connection.execute(query)).mappings())
