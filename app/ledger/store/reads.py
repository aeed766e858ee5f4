"""Reading the ledger. No query grows with the whole history: each is led by an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.rules.kinds import AccountKey, Book, BookKind
from app.ledger.rules.operations import Flow, Transfer
from app.ledger.tables import account, book, head, operation, refusal, transfer
from app.platform.among import among

# Both databases take some 32,000 parameters in a statement.
NUMBERS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """An account and its balance, in minor units on its normal side."""

    id: int
    key: AccountKey
    balance: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as one account sees it: `change` and `after` on the account's normal side, in minor units."""

    transfer: int
    account: int
    change: int
    after: int
    operation: UUID
    seq: int
    kind: str
    actor: str
    venue: UUID | None
    terminal: UUID | None
    occurred_at_us: int
    booked_at_us: int
    business_day: date
    reverses: UUID | None
    details: str


@dataclass(frozen=True, slots=True)
class BookedOperation:
    """An operation as it stands in the ledger, with its transfers."""

    id: UUID
    seq: int
    kind: str
    fingerprint: bytes
    actor: str
    venue: UUID | None
    terminal: UUID | None
    occurred_at_us: int
    booked_at_us: int
    business_day: date
    late: bool
    policy: str
    reverses: UUID | None
    details: str
    transfers: tuple[Transfer, ...]


_BALANCE = sa.select(
    account.c.id,
    book.c.issuer,
    book.c.kind.label("book_kind"),
    book.c.currency,
    account.c.kind,
    account.c.owner,
    account.c.balance,
).join_from(account, book, account.c.book == book.c.id)


async def balances(
    connection: AsyncConnection, *, owners: Iterable[str] | None = None, kinds: Iterable[str] | None = None
) -> list[BalanceRow]:
    """Accounts of these owners, of these kinds, with their balances as of now."""
    query = _BALANCE.order_by(account.c.id)
    if owners is not None:
        query = query.where(among(account.c.owner, owners))
    if kinds is not None:
        query = query.where(account.c.kind.in_(list(kinds)))
    rows = await connection.execute(query)
    return [_balance(row) for row in rows]


async def free(
    connection: AsyncConnection, kinds: Iterable[str], owners: Iterable[str] | None = None
) -> list[BalanceRow]:
    """Accounts of these kinds (and of these owners), with their balances less what open holds reserve of them."""
    query = _BALANCE.add_columns(account.c.held).where(account.c.kind.in_(list(kinds)))
    if owners is not None:
        query = query.where(among(account.c.owner, owners))
    rows = await connection.execute(query)
    return [replace(it, balance=it.balance - row.held) for row in rows for it in [_balance(row)]]


async def free_together(connection: AsyncConnection, currency: str, kind: str, most_each: int) -> int:
    """What accounts of one kind may still pay together, counting of each at most `most_each` minor units."""
    free = account.c.balance - account.c.held
    counted = sa.case((free < most_each, free), else_=most_each)
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(counted), 0))
        .join_from(account, book, account.c.book == book.c.id)
        .where(book.c.currency == currency, account.c.kind == kind, free > 0)
    )
    return int((await connection.execute(query)).scalar_one())


async def owners_held(connection: AsyncConnection, kinds: Iterable[str]) -> set[str]:
    """Owners of accounts of these kinds of which a hold reserves something."""
    rows = await connection.execute(
        sa.select(account.c.owner).where(account.c.kind.in_(list(kinds)), account.c.held > 0).distinct()
    )
    return set(rows.scalars())


async def last_transfer(connection: AsyncConnection) -> int:
    """The newest transfer's number. They rise in the order of commits, for one batch is posted at a time."""
    number: int = (await connection.execute(sa.select(head.c.transfer_id))).scalar_one()
    return number


async def moved_since(connection: AsyncConnection, after: int, kinds: Iterable[str]) -> set[str]:
    """Owners of accounts of these kinds that a transfer numbered above `after` moved."""
    sides = (transfer.c.debit_account, transfer.c.credit_account)
    touched = sa.union(*(sa.select(side.label("id")).where(transfer.c.id > after) for side in sides)).subquery()
    query = sa.select(account.c.owner).distinct().join_from(touched, account, account.c.id == touched.c.id)
    rows = await connection.execute(query.where(account.c.kind.in_(list(kinds))))
    return set(rows.scalars())


async def newest_since(
    connection: AsyncConnection, seq: int, kinds: Iterable[str]
) -> tuple[int, list[tuple[UUID, UUID]]]:
    """(the newest operation's number, (terminal, id) of terminals' operations of these kinds numbered above `seq`).

    Below 0, none are looked for: that would be the whole history.
    """
    newest: int = (await connection.execute(sa.select(head.c.operation_seq))).scalar_one()
    if seq < 0 or seq == newest:
        return newest, []
    rows = await connection.execute(
        sa.select(operation.c.terminal, operation.c.id).where(
            operation.c.seq > seq, operation.c.kind.in_(list(kinds)), operation.c.terminal.is_not(None)
        )
    )
    return newest, [(row.terminal, row.id) for row in rows]


async def by_id(connection: AsyncConnection, ids: Iterable[int]) -> list[BalanceRow]:
    rows = await connection.execute(_BALANCE.where(account.c.id.in_(list(ids))))
    return [_balance(row) for row in rows]


async def taken_back(connection: AsyncConnection, transfers: Iterable[int]) -> dict[int, int]:
    """How much of each was reversed, in minor units; those of which nothing was are left out."""
    query = sa.select(transfer.c.reverses, sa.func.sum(transfer.c.amount).label("amount"))
    query = query.where(transfer.c.reverses.in_(list(transfers))).group_by(transfer.c.reverses)
    return {row.reverses: int(row.amount) for row in await connection.execute(query)}


async def corrections(connection: AsyncConnection, transfers: Iterable[int]) -> list[BookedOperation]:
    """Operations that took some of these transfers back and booked them anew, without being their reversal."""
    query = sa.select(operation).where(
        operation.c.reverses.is_(None),
        operation.c.seq.in_(sa.select(transfer.c.operation_seq).where(transfer.c.reverses.in_(list(transfers)))),
    )
    return await whole(connection, (await connection.execute(query.order_by(operation.c.seq))).all())


async def statement(
    connection: AsyncConnection, accounts: Sequence[int], *, before: int | None = None, limit: int = 50
) -> list[StatementLine]:
    """The newest transfers of these accounts, newest first; `before`: only those numbered below (a page's cursor)."""
    if not accounts:
        return []
    values = {f"account_{index}": number for index, number in enumerate(accounts)} | {"most": limit}
    if before is not None:
        values["before"] = before
    rows = await connection.execute(_newest(len(accounts), before is not None), values)
    return [line_of(row) for row in rows]


@lru_cache(maxsize=64)
def _newest(number: int, older: bool) -> sa.Select[Any]:
    """Of so many accounts; the newest of each is found by an index, however long its history. Putting it together takes
    longer than its answer, so it is kept."""
    sides = []
    for column, after, sign in (
        (transfer.c.debit_account, transfer.c.debit_after, -1),
        (transfer.c.credit_account, transfer.c.credit_after, 1),
    ):
        for index in range(number):
            side = sa.select(
                transfer.c.id.label("transfer"),
                transfer.c.operation_seq,
                (transfer.c.amount * sign).label("signed"),
                after.label("after"),
                column.label("account"),
            ).where(column == sa.bindparam(f"account_{index}"))
            if older:
                side = side.where(transfer.c.id < sa.bindparam("before"))
            side = side.order_by(transfer.c.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))
            sides.append(sa.select(side.subquery()))
    legs = sa.union_all(*sides).subquery()
    return (
        sa.select(
            legs.c.transfer, legs.c.account, (legs.c.signed * account.c.normal).label("change"), legs.c.after, operation
        )
        .join_from(legs, operation, operation.c.seq == legs.c.operation_seq)
        .join(account, account.c.id == legs.c.account)
        .order_by(legs.c.transfer.desc())
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


async def booked(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, BookedOperation]:
    """Those of the operations that are in the ledger."""
    rows = (await connection.execute(sa.select(operation).where(operation.c.id.in_(list(ids))))).all()
    return {it.id: it for it in await whole(connection, rows)}


async def whole(connection: AsyncConnection, operations: Sequence[Any]) -> list[BookedOperation]:
    """Rows of `operation` with their transfers, in the same order."""
    if not operations:
        return []
    by_seq: dict[int, list[Transfer]] = {}
    for of_some in _of_transfers(operations):
        for r in await connection.execute(sa.select(transfer).where(of_some).order_by(transfer.c.id)):
            it = Transfer(r.id, r.debit_account, r.credit_account, r.amount, r.debit_after, r.credit_after, r.reverses)
            by_seq.setdefault(r.operation_seq, []).append(it)
    return [_operation(row, tuple(by_seq[row.seq])) for row in operations]


def _of_transfers(operations: Sequence[Any]) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions that together name the operations' transfers, led by the primary key: an operation's transfers are one
    run of numbers, and those of neighbours are one run too."""
    runs = sorted((row.first_transfer, row.first_transfer + row.transfers) for row in operations)
    if all(end == first for (_, end), (first, _) in pairwise(runs)):
        yield sa.and_(transfer.c.id >= runs[0][0], transfer.c.id < runs[-1][1])
        return
    numbers = [number for run in runs for number in range(*run)]
    for start in range(0, len(numbers), NUMBERS_MAX):
        yield transfer.c.id.in_(numbers[start : start + NUMBERS_MAX])


async def flow(connection: AsyncConnection, asked: Flow) -> int:
    """What it comes to, in minor units."""
    back = transfer.alias("back")
    taken_back = sa.select(sa.func.coalesce(sa.func.sum(back.c.amount), 0)).where(back.c.reverses == transfer.c.id)
    side = transfer.c.credit_account if asked.incoming else transfer.c.debit_account
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(transfer.c.amount - taken_back.scalar_subquery()), 0))
        .join_from(transfer, operation, operation.c.seq == transfer.c.operation_seq)
        .where(side.in_(asked.accounts), operation.c.kind.in_(asked.kinds))
        .where(operation.c.business_day.between(asked.first_day, asked.last_day))
    )
    return int((await connection.execute(query)).scalar_one())


async def refused(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Reasons by id, of those that were refused on their merits or cancelled in advance."""
    rows = await connection.execute(sa.select(refusal.c.id, refusal.c.reason).where(refusal.c.id.in_(list(ids))))
    return {row.id: row.reason for row in rows}


async def taken_back_by(connection: AsyncConnection, id_: UUID) -> UUID | None:
    """The newest operation that takes this one back."""
    query = sa.select(operation.c.id).where(operation.c.reverses == id_).order_by(operation.c.seq.desc()).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


async def booked_ids(connection: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    rows = await connection.execute(sa.select(operation.c.id).where(operation.c.id.in_(list(ids))))
    return {row.id for row in rows}


async def reversed_ids(connection: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these operations that others take back."""
    query = sa.select(operation.c.reverses).where(operation.c.reverses.in_(list(ids)))
    return {row.reverses for row in await connection.execute(query)}


async def newest_of_terminal(connection: AsyncConnection, terminal: UUID, kind: str, since_us: int) -> list[UUID]:
    """Ids of a terminal's operations of one kind booked since an instant, newest first."""
    query = (
        sa.select(operation.c.id)
        .where(operation.c.terminal == terminal, operation.c.kind == kind, operation.c.booked_at_us >= since_us)
        .order_by(operation.c.seq.desc())
        .limit(1000)
    )
    return [row.id for row in await connection.execute(query)]


def _balance(row: Any) -> BalanceRow:
    key = AccountKey(Book(row.issuer, BookKind(row.book_kind), row.currency), row.kind, row.owner)
    return BalanceRow(row.id, key, row.balance)


def line_of(row: Any) -> StatementLine:
    return StatementLine(
        row.transfer,
        row.account,
        row.change,
        row.after,
        row.id,
        row.seq,
        row.kind,
        row.actor,
        row.venue,
        row.terminal,
        row.occurred_at_us,
        row.booked_at_us,
        row.business_day,
        row.reverses,
        row.details,
    )


def _operation(row: Any, transfers: tuple[Transfer, ...]) -> BookedOperation:
    return BookedOperation(
        row.id,
        row.seq,
        row.kind,
        bytes(row.fingerprint),
        row.actor,
        row.venue,
        row.terminal,
        row.occurred_at_us,
        row.booked_at_us,
        row.business_day,
        row.late,
        row.policy,
        row.reverses,
        row.details,
        transfers,
    )
