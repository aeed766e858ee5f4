"""How much of one currency there is, now by kind of account and at past instants in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.rules.kinds import BookKind
from app.ledger.store import instants
from app.ledger.tables import account, book


@dataclass(frozen=True, slots=True)
class KindSum:
    """All accounts of one kind in a currency's book: how many hold something, and minor units on their normal side."""

    kind: str
    accounts: int
    balance: int


async def by_kind(connection: AsyncConnection, currency: str) -> list[KindSum]:
    """Every kind of which an account was opened, as of now."""
    query = (
        sa.select(
            account.c.kind,
            sa.func.sum(sa.case((account.c.balance != 0, 1), else_=0)).label("accounts"),
            sa.func.sum(account.c.balance).label("balance"),
        )
        .join_from(account, book, account.c.book == book.c.id)
        .where(*_of(currency))
        .group_by(account.c.kind)
        .order_by(account.c.kind)
    )
    return [KindSum(row.kind, int(row.accounts), int(row.balance)) for row in await connection.execute(query)]


async def supply(connection: AsyncConnection, currency: str, at_us: Sequence[int]) -> list[int]:
    """Minor units in circulation at each of these instants: what was issued and not taken back.

    In a currency that nobody issues, what members hold beyond zero: as much as the others owe.
    """
    issued = sa.select(account.c.id).join_from(account, book, account.c.book == book.c.id)
    issued = issued.where(*_of(currency), account.c.kind == "issuance")
    of_issuance = (await connection.execute(issued)).first() is not None
    found = []
    for instant in at_us:
        at = await instants.moment(connection, instant)
        balance = instants.balance_at(connection, at.transfer)
        balances = sa.select(balance.label("balance")).join_from(account, book, account.c.book == book.c.id)
        balances = balances.where(*_of(currency))
        if of_issuance:
            balances = balances.where(account.c.kind == "issuance")
        each = balances.subquery()
        held = sa.select(sa.func.coalesce(sa.func.sum(each.c.balance), 0)).where(each.c.balance > 0)
        found.append(int((await connection.execute(held)).scalar_one()))
    return found


def _of(currency: str) -> tuple[sa.ColumnElement[bool], ...]:
    return book.c.kind == BookKind.CURRENCY, book.c.currency == currency
