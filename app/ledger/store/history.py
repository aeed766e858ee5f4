"""Statements and lists of operations: pages by cursor, filters, and what was booked after a number.

Every query is led by an index and looks at no more than a page and SCANNED_MAX rows, whatever the filters leave of
them. A page may so hold fewer rows than were asked for, even none, while `next` says that there is more. A cursor is
the number of the last row looked at: what is booked meanwhile shifts nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.rules.kinds import AccountKey, BookKind
from app.ledger.store import activity, instants, reads, supply
from app.ledger.store.activity import Activity, Sold
from app.ledger.store.instants import START, Account, AccountMove, Moment, TrialRow
from app.ledger.store.reads import BookedOperation, StatementLine
from app.ledger.store.supply import KindSum
from app.ledger.tables import account, book, operation, transfer
from app.platform.database import is_sqlite

SCANNED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """Booked from `from_us` on and before `until_us`; None: from the first operation, up to now."""

    from_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Empty or None leaves everything. Amounts in minor units, both included."""

    kinds: tuple[str, ...] = ()
    venue: UUID | None = None
    terminal: UUID | None = None
    amount_min: int | None = None
    amount_max: int | None = None


@dataclass(frozen=True, slots=True)
class OperationFilter:
    """Empty or None leaves everything. `venues`: the only ones to look at, whatever else is asked for."""

    kinds: tuple[str, ...] = ()
    venue: UUID | None = None
    terminal: UUID | None = None
    business_day: date | None = None
    venues: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Empty or None leaves everything."""

    owners: frozenset[str] | None = None
    issuer: str | None = None
    book: BookKind | None = None
    currency: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement, and the account on the other side of its transfer (of the same book)."""

    booked: StatementLine
    other: int
    other_kind: str
    other_owner: str


@dataclass(frozen=True, slots=True)
class StatementPage:
    """`opening` and `closing`: balances before and after everything booked between the two moments, filtered or not."""

    account: Account
    opened: Moment
    closed: Moment
    opening: int
    closing: int
    lines: list[Line]
    next: int | None


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """`accounts`: what each account of the transfers is."""

    operations: list[BookedOperation]
    accounts: Mapping[int, AccountKey]
    next: int | None = None
    reversed_by: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Everything that was asked for among the operations after a number and up to `upto`."""

    operations: list[BookedOperation]
    accounts: Mapping[int, AccountKey]
    upto: int


class History:
    """Reads committed history; each method is one transaction over one snapshot. `reader` only reads."""

    def __init__(self, reader: AsyncEngine) -> None:
        self._reader = reader

    async def moment(self, at_us: int | None = None) -> Moment:
        async with self._reader.connect() as connection:
            return await instants.moment(connection, at_us)

    async def accounts(self, which: AccountFilter, *, after: int = 0, limit: int = 100) -> list[Account]:
        """In the order of their numbers; `after` continues a page."""
        query = instants.ACCOUNTS.where(account.c.id > after).order_by(account.c.id).limit(limit)
        if which.owners is not None:
            query = query.where(account.c.owner.in_(which.owners))
        for column, wanted in (
            (book.c.issuer, which.issuer),
            (book.c.kind, which.book),
            (book.c.currency, which.currency),
            (account.c.kind, which.kind),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        async with self._reader.connect() as connection:
            return [instants.account_of(row) for row in await connection.execute(query)]

    async def account(self, id_: int) -> Account | None:
        async with self._reader.connect() as connection:
            return await _account(connection, id_)

    async def balance_at(self, id_: int, at_us: int | None) -> tuple[Moment, int]:
        """The balance of an account that is there, at that instant or now, in minor units on its normal side."""
        async with self._reader.connect() as connection:
            at = await instants.moment(connection, at_us)
            (balance,) = await instants.balances_at(connection, id_, [at])
            return at, balance

    async def between(self, period: Period) -> tuple[Moment, Moment]:
        """The moments just before and just after everything of the period."""
        async with self._reader.connect() as connection:
            return await _between(connection, period)

    async def statement(
        self,
        id_: int,
        period: Period,
        which: LineFilter,
        *,
        cursor: int | None = None,
        limit: int = 100,
        newest: bool = False,
    ) -> StatementPage | None:
        """One page; None for an account that is not there."""
        async with self._reader.connect() as connection:
            of = await _account(connection, id_)
            if of is None:
                return None
            opened, closed = await _between(connection, period)
            opening, closing = await instants.balances_at(connection, id_, [opened, closed])
            lines, following = await _lines(connection, id_, opened, closed, which, cursor, limit, newest)
            return StatementPage(of, opened, closed, opening, closing, lines, following)

    async def standing(
        self, at: Moment, kinds: Collection[str], *, owners: Collection[str] | None = None, below_zero: bool = False
    ) -> list[TrialRow]:
        """Accounts of these kinds (and owners) that ever moved, as they stood at that moment."""
        async with self._reader.connect() as connection:
            return await instants.standing(connection, at, kinds, owners=owners, below_zero=below_zero)

    async def moves(self, ids: Sequence[int], at: Moment) -> list[AccountMove]:
        """Everything that moved these accounts up to then, each account's newest first: for such as move seldom."""
        async with self._reader.connect() as connection:
            return await instants.moves(connection, ids, at)

    async def lines(
        self,
        id_: int,
        opened: Moment,
        closed: Moment,
        which: LineFilter,
        *,
        cursor: int | None = None,
        limit: int,
    ) -> tuple[list[Line], int | None]:
        """Lines between two moments, oldest first, and the cursor of those that follow. What stands between
        two moments never changes, so a long statement can be read page by page."""
        async with self._reader.connect() as connection:
            return await _lines(connection, id_, opened, closed, which, cursor, limit, newest=False)

    async def supply(self, currency: str, at_us: Sequence[int]) -> list[int]:
        """Minor units of a currency in circulation at each of these instants."""
        async with self._reader.connect() as connection:
            return await supply.supply(connection, currency, at_us)

    async def by_kind(self, currency: str) -> list[KindSum]:
        """What the accounts of a currency's book hold now, kind by kind."""
        async with self._reader.connect() as connection:
            return await supply.by_kind(connection, currency)

    async def trial_rows(self, at: Moment, *, after: int = 0, limit: int | None = None) -> list[TrialRow]:
        async with self._reader.connect() as connection:
            return await instants.trial_rows(connection, at, after=after, limit=limit)

    async def activity(
        self,
        currency: str,
        at_us: int | None,
        earlier_us: int | None,
        *,
        still: Collection[str] = (),
        owners: Collection[str] | None = None,
        after: int = 0,
        limit: int = 500,
    ) -> list[Activity]:
        """Wallets of a currency (`owners`: these alone) that hold something now: as they were just before `at_us` and
        just before `earlier_us` (None: now), and what left them since. In the order of their numbers; `after` continues
        a page."""
        async with self._reader.connect() as connection:
            now, at, earlier = [
                await instants.moment(connection, None if it is None else it - 1) for it in (None, at_us, earlier_us)
            ]
            return await activity.activity(
                connection, currency, earlier, at, now, still=still, owners=owners, after=after, limit=limit
            )

    async def sold(self, currency: str, period: Period, *, after: int = 0, limit: int = 500) -> list[Sold]:
        """What each wallet of a currency was paid by others in a period; `after` continues a page."""
        async with self._reader.connect() as connection:
            opened, closed = await _between(connection, period)
            return await activity.sold(connection, currency, opened, closed, after=after, limit=limit)

    async def operations(
        self,
        opened: Moment,
        closed: Moment,
        which: OperationFilter,
        *,
        cursor: int | None = None,
        limit: int = 100,
        newest: bool = True,
    ) -> OperationsPage:
        """Operations between two moments. A terminal, or a venue with a business day, is found by an index of its own;
        other filters look through the operations in their order."""
        low, high = _narrowed(opened.seq, closed.seq, cursor, newest)
        async with self._reader.connect() as connection:
            window, size = _operation_window(connection, which, low, high, limit, newest)
            order = window.c.seq.desc() if newest else window.c.seq.asc()
            wanted = sa.select(window).where(*_wanted(window, which)).order_by(order).limit(limit + 1)
            rows = (await connection.execute(wanted)).all()
            following = await _following(connection, window.c.seq, size, [row.seq for row in rows], limit, newest)
            operations = await reads.whole(connection, rows[:limit])
            return OperationsPage(operations, await _named(connection, operations), following)

    async def operation(self, id_: UUID) -> OperationsPage:
        """The one with this id, or none, and the ids of those that took it back."""
        async with self._reader.connect() as connection:
            found = list((await reads.booked(connection, [id_])).values())
            later = sa.select(operation.c.id).where(operation.c.reverses == id_).order_by(operation.c.seq)
            reversed_by = [row.id for row in await connection.execute(later)] if found else []
            return OperationsPage(found, await _named(connection, found), reversed_by=reversed_by)

    async def after(
        self, seq: int, limit: int, venues: Collection[UUID | None] | None = None, *, kinds: Collection[str] = ()
    ) -> Stretch:
        """What was booked after number `seq`, at these venues (None among them: at no venue) or anywhere; of these
        kinds, wherever it was. Numbers have no gaps, so the next `limit` numbers are all there is to look at. `upto`
        is `seq` itself, or below, when there is nothing newer."""
        async with self._reader.connect() as connection:
            upto = min(seq + limit, (await instants.now(connection)).seq)
            query = sa.select(operation).where(operation.c.seq > seq, operation.c.seq <= upto)
            if venues is not None:
                at = operation.c.venue.in_([it for it in venues if it is not None])
                nowhere = operation.c.venue.is_(None) if None in venues else sa.false()
                query = query.where(sa.or_(at, nowhere, operation.c.kind.in_(kinds)))
            rows = (await connection.execute(query.order_by(operation.c.seq))).all() if upto > seq else []
            operations = await reads.whole(connection, rows)
            return Stretch(operations, await _named(connection, operations), upto)


async def _account(connection: AsyncConnection, id_: int) -> Account | None:
    row = (await connection.execute(instants.ACCOUNTS.where(account.c.id == id_))).one_or_none()
    return None if row is None else instants.account_of(row)


async def _between(connection: AsyncConnection, period: Period) -> tuple[Moment, Moment]:
    opened = START if period.from_us is None else await instants.moment(connection, period.from_us - 1)
    closed = await instants.moment(connection, None if period.until_us is None else period.until_us - 1)
    return opened, closed


async def _named(connection: AsyncConnection, operations: Iterable[BookedOperation]) -> dict[int, AccountKey]:
    ids = {id_ for it in operations for t in it.transfers for id_ in (t.debit, t.credit)}
    return {row.id: row.key for row in await reads.by_id(connection, ids)} if ids else {}


def _narrowed(low: int, high: int, cursor: int | None, newest: bool) -> tuple[int, int]:
    if cursor is None:
        return low, high
    return (low, min(high, cursor - 1)) if newest else (max(low, cursor), high)


async def _following(
    connection: AsyncConnection,
    number: sa.ColumnElement[int],
    size: int,
    numbers: Sequence[int],
    limit: int,
    newest: bool,
) -> int | None:
    """The cursor after a page: its last row's if there are more rows, else the end of a window that was full."""
    if len(numbers) > limit:
        return numbers[limit - 1]
    if size <= limit + 1:
        return None
    edge = sa.func.min(number) if newest else sa.func.max(number)
    looked, last = (await connection.execute(sa.select(sa.func.count(), edge))).one()
    return last if looked == size else None


async def _lines(
    connection: AsyncConnection,
    id_: int,
    opened: Moment,
    closed: Moment,
    which: LineFilter,
    cursor: int | None,
    limit: int,
    newest: bool,
) -> tuple[list[Line], int | None]:
    low, high = _narrowed(opened.transfer, closed.transfer, cursor, newest)
    size = limit + 1 if which == LineFilter() else limit + SCANNED_MAX
    legs = _legs(connection, id_, low, high, size, newest)
    # At most `size` looks at the index of operations' numbers; PostgreSQL would rather read all operations at times.
    about, source = _looked_up(connection, legs, operation, operation.c.seq == legs.c.operation_seq)
    own, other = account.alias("own"), account.alias("other")
    query = (
        sa.select(
            legs.c.transfer,
            own.c.id.label("account"),
            (legs.c.signed * own.c.normal).label("change"),
            legs.c.after,
            about,
            other.c.id.label("other"),
            other.c.kind.label("other_kind"),
            other.c.owner.label("other_owner"),
        )
        .select_from(source)
        .join(own, own.c.id == id_)
        .join(other, other.c.id == legs.c.other)
        .order_by(legs.c.transfer.desc() if newest else legs.c.transfer)
        .limit(limit + 1)
    )
    conditions = _wanted(about, OperationFilter(which.kinds, which.venue, which.terminal))
    if which.amount_min is not None:
        conditions.append(sa.func.abs(legs.c.signed) >= which.amount_min)
    if which.amount_max is not None:
        conditions.append(sa.func.abs(legs.c.signed) <= which.amount_max)
    rows = (await connection.execute(query.where(*conditions))).all()
    following = await _following(connection, legs.c.transfer, size, [row.transfer for row in rows], limit, newest)
    lines = [Line(reads.line_of(row), row.other, row.other_kind, row.other_owner) for row in rows[:limit]]
    return lines, following


def _legs(connection: AsyncConnection, id_: int, low: int, high: int, size: int, newest: bool) -> sa.Subquery:
    """The first `size` transfers of an account in that order, whichever side it stands on."""
    order = instants.newest_first if newest else instants.oldest_first
    sides = []
    for column, other, after, sign in (
        (transfer.c.debit_account, transfer.c.credit_account, transfer.c.debit_after, -1),
        (transfer.c.credit_account, transfer.c.debit_account, transfer.c.credit_after, 1),
    ):
        side = (
            sa.select(
                transfer.c.id.label("transfer"),
                transfer.c.operation_seq,
                (transfer.c.amount * sign).label("signed"),
                after.label("after"),
                other.label("other"),
            )
            .where(*instants.run(connection, [(column, id_)], transfer.c.id, low, high))
            .order_by(*order([(column, id_)], transfer.c.id))
            .limit(size)
        )
        sides.append(sa.select(side.subquery()))
    both = sa.union_all(*sides).subquery()
    first = both.c.transfer.desc() if newest else both.c.transfer.asc()
    return sa.select(both).order_by(first).limit(size).subquery("legs")


def _operation_window(
    connection: AsyncConnection, which: OperationFilter, low: int, high: int, limit: int, newest: bool
) -> tuple[sa.Subquery, int]:
    """The operations to look at, and how many these are at most."""
    leads: list[tuple[sa.Column[Any], Any]] = []
    if which.terminal is not None:
        leads = [(operation.c.terminal, which.terminal)]
    elif which.venue is not None and which.business_day is not None:
        leads = [(operation.c.venue, which.venue), (operation.c.business_day, which.business_day)]
    size = limit + 1 if which == OperationFilter() else limit + SCANNED_MAX
    order = instants.newest_first if newest else instants.oldest_first
    window = (
        sa.select(operation)
        .where(*instants.run(connection, leads, operation.c.seq, low, high))
        .order_by(*order(leads, operation.c.seq))
        .limit(size)
    )
    return window.subquery("window_"), size


def _wanted(of: sa.FromClause, which: OperationFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if which.kinds:
        conditions.append(of.c.kind.in_(which.kinds))
    if which.venue is not None:
        conditions.append(of.c.venue == which.venue)
    if which.terminal is not None:
        conditions.append(of.c.terminal == which.terminal)
    if which.business_day is not None:
        conditions.append(of.c.business_day == which.business_day)
    if which.venues is not None:
        conditions.append(of.c.venue.in_(which.venues))
    return conditions


def _looked_up(
    connection: AsyncConnection, left: sa.FromClause, table: sa.Table, on: sa.ColumnElement[bool]
) -> tuple[sa.FromClause, sa.FromClause]:
    """(the table as its columns are named, `left` joined with its row): one look at an index for each row of `left`."""
    if is_sqlite(connection):
        return table, left.join(table, on)
    row = sa.select(table).where(on).limit(1).lateral("looked_up")
    return row, left.join(row, sa.true())
