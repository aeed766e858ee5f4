"""The statements of `app.ledger.verify`. `after`: only what is numbered above it is looked at.

Building one costs several times what running it does on a small ledger, so each is built once for the marks that a
process verifies from: the beginning, and the last one.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from app.currencies.tables import currency
from app.ledger.rules.kinds import BookKind
from app.ledger.tables import account, book, hold, hold_end, operation, transfer

# Enough to see what is wrong; a broken ledger can be wrong in a million places.
FINDINGS_PER_CHECK = 20
MARKS_KEPT = 4

Query = sa.Select[*tuple[Any, ...]]


@lru_cache(maxsize=MARKS_KEPT)
def operation_numbers(after: int) -> Query:
    """How many, the lowest, the highest."""
    return _numbers(operation.c.seq, after)


@lru_cache(maxsize=MARKS_KEPT)
def transfer_numbers(after: int) -> Query:
    """How many, the lowest, the highest."""
    return _numbers(transfer.c.id, after)


def _numbers(column: sa.Column[int], after: int) -> Query:
    return sa.select(sa.func.count(column), sa.func.min(column), sa.func.max(column)).where(column > after)


@lru_cache(maxsize=MARKS_KEPT)
def miscounted(after: int) -> Query:
    """Operations that have other transfers than they say. `after`: an operation's number."""
    # An operation's transfers are one run of numbers, so the join is led by the transfers' primary key.
    near = sa.and_(
        transfer.c.id >= operation.c.first_transfer, transfer.c.id < operation.c.first_transfer + operation.c.transfers
    )
    joined = sa.outerjoin(operation, transfer, sa.and_(near, transfer.c.operation_seq == operation.c.seq))
    return (
        sa.select(operation.c.seq, operation.c.transfers, sa.func.count(transfer.c.id).label("found"))
        .select_from(joined)
        .where(operation.c.seq > after)
        .group_by(operation.c.seq, operation.c.transfers)
        .having(sa.func.count(transfer.c.id) != operation.c.transfers)
        .limit(FINDINGS_PER_CHECK)
    )


@lru_cache(maxsize=MARKS_KEPT)
def across_books(after: int) -> Query:
    """Transfers that are not of more than nothing between two accounts of one book."""
    d, c = account.alias("d"), account.alias("c")
    return (
        sa.select(transfer.c.id)
        .select_from(
            transfer.outerjoin(d, d.c.id == transfer.c.debit_account).outerjoin(c, c.c.id == transfer.c.credit_account)
        )
        .where(transfer.c.id > after)
        .where(sa.or_(d.c.id.is_(None), c.c.id.is_(None), d.c.book != c.c.book, transfer.c.amount <= 0))
        .limit(FINDINGS_PER_CHECK)
    )


@lru_cache(maxsize=MARKS_KEPT)
def misstated(after: int) -> Query:
    """Transfers that state other holdings of their accounts than what came before makes them."""
    legs = _legs(after)
    before = sa.func.lag(legs.c.after).over(partition_by=legs.c.account, order_by=legs.c.id)
    lined = sa.select(legs.c.id, legs.c.account, legs.c.credit, legs.c.after, before.label("before")).subquery()
    start: sa.ColumnElement[int] = _held_before(account.c.id, after) if after else sa.literal(0)
    owed = sa.func.coalesce(lined.c.before, start) + lined.c.credit * account.c.normal
    return (
        sa.select(lined.c.id, lined.c.account, lined.c.after, owed.label("owed"))
        .join_from(lined, account, account.c.id == lined.c.account)
        .where(lined.c.after != owed)
        .order_by(lined.c.id)
        .limit(FINDINGS_PER_CHECK)
    )


def _legs(after: int) -> sa.Subquery:
    """Both sides of every transfer: what each did to its account, and what that held then."""
    sides = (
        (transfer.c.debit_account, -transfer.c.amount, transfer.c.debit_after),
        (transfer.c.credit_account, transfer.c.amount, transfer.c.credit_after),
    )
    return sa.union_all(
        *(
            sa.select(transfer.c.id, side.label("account"), credit.label("credit"), held.label("after")).where(
                transfer.c.id > after
            )
            for side, credit, held in sides
        )
    ).subquery()


def _held_before(number: sa.ColumnElement[int], below: int) -> sa.ColumnElement[int]:
    """What an account held after its last transfer numbered up to `below`, found by the account's two indexes."""
    newest = [
        sa.select(transfer.c.id, held.label("after"))
        .where(side == number, transfer.c.id <= below)
        .order_by(transfer.c.id.desc())
        .limit(1)
        .correlate(account)
        .subquery()
        for side, held in (
            (transfer.c.debit_account, transfer.c.debit_after),
            (transfer.c.credit_account, transfer.c.credit_after),
        )
    ]
    both = sa.union_all(*(sa.select(it.c.id, it.c.after) for it in newest)).subquery()
    found = sa.select(both.c.after).order_by(both.c.id.desc()).limit(1).scalar_subquery()
    return sa.func.coalesce(found, 0)


@cache
def misheld() -> Query:
    """Accounts that hold other than their last transfer says."""
    debited, credited = (
        sa.func.coalesce(sa.select(sa.func.max(transfer.c.id)).where(side == account.c.id).scalar_subquery(), 0)
        for side in (transfer.c.debit_account, transfer.c.credit_account)
    )
    last = sa.case((debited > credited, debited), else_=credited)
    numbered = sa.select(account, last.label("true_last")).subquery()
    says = sa.case((transfer.c.debit_account == numbered.c.id, transfer.c.debit_after), else_=transfer.c.credit_after)
    return (
        sa.select(numbered.c.id, numbered.c.kind, numbered.c.balance, sa.func.coalesce(says, 0).label("says"))
        .select_from(numbered.outerjoin(transfer, transfer.c.id == numbered.c.true_last))
        .where(
            sa.or_(numbered.c.balance != sa.func.coalesce(says, 0), numbered.c.last_transfer != numbered.c.true_last)
        )
        .limit(FINDINGS_PER_CHECK)
    )


@cache
def misreserved() -> Query:
    """Accounts that reserve other than their open holds say."""
    open_holds = (
        sa.select(hold.c.account, sa.func.sum(hold.c.amount).label("amount"))
        .select_from(hold.outerjoin(hold_end, hold_end.c.hold == hold.c.id))
        .where(hold_end.c.hold.is_(None))
        .group_by(hold.c.account)
        .subquery()
    )
    reserved = sa.func.coalesce(open_holds.c.amount, 0)
    return (
        sa.select(account.c.id, account.c.held, reserved.label("says"))
        .select_from(account.outerjoin(open_holds, open_holds.c.account == account.c.id))
        .where(account.c.held != reserved)
        .limit(FINDINGS_PER_CHECK)
    )


@cache
def beyond_limits() -> Query:
    """Accounts below their floor or above their ceiling."""
    return (
        sa.select(account.c.id, account.c.kind, account.c.balance)
        .where(sa.or_(account.c.balance - account.c.held < account.c.floor, account.c.balance > account.c.ceiling))
        .limit(FINDINGS_PER_CHECK)
    )


@cache
def book_sums() -> Query:
    """Both sides of every book."""
    debit = sa.func.sum(sa.case((account.c.normal == -1, account.c.balance), else_=0))
    credit = sa.func.sum(sa.case((account.c.normal == 1, account.c.balance), else_=0))
    return (
        sa.select(book.c.issuer, book.c.kind, book.c.currency, debit.label("debit"), credit.label("credit"))
        .join_from(book, account, account.c.book == book.c.id)
        .group_by(book.c.id, book.c.issuer, book.c.kind, book.c.currency)
        .order_by(book.c.id)
    )


@cache
def peg_sums() -> Query:
    """Of every pegged currency: units issued, cents per unit, cents owed."""
    issuance, liability = account.alias("issuance"), account.alias("liability")
    return (
        sa.select(
            book.c.issuer,
            book.c.currency,
            issuance.c.balance.label("issued"),
            issuance.c.peg_weight.label("rate"),
            liability.c.balance.label("owed"),
        )
        .select_from(
            issuance.join(book, book.c.id == issuance.c.book).outerjoin(
                liability, sa.and_(liability.c.peg == issuance.c.peg, liability.c.kind == "liability")
            )
        )
        .where(issuance.c.kind == "issuance", issuance.c.peg.is_not(None))
        .order_by(book.c.id)
    )


@cache
def wrong_issuance() -> Query:
    """Mutual currencies of which something was issued, and others than pegged ones that euros are held against."""
    return (
        sa.select(book.c.currency, currency.c.kind, account.c.kind.label("account"), account.c.peg)
        .join_from(account, book, sa.and_(book.c.id == account.c.book, book.c.kind == BookKind.CURRENCY))
        .join(currency, currency.c.code == book.c.currency)
        .where(currency.c.kind != "pegged", account.c.kind == "issuance")
        .where(sa.or_(sa.and_(currency.c.kind == "mutual", account.c.balance != 0), account.c.peg.is_not(None)))
        .limit(FINDINGS_PER_CHECK)
    )


@lru_cache(maxsize=MARKS_KEPT)
def taken_back_too_much(after: int) -> Query:
    """Transfers of which more was reversed than they moved; looked at where a reversal came since."""
    back, recent = transfer.alias("back"), transfer.alias("recent")
    taken = sa.func.sum(back.c.amount)
    since = sa.select(recent.c.reverses).where(recent.c.reverses.is_not(None), recent.c.id > after)
    return (
        sa.select(transfer.c.id, transfer.c.amount, taken.label("taken"))
        .join_from(transfer, back, back.c.reverses == transfer.c.id)
        .where(back.c.reverses.is_not(None), transfer.c.id.in_(since))
        .group_by(transfer.c.id, transfer.c.amount)
        .having(taken > transfer.c.amount)
        .limit(FINDINGS_PER_CHECK)
    )
