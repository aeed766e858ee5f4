"""What members hold, may still pay and owe in euros, and what happened on their accounts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.cards.service import wallet_key
from app.currencies.service import Currency
from app.ledger.service import Ledger
from app.mutual.members import Member


@dataclass(frozen=True, slots=True)
class Held:
    """Minor units of one currency: `balance` (negative: what a member owes the others), `reserved` of it is not free;
    the member may go down to minus `credit`."""

    balance: int
    reserved: int
    credit: int

    @property
    def free(self) -> int:
        return self.balance - self.reserved + self.credit


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation on a member's account in one currency. `change`, `after`: minor units; `other`: the card at the
    other end of a trade, transfer or loan, or ""."""

    transfer: int
    operation: UUID
    seq: int
    kind: str
    at_us: int
    change: int
    after: int
    reason: str
    other: str


async def held_by(ledger: Ledger, who: Sequence[Member], currencies: Iterable[Currency]) -> dict[UUID, dict[str, Held]]:
    """By member, then currency: what their wallets hold, in those currencies in which they have one."""
    wanted = {it.code for it in currencies}
    by_owner = {it.owner: it.id for it in who}
    found: dict[UUID, dict[str, Held]] = {it.id: {} for it in who}
    rows = [
        row for row in await ledger.balances(owners=list(by_owner), kinds=["wallet"]) if row.key.book.currency in wanted
    ]
    async with ledger.reader.connect() as connection:
        bounds = await ledger.bounds(connection, [row.id for row in rows])
    for row in rows:
        limits = bounds[row.id]
        held = Held(row.balance, limits.held, -(limits.floor or 0))
        found[by_owner[row.key.owner]][row.key.book.currency] = held
    return found


async def receivables(ledger: Ledger, who: Sequence[Member]) -> dict[UUID, int]:
    """Euro cents that members owe the network for commissions, by member; who owes nothing is left out."""
    by_owner = {it.owner: it.id for it in who}
    owed: dict[UUID, int] = {}
    for row in await ledger.balances(owners=list(by_owner), kinds=["receivable"]):
        if row.balance:
            id_ = by_owner[row.key.owner]
            owed[id_] = owed.get(id_, 0) + row.balance
    return owed


async def statement(
    ledger: Ledger, who: Member, currency: Currency, *, before: int | None = None, limit: int = 50
) -> list[Entry]:
    """The newest entries of a member's account, newest first; `before` continues after a page's last `transfer`."""
    lines = await ledger.statement([wallet_key(who.owner, currency)], before=before, limit=limit)
    return [
        Entry(
            line.transfer,
            line.operation,
            line.seq,
            line.kind,
            line.occurred_at_us,
            line.change,
            line.after,
            str(said.get("reason") or said.get("thing") or ""),
            _other(said, who),
        )
        for line in lines
        for said in [json.loads(line.details)]
    ]


def _other(said: Mapping[str, Any], who: Member) -> str:
    ends = [str(said[it]) for it in ("buyer", "seller", "from", "to") if it in said]
    return next((it for it in ends if it != who.card.uid), "")
