"""The ledger as it stood at an instant: balances of any account, and the trial balance.

Operations are numbered in the order of their commits and `booked_at_us` never decreases with the number, so an instant
is a number, found by halving: about log2(operations) looks at one index. An account's balance then is what the last
transfer at or below that number left on it: one look at each of its two indexes, however long its history is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.rules.kinds import AccountKey, Book, BookKind
from app.ledger.tables import account, book, head, operation, transfer
from app.platform.among import among
from app.platform.database import is_sqlite


@dataclass(frozen=True, slots=True)
class Moment:
    """All operations up to number `seq` and all transfers up to number `transfer` are booked, and no others."""

    seq: int
    transfer: int


START = Moment(0, 0)
# A statement takes some 32,000 parameters on both databases, and each number stands in it twice.
IDS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Account:
    """`balance` and `held` as of now, in minor units on the normal side (1: credits, -1: debits)."""

    id: int
    key: AccountKey
    normal: int
    balance: int
    held: int
    opened_at_us: int


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account at a moment; `balance` in minor units on the account's normal side."""

    id: int
    key: AccountKey
    normal: int
    balance: int

    @property
    def debit(self) -> int:
        """What stands on the debit side, 0 if the balance stands on the other."""
        return max(0, -self.balance * self.normal)

    @property
    def credit(self) -> int:
        return max(0, self.balance * self.normal)


ACCOUNTS = sa.select(
    account.c.id,
    book.c.issuer,
    book.c.kind.label("book_kind"),
    book.c.currency,
    account.c.kind,
    account.c.owner,
    account.c.normal,
    account.c.balance,
    account.c.held,
    account.c.opened_at_us,
).join_from(account, book, account.c.book == book.c.id)


def run(
    connection: AsyncConnection,
    leads: Sequence[tuple[sa.Column[Any], Any]],
    number: sa.Column[Any],
    low: Any,
    high: Any,
) -> list[sa.ColumnElement[bool]]:
    """The rows whose `leads` columns have those values and whose `number` is above `low` and at most `high`.

    On PostgreSQL written so that only the index over (leads, number) has their order. Of two plain conditions the
    planner may take the index over `number` alone instead, and walk through everybody's history for one row.
    """
    values = [sa.literal(value, column.type) if not _is_sql(value) else value for column, value in leads]
    if not leads or is_sqlite(connection):
        # SQLite uses no more of a row value than its first column, and always prefers the index that fits better.
        equal = [column == value for (column, _), value in zip(leads, values, strict=True)]
        return [*equal, number > low, number <= high]
    place = sa.tuple_(*(column for column, _ in leads), number)
    return [
        place > sa.tuple_(*values, sa.literal(low, number.type)),
        place <= sa.tuple_(*values, sa.literal(high, number.type)),
    ]


def newest_first(leads: Sequence[tuple[sa.Column[Any], Any]], number: sa.Column[Any]) -> list[sa.ColumnElement[Any]]:
    """The order in which the index of `run` is read backwards."""
    return [*(column.desc() for column, _ in leads), number.desc()]


def oldest_first(leads: Sequence[tuple[sa.Column[Any], Any]], number: sa.Column[Any]) -> list[sa.ColumnElement[Any]]:
    return [*(column.asc() for column, _ in leads), number.asc()]


def _is_sql(value: Any) -> bool:
    return isinstance(value, sa.ColumnElement)


async def now(connection: AsyncConnection) -> Moment:
    row = (await connection.execute(sa.select(head.c.operation_seq, head.c.transfer_id))).one()
    return Moment(row.operation_seq, row.transfer_id)


async def moment(connection: AsyncConnection, at_us: int | None) -> Moment:
    """What had been booked at `at_us` (the last operation booked at that microsecond included); None: by now."""
    if at_us is None:
        return await now(connection)
    # The answer stays within low <= seq <= high; `middle` is above low, so every step halves what is left.
    search = sa.select(sa.literal(0, sa.BigInteger).label("low"), head.c.operation_seq.label("high")).cte(
        "search", recursive=True
    )
    middle = (search.c.low + search.c.high + 1) // 2
    looked = sa.select(operation.c.booked_at_us).where(operation.c.seq == middle).scalar_subquery()
    search = search.union_all(
        sa.select(
            sa.case((looked <= at_us, middle), else_=search.c.low),
            sa.case((looked <= at_us, search.c.high), else_=middle - 1),
        ).where(search.c.low < search.c.high)
    )
    last = (
        sa.select(operation.c.first_transfer + operation.c.transfers - 1)
        .where(operation.c.seq == search.c.low)
        .scalar_subquery()
    )
    query = sa.select(search.c.low, sa.func.coalesce(last, 0).label("last")).where(search.c.low == search.c.high)
    row = (await connection.execute(query)).one()
    return Moment(row.low, row.last)


def balance_at(connection: AsyncConnection, last: int) -> sa.ColumnElement[int | None]:
    """For a query over `account`: the balance once transfer number `last` was posted; NULL before its first."""
    sides = []
    for column, after in (
        (transfer.c.debit_account, transfer.c.debit_after),
        (transfer.c.credit_account, transfer.c.credit_after),
    ):
        leads = [(column, account.c.id)]
        side = (
            sa.select(transfer.c.id, after.label("after"))
            .where(*run(connection, leads, transfer.c.id, 0, last))
            .order_by(*newest_first(leads, transfer.c.id))
            .limit(1)
            .correlate(account)
            .subquery()
        )
        sides.append(sa.select(side))
    legs = sa.union_all(*sides).subquery()
    return sa.select(legs.c.after).order_by(legs.c.id.desc()).limit(1).correlate(account).scalar_subquery()


async def balances_at(connection: AsyncConnection, id_: int, moments: Sequence[Moment]) -> list[int]:
    """The balances of one account at these moments."""
    columns = [balance_at(connection, it.transfer).label(f"at_{place}") for place, it in enumerate(moments)]
    row = (await connection.execute(sa.select(*columns).select_from(account).where(account.c.id == id_))).one()
    return [value or 0 for value in row]


async def trial_rows(
    connection: AsyncConnection, at: Moment, *, after: int = 0, limit: int | None = None
) -> list[TrialRow]:
    """Accounts above number `after`, in the order of their numbers, with their balances at that moment."""
    query = (
        ACCOUNTS.add_columns(sa.func.coalesce(balance_at(connection, at.transfer), 0).label("at"))
        .where(account.c.id > after)
        .order_by(account.c.id)
        .limit(limit)
    )
    return [TrialRow(row.id, key_of(row), row.normal, row.at) for row in await connection.execute(query)]


async def standing(
    connection: AsyncConnection,
    at: Moment,
    kinds: Collection[str],
    *,
    owners: Collection[str] | None = None,
    below_zero: bool = False,
) -> list[TrialRow]:
    """Accounts of these kinds (and owners) that ever moved, with their balances at that moment; those below 0 alone, if
    asked for."""
    stood = sa.func.coalesce(balance_at(connection, at.transfer), 0).label("at")
    query = ACCOUNTS.add_columns(stood).where(account.c.kind.in_(list(kinds)), account.c.last_transfer > 0)
    if owners is not None:
        query = query.where(among(account.c.owner, owners))
    found = query.subquery()
    chosen = sa.select(found).where(found.c.at < 0) if below_zero else sa.select(found)
    rows = await connection.execute(chosen.order_by(found.c.id))
    return [TrialRow(row.id, key_of(row), row.normal, row.at) for row in rows]


class AccountMove(NamedTuple):
    """One transfer as an account sees it: `credited` minor units (negative: debited), and the account on the other
    side."""

    account: int
    credited: int
    other_kind: str
    other_owner: str
    reverses: int | None


async def moves(connection: AsyncConnection, ids: Sequence[int], at: Moment) -> list[AccountMove]:
    """Everything that moved these accounts up to that moment, each account's newest first: for such as move seldom."""
    found: list[AccountMove] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        sides = []
        for own, other, sign in (
            (transfer.c.debit_account, transfer.c.credit_account, -1),
            (transfer.c.credit_account, transfer.c.debit_account, 1),
        ):
            side = sa.select(
                transfer.c.id,
                own.label("account"),
                (transfer.c.amount * sign).label("credited"),
                account.c.kind,
                account.c.owner,
                transfer.c.reverses,
            )
            joined = side.join_from(transfer, account, account.c.id == other)
            sides.append(joined.where(own.in_(some), transfer.c.id <= at.transfer))
        both = sa.union_all(*sides).subquery()
        rows = await connection.execute(sa.select(both).order_by(both.c.id.desc()))
        found += [AccountMove(row.account, row.credited, row.kind, row.owner, row.reverses) for row in rows]
    return found


def account_of(row: Any) -> Account:
    return Account(row.id, key_of(row), row.normal, row.balance, row.held, row.opened_at_us)


def key_of(row: Any) -> AccountKey:
    return AccountKey(Book(row.issuer, BookKind(row.book_kind), row.currency), row.kind, row.owner)
