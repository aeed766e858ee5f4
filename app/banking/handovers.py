"""Cash that venues hand in: one person says how much it is, another counts it; or it is sent by transfer.

What is counted is booked at once (bank / due from the venue): the network has it, though it lies in its safe until
somebody carries it to the bank.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.banking.tables import handover, handover_end
from app.identity.audit import audit
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting, Refused, Tombstone
from app.ledger.service import Ledger, posted, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.ids import derived
from app.venues.service import Venue

KIND = "handover"
# Read out over the telephone and typed into a bank's form: no sign that looks like another.
_SIGNS = "ACDEFGHJKLMNPQRTUVWXY34679"
_REFERENCE_LENGTH = 7
SHOWN_MAX = 200

_ENDED = Conflict("This ended already.", "handover-ended")

Means = Literal["cash", "transfer"]
Outcome = Literal["received", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Handover:
    """`outcome` None: it is on its way. Euro cents; times in microseconds."""

    id: UUID
    venue: UUID
    amount_cents: int
    means: Means
    reference: str
    declared_by: str
    declared_at_us: int
    outcome: Outcome | None = None
    operation: UUID | None = None
    ended_by: str | None = None
    ended_at_us: int | None = None


async def declare(
    engine: AsyncEngine, id_: UUID, venue: Venue, amount_cents: int, means: Means, *, actor: str
) -> Handover:
    """The same id with the same content again is the same handover. Raises Invalid, Conflict."""
    if amount_cents <= 0:
        raise Invalid("An amount above zero is handed in.", "handover-invalid")
    reference = "".join(secrets.choice(_SIGNS) for _ in range(_REFERENCE_LENGTH))
    new = Handover(id_, venue.id, amount_cents, means, reference, actor, now_us())
    async with engine.begin() as connection:
        if found := await listed(connection, one=id_):
            same = found[0]
            if (same.venue, same.amount_cents, same.means) != (venue.id, amount_cents, means):
                raise Invalid("This id was used for other content.", "idempotency-key-reused")
            return same
        row = {"id": id_, "venue": venue.id, "amount_cents": amount_cents, "means": means, "reference": reference}
        row |= {"declared_by": actor, "declared_at_us": new.declared_at_us}
        await connection.execute(sa.insert(handover).values(**row))
        await audit(connection, actor, "handover.declare", venue.owner, amount_cents=amount_cents, means=means)
    return new


async def receive(engine: AsyncEngine, ledger: Ledger, id_: UUID, venue: Venue, day: date, *, actor: str) -> Handover:
    """Counted, and right. Raises NotFound, Forbidden("same-person"), Conflict("handover-ended")."""
    async with engine.connect() as connection:
        it = await _open(connection, id_)
    if it.means != "cash":
        raise Invalid("It comes by transfer: the bank says when it is there.", "handover-invalid")
    if it.declared_by == actor:
        raise Forbidden("Whoever hands cash in does not count it: two people do.", "same-person")
    reserve = reserve_book("network")
    bank, due = await ledger.accounts([AccountKey(reserve, "bank"), AccountKey(reserve, "due_from", venue.owner)])
    operation = Operation(
        id=_booked_as(id_),
        kind=KIND,
        fingerprint=sha256(id_.bytes + it.amount_cents.to_bytes(8, "big")).digest(),
        postings=(Posting(bank, due, it.amount_cents),),
        actor=actor,
        occurred_at_us=now_us(),
        business_day=day,
        venue=venue.id,
        details=json.dumps({"handover": str(id_), "reference": it.reference}),
    )
    (outcome,) = await ledger.post([operation])
    if isinstance(outcome, Refused):
        raise _ENDED
    posted(outcome)
    return await _end(engine, it, "received", operation.id, actor)


async def withdraw(engine: AsyncEngine, ledger: Ledger, id_: UUID, *, actor: str) -> Handover:
    """It is not handed in after all. Raises NotFound, Conflict("handover-ended")."""
    async with engine.connect() as connection:
        it = await _open(connection, id_)
    # Whoever counts it at this moment is refused from here on; was it booked before, it stays.
    (outcome,) = await ledger.post([Tombstone(_booked_as(id_), actor)])
    if isinstance(outcome, Posted):
        (booked,) = (await ledger.booked([_booked_as(id_)])).values()
        return await _end(engine, it, "received", booked.id, booked.actor)
    return await _end(engine, it, "withdrawn", None, actor)


def _booked_as(id_: UUID) -> UUID:
    return derived("handover", id_)


async def came_by_transfer(connection: AsyncConnection, id_: UUID, operation: UUID, *, actor: str) -> None:
    """The bank has it: in the transaction of whoever matched the line."""
    if (await listed(connection, one=id_))[0].outcome is not None:
        return
    row = {"handover": id_, "outcome": "received", "operation": operation, "ended_by": f"bank:{actor}"}
    await connection.execute(sa.insert(handover_end).values(**row, ended_at_us=now_us()))


async def counted_cents(connection: AsyncConnection) -> int:
    """All cash that was ever counted."""
    query = sa.select(sa.func.coalesce(sa.func.sum(handover.c.amount_cents), 0)).join_from(handover, handover_end)
    query = query.where(handover.c.means == "cash", handover_end.c.outcome == "received")
    return int((await connection.execute(query)).scalar_one())


async def listed(
    connection: AsyncConnection,
    *,
    venue: UUID | None = None,
    open_: bool | None = None,
    one: UUID | None = None,
) -> list[Handover]:
    """The newest first."""
    query = sa.select(handover, handover_end).select_from(handover.outerjoin(handover_end))
    query = query.order_by(handover.c.declared_at_us.desc()).limit(SHOWN_MAX)
    for column, wanted in ((handover.c.venue, venue), (handover.c.id, one)):
        if wanted is not None:
            query = query.where(column == wanted)
    if open_ is not None:
        ended = handover_end.c.outcome.is_not(None)
        query = query.where(sa.not_(ended) if open_ else ended)
    return [_handover(row) for row in (await connection.execute(query)).mappings()]


async def named(connection: AsyncConnection, id_: UUID) -> Handover:
    found = await listed(connection, one=id_)
    if not found:
        raise NotFound("There is no such cash.")
    return found[0]


async def _open(connection: AsyncConnection, id_: UUID) -> Handover:
    found = await named(connection, id_)
    if found.outcome is not None:
        raise _ENDED
    return found


async def _end(engine: AsyncEngine, it: Handover, outcome: Outcome, operation: UUID | None, actor: str) -> Handover:
    row = {"handover": it.id, "outcome": outcome, "operation": operation, "ended_by": actor, "ended_at_us": now_us()}
    async with engine.begin() as connection:
        try:
            await connection.execute(sa.insert(handover_end).values(**row))
        except IntegrityError as error:
            raise _ENDED from error
        await audit(connection, actor, f"handover.{outcome}", f"handover:{it.id}", amount_cents=it.amount_cents)
        return (await listed(connection, one=it.id))[0]


def _handover(row: sa.RowMapping) -> Handover:
    of: dict[str, Any] = {it.name: row[it] for it in handover.c}
    end = {it.name: row[it] for it in handover_end.c if it.name != "handover"}
    return Handover(**of, **end)
