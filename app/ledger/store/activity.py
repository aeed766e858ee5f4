"""What wallets held at an instant and what moved since, many at once: the facts of expiry, demurrage and growth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.store.instants import Moment, balance_at, newest_first, run
from app.ledger.tables import account, book, operation, transfer


@dataclass(frozen=True, slots=True)
class Activity:
    """One wallet; minor units, instants in microseconds.

    `balance`: at the moment; `earlier`: at the moment before it; `spent_between`: what left from the one to the other;
    `spent_since`: what left after the moment. `free`: what it holds now beside what is set aside. `received_us`,
    `moved_us`: when it was last credited, and last moved, up to the moment.
    """

    account: int
    owner: str
    balance: int
    earlier: int
    spent_between: int
    spent_since: int
    free: int
    received_us: int | None
    moved_us: int | None


@dataclass(frozen=True, slots=True)
class Sold:
    """What one wallet was paid by other wallets between two moments, less what of it was taken back."""

    account: int
    owner: str
    amount: int


async def activity(
    connection: AsyncConnection,
    currency: str,
    earlier: Moment,
    at: Moment,
    now: Moment,
    *,
    still: Collection[str],
    owners: Collection[str] | None,
    after: int,
    limit: int,
) -> list[Activity]:
    """Wallets of a currency above account number `after` that hold something now, in the order of their numbers.
    Operations of kinds `still` take from a wallet without being a move of its holder's."""
    credited = _booked_at(_newest(connection, transfer.c.credit_account, at.transfer).scalar_subquery())
    debited = (
        sa.select(operation.c.booked_at_us)
        .join_from(transfer, operation, operation.c.seq == transfer.c.operation_seq)
        .where(
            *run(connection, [(transfer.c.debit_account, account.c.id)], transfer.c.id, 0, at.transfer),
            operation.c.kind.not_in(list(still)),
        )
        .order_by(*newest_first([(transfer.c.debit_account, account.c.id)], transfer.c.id))
        .limit(1)
        .correlate(account)
        .scalar_subquery()
    )
    query = (
        _wallets(currency, owners, after, limit)
        .add_columns(
            sa.func.coalesce(balance_at(connection, at.transfer), 0).label("at"),
            sa.func.coalesce(balance_at(connection, earlier.transfer), 0).label("earlier"),
            _spent(connection, earlier, at).label("between"),
            _spent(connection, at, now).label("since"),
            credited.label("received_us"),
            debited.label("debited_us"),
        )
        .where(account.c.balance > account.c.held)
    )
    return [_activity(row) for row in await connection.execute(query)]


async def sold(
    connection: AsyncConnection, currency: str, opened: Moment, closed: Moment, *, after: int, limit: int
) -> list[Sold]:
    """Wallets of a currency above account number `after`, in the order of their numbers."""
    other = account.alias("other")

    def flow(own: sa.Column[Any], others: sa.Column[Any], taken_back: bool) -> Any:
        reverses = transfer.c.reverses.is_not(None) if taken_back else transfer.c.reverses.is_(None)
        return (
            sa.select(sa.func.coalesce(sa.func.sum(transfer.c.amount), 0))
            .join_from(transfer, other, other.c.id == others)
            .where(
                *run(connection, [(own, account.c.id)], transfer.c.id, opened.transfer, closed.transfer),
                reverses,
                other.c.kind == "wallet",
            )
            .correlate(account)
            .scalar_subquery()
        )

    earned = flow(transfer.c.credit_account, transfer.c.debit_account, taken_back=False)
    returned = flow(transfer.c.debit_account, transfer.c.credit_account, taken_back=True)
    query = _wallets(currency, None, after, limit).add_columns(earned.label("earned"), returned.label("returned"))
    rows = await connection.execute(query)
    return [Sold(row.id, row.owner, int(row.earned) - int(row.returned)) for row in rows]


def _wallets(currency: str, owners: Collection[str] | None, after: int, limit: int) -> sa.Select[Any]:
    query = (
        sa.select(account.c.id, account.c.owner, account.c.balance, account.c.held)
        .join_from(account, book, account.c.book == book.c.id)
        .where(book.c.kind == "currency", book.c.currency == currency, account.c.kind == "wallet")
        .where(account.c.id > after)
        .order_by(account.c.id)
        .limit(limit)
    )
    return query if owners is None else query.where(account.c.owner.in_(list(owners)))


def _newest(connection: AsyncConnection, side: sa.Column[Any], last: int) -> sa.Select[Any]:
    leads = [(side, account.c.id)]
    return (
        sa.select(transfer.c.operation_seq)
        .where(*run(connection, leads, transfer.c.id, 0, last))
        .order_by(*newest_first(leads, transfer.c.id))
        .limit(1)
        .correlate(account)
    )


def _booked_at(seq: sa.ScalarSelect[Any]) -> sa.ScalarSelect[Any]:
    return sa.select(operation.c.booked_at_us).where(operation.c.seq == seq).correlate(account).scalar_subquery()


def _spent(connection: AsyncConnection, opened: Moment, closed: Moment) -> sa.ScalarSelect[Any]:
    between = run(
        connection, [(transfer.c.debit_account, account.c.id)], transfer.c.id, opened.transfer, closed.transfer
    )
    total = sa.func.coalesce(sa.func.sum(transfer.c.amount), 0)
    return sa.select(total).where(*between).correlate(account).scalar_subquery()


def _activity(row: Any) -> Activity:
    moved = [it for it in (row.received_us, row.debited_us) if it is not None]
    return Activity(
        account=row.id,
        owner=row.owner,
        balance=row.at,
        earlier=row.earlier,
        spent_between=int(row.between),
        spent_since=int(row.since),
        free=row.balance - row.held,
        received_us=row.received_us,
        moved_us=max(moved, default=None),
    )
