"""Credit lines of mutual credit: one person asks, another decides, and the member's wallet may go down so far.

Granting is no operation, for nothing moves: the wallet's floor changes, the request keeps who asked and who decided,
and the audit log has both acts. All of a decision is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, wallet_key
from app.currencies.policies import policies, policy_at
from app.currencies.service import Currency
from app.identity.audit import audit
from app.issuing.tables import credit_line
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound

State = Literal["asked", "granted", "refused"]


@dataclass(frozen=True, slots=True)
class CreditLine:
    """`credit`: how far below zero the member may go, in minor units. `policy`: the rules at the decision."""

    id: UUID
    currency: str
    card: UUID
    wallet: UUID
    credit: int
    reason: str
    state: State
    asked_by: str
    asked_at_us: int
    decided_by: str | None = None
    decided_at_us: int | None = None
    policy: str | None = None


async def ask(
    ledger: Ledger, currency: Currency, card: Card, credit: int, id_: UUID, *, actor: str, reason: str
) -> CreditLine:
    """A request that waits for somebody else. The same id again answers what became of it.

    Raises Invalid("currency-not-accepted"), Forbidden("card-blocked"), Invalid("idempotency-key-reused").
    """
    if currency.kind != "mutual":
        raise Invalid(f"{currency.code} gives no credit.", "currency-not-accepted")
    new = CreditLine(id_, currency.code, card.id, card.wallet, credit, reason, "asked", actor, now_us())
    async with ledger.engine.begin() as connection:
        known = await _found(connection, id_)
        if known is not None:
            if _asked(known) != _asked(new):
                raise Invalid("This id was used for other content.", "idempotency-key-reused")
            return known
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        await connection.execute(sa.insert(credit_line).values(asdict(new)))
        said = {"currency": currency.code, "credit": credit, "reason": reason, "request": str(id_)}
        await audit(connection, actor, "credit.ask", f"wallet:{card.wallet}", **said)
    return new


async def decide(
    ledger: Ledger, currencies: dict[str, Currency], id_: UUID, *, actor: str, granted: bool
) -> CreditLine:
    """Grant or refuse a request. The same decision again changes nothing.

    Raises NotFound, Forbidden("same-person") for who asked, Conflict("decided") where it was decided otherwise, and
    Conflict("floor-above-balance") where the member owes more than the new credit already.
    """
    async with ledger.reader.connect() as connection:
        it = await _named(connection, id_)
    currency, now, state = currencies[it.currency], now_us(), "granted" if granted else "refused"
    (account,) = await ledger.accounts([wallet_key(f"wallet:{it.wallet}", currency)])
    async with ledger.engine.begin() as connection:
        it = await _named(connection, id_, lock=True)
        if it.state == state and it.decided_by == actor:
            return it
        if it.state != "asked":
            raise Conflict("This was decided already.", "decided")
        if granted and it.asked_by == actor:
            raise Forbidden("Whoever asks for credit does not grant it: two people decide.", "same-person")
        version = policy_at((await policies(connection))[it.currency], now)
        decided = {"state": state, "decided_by": actor, "decided_at_us": now, "policy": version.label}
        await connection.execute(sa.update(credit_line).where(credit_line.c.id == id_).values(decided))
        if granted:
            await ledger.set_floor(connection, account, -it.credit)
        said = {"currency": it.currency, "credit": it.credit, "request": str(id_), "asked_by": it.asked_by}
        await audit(connection, actor, f"credit.{state}", f"wallet:{it.wallet}", policy=version.label, **said)
        return await _named(connection, id_)


async def credit_lines(connection: AsyncConnection, limit: int = 200) -> list[CreditLine]:
    """Those that wait first, then the newest decisions."""
    waits = sa.case((credit_line.c.state == "asked", 0), else_=1)
    newest = sa.func.coalesce(credit_line.c.decided_at_us, credit_line.c.asked_at_us).desc()
    rows = await connection.execute(sa.select(credit_line).order_by(waits, newest, credit_line.c.id).limit(limit))
    return [_line(row) for row in rows]


async def granted_credit(connection: AsyncConnection, wallets: Sequence[UUID], code: str) -> dict[UUID, int]:
    """By wallet, the credit line that holds in a currency: the last one granted. Those without any are left out."""
    query = (
        sa.select(credit_line.c.wallet, credit_line.c.credit)
        .where(credit_line.c.wallet.in_(wallets), credit_line.c.currency == code, credit_line.c.state == "granted")
        .order_by(credit_line.c.decided_at_us)
    )
    return {row.wallet: row.credit for row in await connection.execute(query)}


async def _named(connection: AsyncConnection, id_: UUID, *, lock: bool = False) -> CreditLine:
    found = await _found(connection, id_, lock=lock)
    if found is None:
        raise NotFound("There is no such request.")
    return found


async def _found(connection: AsyncConnection, id_: UUID, *, lock: bool = False) -> CreditLine | None:
    query = sa.select(credit_line).where(credit_line.c.id == id_)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _line(row)


def _asked(it: CreditLine) -> tuple[str, UUID, int, str, str]:
    return it.currency, it.card, it.credit, it.reason, it.asked_by


def _line(row: Any) -> CreditLine:
    return CreditLine(**row._mapping)
