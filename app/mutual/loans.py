"""Loans of shared things: points are set aside while the thing is out, given back with it, and lost with it.

Points regulate who may use what is shared, by what each has contributed. What a loan costs in the end goes to the
member who lent the thing, or is retired where the thing is everybody's. Points never meet euros.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import overdraft_key, wallet_key
from app.currencies.service import Currency
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Conflict as Taken
from app.ledger.rules.operations import Hold, Operation, Posting, Refused, Release
from app.ledger.service import REFUSALS, Ledger, currency_book, posted
from app.mutual.ground import Ground, fingerprint, operation, told
from app.mutual.members import Member
from app.mutual.tables import loan
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound

KIND, ENDED = "loan", "loan.end"
# A loan ends when the thing comes back or is given up, never by itself: its hold outlasts everybody (the year 2200).
NEVER_US = 7_258_118_400_000_000


@dataclass(frozen=True, slots=True)
class Loan:
    """`id`: of the hold. `borrower`, `lender`: members' ids; no lender where the thing is everybody's."""

    id: UUID
    borrower: UUID
    lender: UUID | None
    currency: str
    points: int
    thing: str
    policy: str
    lent_at_us: int
    due_at_us: int
    author: str
    status: Literal["out", "returned", "lost"] = "out"
    spent: int = 0
    ended_at_us: int | None = None
    ended_by: str | None = None

    def overdue(self, at_us: int) -> bool:
        return self.status == "out" and self.due_at_us < at_us


async def lend(
    engine: AsyncEngine,
    ledger: Ledger,
    ground: Ground,
    borrower: Member,
    lender: Member | None,
    points: int,
    thing: str,
    due_at_us: int,
    id_: UUID,
    *,
    actor: str,
) -> Loan:
    """Set `points` of the borrower aside and hand the thing out.

    Raises Forbidden("card-blocked"), Forbidden("role-missing") for who is no user, DomainError("insufficient-funds").
    """
    new = Loan(
        id_,
        borrower.id,
        lender.id if lender else None,
        ground.currency.code,
        points,
        thing,
        ground.rules.label,
        ground.at_us,
        due_at_us,
        actor,
    )
    stored = await find(engine, id_)
    if stored is None:
        if borrower.card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        if lender is not None and lender.id == borrower.id:
            raise Invalid("Nobody lends to themselves.")
        if "user" not in borrower.roles:
            raise Forbidden(f"{borrower.name} is not among those who borrow.", "role-missing")
        # The row comes first: points that are set aside are always seen by those who can give them back.
        insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
        async with engine.begin() as connection:
            await connection.execute(insert(loan).values(asdict(new)).on_conflict_do_nothing())
        stored = await named(engine, id_)
    if _asked(stored) != _asked(new):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    if stored.status != "out":
        return stored
    (wallet,) = await ledger.accounts([wallet_key(borrower.owner, ground.currency)])
    asked = _kept(new)
    hold = Hold(id_, fingerprint(KIND, actor, asked), wallet, points, NEVER_US, actor, told(asked))
    (outcome,) = await ledger.post([hold])
    if isinstance(outcome, Taken):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    if isinstance(outcome, Refused):
        async with engine.begin() as connection:
            await connection.execute(sa.delete(loan).where(loan.c.id == id_, loan.c.status == "out"))
        raise DomainError(outcome.reason, REFUSALS[outcome.reason])
    return stored


async def end(
    engine: AsyncEngine,
    ledger: Ledger,
    ground: Ground,
    it: Loan,
    borrower: Member,
    lender: Member | None,
    *,
    spent: int,
    lost: bool,
    actor: str,
) -> Loan:
    """The thing is back, and `spent` of the points are its price; or it is lost, and all of them are.

    The ledger decides which of two ends at once is the one: the other gets Conflict("loan-ended").
    """
    status: Literal["returned", "lost"] = "lost" if lost else "returned"
    taken = it.points if lost else spent
    if not 0 <= taken <= it.points:
        raise Invalid("A loan costs no more than what was set aside for it.")
    if it.status != "out":
        if (it.status, it.spent) == (status, taken):
            return it
        raise Conflict("This loan ended already.", "loan-ended")
    if taken:
        capture = await _capture(ledger, ground, it, borrower, lender, taken, status, actor)
        (outcome,) = await ledger.post([capture])
        if isinstance(outcome, Refused | Taken):
            return await _ended_before(engine, ledger, it)
        posted(outcome)
    else:
        (outcome,) = await ledger.post([Release(it.id)])
        # A hold that is not known was never placed: the server stopped in between, and nothing is set aside.
        if getattr(outcome, "ended", None) == "captured":
            return await _ended_before(engine, ledger, it)
    return await _close(engine, it, status, taken, actor)


async def loans(connection: AsyncConnection, *, status: str | None = None) -> list[Loan]:
    """Those of a status, or all; what is due first comes first."""
    query = sa.select(loan).order_by(loan.c.due_at_us, loan.c.id)
    if status is not None:
        query = query.where(loan.c.status == status)
    return [_loan(row) for row in await connection.execute(query)]


async def named(engine: AsyncEngine, id_: UUID) -> Loan:
    found = await find(engine, id_)
    if found is None:
        raise NotFound("There is no such loan.")
    return found


async def find(engine: AsyncEngine, id_: UUID) -> Loan | None:
    """The loan under an id, None where there is none."""
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(loan).where(loan.c.id == id_))).one_or_none()
    return _loan(row) if row is not None else None


async def _capture(
    ledger: Ledger,
    ground: Ground,
    it: Loan,
    borrower: Member,
    lender: Member | None,
    taken: int,
    status: str,
    actor: str,
) -> Operation:
    """Borrower's wallet / lender's, or issuance where there is no lender."""
    currency = ground.currency
    keys = [wallet_key(borrower.owner, currency), *_receiving(currency, lender)]
    wallet, first, *more = await ledger.accounts(keys)
    return operation(
        uuid5(it.id, ENDED),
        ENDED,
        (Posting(wallet, first, taken, credit_overflow=more[0] if more else None),),
        actor=actor,
        at_us=ground.at_us,
        day=ground.day,
        asked={"loan": str(it.id), "thing": it.thing, "status": status, "points": taken, "currency": currency.code},
        policy=ground.rules.label,
        captures=it.id,
    )


def _receiving(currency: Currency, lender: Member | None) -> list[AccountKey]:
    if lender is None:
        return [AccountKey(currency_book(currency.issuer, currency.code), "issuance")]
    return [overdraft_key(lender.owner, currency), wallet_key(lender.owner, currency)]


async def _ended_before(engine: AsyncEngine, ledger: Ledger, it: Loan) -> Loan:
    """Somebody ended it otherwise. Should their server have stopped before it noted so, it is noted now."""
    booked = (await ledger.booked([uuid5(it.id, ENDED)])).get(uuid5(it.id, ENDED))
    if booked is None:
        await _close(engine, it, "returned", 0, "server")
    else:
        said = json.loads(booked.details)
        await _close(engine, it, said["status"], said["points"], booked.actor)
    raise Conflict("This loan ended already.", "loan-ended")


async def _close(engine: AsyncEngine, it: Loan, status: Literal["returned", "lost"], spent: int, actor: str) -> Loan:
    values = {"status": status, "spent": spent, "ended_at_us": now_us(), "ended_by": actor}
    async with engine.begin() as connection:
        await connection.execute(sa.update(loan).where(loan.c.id == it.id, loan.c.status == "out").values(values))
    return await named(engine, it.id)


def _asked(it: Loan) -> tuple[Any, ...]:
    return it.borrower, it.lender, it.currency, it.points, it.thing, it.due_at_us


def _kept(it: Loan) -> dict[str, Any]:
    """What the hold keeps; the same whenever it is asked for again."""
    return {"borrower": str(it.borrower), "thing": it.thing, "points": it.points, "due_at_us": it.due_at_us}


def _loan(row: Any) -> Loan:
    return Loan(**row._mapping)
