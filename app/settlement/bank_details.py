"""Bank details of venues and of the network: one person asks, another decides, and they hold after a delay.

The delay is there so that the venue sees a change that it did not want before a cent is paid to it. Every account that
was ever asked for stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.ids import uuid7
from app.settlement.rules.accounts import Details, NotAnAccount, checked
from app.settlement.tables import bank_account, bank_account_decision
from app.settlement.terms import network_terms

Decision = Literal["approved", "refused"]
HOUR_US = 3_600_000_000
# How long after it holds a change is still told to the venue.
TOLD_US = 30 * 24 * HOUR_US

WRONG = {
    "holder": "A name has 1 to 70 characters.",
    "iban": "This IBAN is not right: check each group of four.",
    "bic": "This BIC is not right: it has 8 or 11 characters.",
    "town": "An address has at least a town and a country of two letters, or there is none.",
}


@dataclass(frozen=True, slots=True)
class Account:
    """`decision` None: it waits for a second person. Times in microseconds."""

    id: UUID
    subject: str
    details: Details
    asked_by: str
    asked_at_us: int
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at_us: int | None = None
    effective_at_us: int | None = None


async def ask(engine: AsyncEngine, subject: str, typed: Details, *, actor: str) -> Account:
    """A change that waits for somebody else. Raises Invalid("bank-details-invalid") with the `field` that is not right,
    Conflict("bank-change-waits")."""
    try:
        details = checked(typed)
    except NotAnAccount as error:
        raise Invalid(WRONG[error.field], "bank-details-invalid", field=error.field) from error
    new = Account(uuid7(), subject, details, actor, now_us())
    async with engine.begin() as connection:
        if any(it.decision is None for it in await history(connection, [subject])):
            raise Conflict("A change of these bank details waits for a decision already.", "bank-change-waits")
        row = {"id": new.id, "subject": subject, "asked_by": actor, "asked_at_us": new.asked_at_us}
        await connection.execute(sa.insert(bank_account).values(**row, **asdict(details)))
        await audit(connection, actor, "bank-account.ask", subject, account=str(new.id), iban=details.iban)
    return new


async def decide(engine: AsyncEngine, id_: UUID, decision: Decision, *, actor: str) -> Account:
    """The same decision again changes nothing. Raises NotFound, Forbidden("same-person"), Conflict("decided")."""
    async with engine.begin() as connection:
        it = await named(connection, id_)
        if it.decision == decision and it.decided_by == actor:
            return it
        if it.decision is not None:
            raise Conflict("This was decided already.", "decided")
        if it.asked_by == actor:
            raise Forbidden("Whoever asks does not decide: two people do.", "same-person")
        now = now_us()
        holds = now + (await network_terms(connection)).bank_delay_h * HOUR_US if decision == "approved" else None
        row = {"decision": decision, "decided_by": actor, "decided_at_us": now, "effective_at_us": holds}
        try:
            await connection.execute(sa.insert(bank_account_decision).values(account=id_, **row))
        except sa.exc.IntegrityError as error:
            raise Conflict("This was decided already.", "decided") from error
        await audit(connection, actor, f"bank-account.{decision}", it.subject, account=str(id_))
        return await named(connection, id_)


async def named(connection: AsyncConnection, id_: UUID) -> Account:
    found = [_account(row) for row in await connection.execute(_QUERY.where(bank_account.c.id == id_))]
    if not found:
        raise NotFound("There are no such bank details.")
    return found[0]


async def history(connection: AsyncConnection, subjects: Collection[str]) -> list[Account]:
    """Everything that was ever asked for, the newest first."""
    query = _QUERY.where(bank_account.c.subject.in_(list(subjects)))
    newest = query.order_by(bank_account.c.asked_at_us.desc(), bank_account.c.id.desc())
    return [_account(row) for row in await connection.execute(newest)]


async def effective(connection: AsyncConnection, at_us: int) -> dict[str, Account]:
    """Where money is sent at an instant, by whose account it is."""
    query = _QUERY.where(bank_account_decision.c.effective_at_us <= at_us)
    rows = await connection.execute(query.order_by(bank_account_decision.c.effective_at_us, bank_account.c.id))
    return {row.subject: _account(row) for row in rows}


async def told(connection: AsyncConnection, subjects: Collection[str]) -> list[Account]:
    """Changes that whoever looks after these accounts should see: asked for, to come, or in force not long."""
    since = now_us() - TOLD_US
    return [
        it
        for it in await history(connection, subjects)
        if it.decision is None or (it.effective_at_us is not None and it.effective_at_us >= since)
    ]


_QUERY = sa.select(
    bank_account,
    bank_account_decision.c.decision,
    bank_account_decision.c.decided_by,
    bank_account_decision.c.decided_at_us,
    bank_account_decision.c.effective_at_us,
).outerjoin(bank_account_decision, bank_account_decision.c.account == bank_account.c.id)


def _account(row: Any) -> Account:
    details = Details(*(getattr(row, it) for it in Details.__dataclass_fields__))
    decided = (row.decision, row.decided_by, row.decided_at_us, row.effective_at_us)
    return Account(row.id, row.subject, details, row.asked_by, row.asked_at_us, *decided)
