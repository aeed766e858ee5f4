"""`comptoir verify`: recompute the whole ledger from its transfers, and say everything that is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger import guards
from app.ledger.rules.kinds import BookKind
from app.ledger.tables import account, book, head, operation, transfer
from app.platform.database import read_only

# Enough to see what is wrong; a broken ledger can be wrong in a million places.
FINDINGS_PER_CHECK = 20


@dataclass(frozen=True, slots=True)
class BookProof:
    """One book: its issuer, kind and currency, and the sums of its debit-side and credit-side balances (equal)."""

    issuer: str
    kind: str
    currency: str
    debit_side: int
    credit_side: int


@dataclass(frozen=True, slots=True)
class PegProof:
    """A pegged currency: units in circulation, and the euro cents held against them (equal at its rate)."""

    issuer: str
    currency: str
    issuance: int
    cents_per_unit: int
    liability: int


@dataclass(slots=True)
class Report:
    """What `verify` found. `findings` is empty when all is well; each is one sentence."""

    operations: int = 0
    transfers: int = 0
    accounts: int = 0
    books: list[BookProof] = field(default_factory=list)
    pegs: list[PegProof] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


async def verify(engine: AsyncEngine) -> Report:
    """Read one snapshot of the database and check it whole: sums, order, floors, pegs, cover, guards."""
    report = Report()
    async with read_only(engine).connect() as connection:
        for check in (_guards, _numbers, _transfers, _running, _balances, _limits, _books, _pegs, _reversals):
            await check(connection, report)
    return report


async def _guards(connection: AsyncConnection, report: Report) -> None:
    for name in await connection.run_sync(guards.missing):
        report.findings.append(f"the guard {name} is not in place")


async def _numbers(connection: AsyncConnection, report: Report) -> None:
    """Sequence numbers run from 1 to the head without a gap, and each operation has the transfers it says."""
    o_count, o_min, o_max = (await connection.execute(_extent(operation.c.seq))).one()
    t_count, t_min, t_max = (await connection.execute(_extent(transfer.c.id))).one()
    h = (await connection.execute(sa.select(head))).one()
    report.operations, report.transfers = o_count, t_count
    for name, count, low, high, top in (
        ("operations", o_count, o_min, o_max, h.operation_seq),
        ("transfers", t_count, t_min, t_max, h.transfer_id),
    ):
        if count != top or (count and (low, high) != (1, top)):
            report.findings.append(f"{name}: {count} rows numbered {low} to {high}, but the head says {top}")
    joined = sa.outerjoin(operation, transfer, transfer.c.operation_seq == operation.c.seq)
    rows = await connection.execute(
        sa.select(operation.c.seq, operation.c.transfers, sa.func.count(transfer.c.id).label("found"))
        .select_from(joined)
        .group_by(operation.c.seq, operation.c.transfers, operation.c.first_transfer)
        .having(
            (sa.func.count(transfer.c.id) != operation.c.transfers)
            | (sa.func.min(transfer.c.id) != operation.c.first_transfer)
        )
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"operation {row.seq} says {row.transfers} transfers and has {row.found}")


async def _transfers(connection: AsyncConnection, report: Report) -> None:
    """Both accounts of every transfer exist and are of one book."""
    d, c = account.alias("d"), account.alias("c")
    rows = await connection.execute(
        sa.select(transfer.c.id)
        .select_from(
            transfer.outerjoin(d, d.c.id == transfer.c.debit_account).outerjoin(c, c.c.id == transfer.c.credit_account)
        )
        .where(sa.or_(d.c.id.is_(None), c.c.id.is_(None), d.c.book != c.c.book, transfer.c.amount <= 0))
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"transfer {row.id} is not between two accounts of one book")


def _legs() -> sa.Subquery:
    debit = sa.select(
        transfer.c.id,
        transfer.c.debit_account.label("account"),
        (-transfer.c.amount).label("credit"),
        transfer.c.debit_after.label("after"),
    )
    credit = sa.select(
        transfer.c.id,
        transfer.c.credit_account.label("account"),
        transfer.c.amount.label("credit"),
        transfer.c.credit_after.label("after"),
    )
    return sa.union_all(debit, credit).subquery()


async def _running(connection: AsyncConnection, report: Report) -> None:
    """Each transfer states the balances that all transfers up to it lead to."""
    legs = _legs()
    total = sa.func.sum(legs.c.credit).over(partition_by=legs.c.account, order_by=legs.c.id)
    running = sa.select(legs.c.id, legs.c.account, legs.c.after, total.label("total")).subquery()
    rows = await connection.execute(
        sa.select(running.c.id, running.c.account, running.c.after, (running.c.total * account.c.normal).label("sum"))
        .join_from(running, account, account.c.id == running.c.account)
        .where(running.c.after != running.c.total * account.c.normal)
        .order_by(running.c.id)
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(
            f"transfer {row.id} states {row.after} for account {row.account}; its transfers add up to {row.sum}"
        )


async def _balances(connection: AsyncConnection, report: Report) -> None:
    legs = _legs()
    sums = (
        sa.select(legs.c.account, sa.func.sum(legs.c.credit).label("credit"), sa.func.max(legs.c.id).label("last"))
        .group_by(legs.c.account)
        .subquery()
    )
    owed = sa.func.coalesce(sums.c.credit, 0) * account.c.normal
    last = sa.func.coalesce(sums.c.last, 0)
    rows = await connection.execute(
        sa.select(account.c.id, account.c.kind, account.c.balance, owed.label("sum"))
        .select_from(account.outerjoin(sums, sums.c.account == account.c.id))
        .where(sa.or_(account.c.balance != owed, account.c.last_transfer != last))
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(
            f"account {row.id} ({row.kind}) holds {row.balance}, but its transfers add up to {row.sum}"
        )
    report.accounts = (await connection.execute(sa.select(sa.func.count()).select_from(account))).scalar_one()


async def _limits(connection: AsyncConnection, report: Report) -> None:
    rows = await connection.execute(
        sa.select(account.c.id, account.c.kind, account.c.balance)
        .where(sa.or_(account.c.balance < account.c.floor, account.c.balance > account.c.ceiling))
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"account {row.id} ({row.kind}) holds {row.balance}, beyond its floor or ceiling")


async def _books(connection: AsyncConnection, report: Report) -> None:
    """Every book balances. For a reserve book that is Cover: what is held equals what is owed."""
    debit = sa.func.sum(sa.case((account.c.normal == -1, account.c.balance), else_=0))
    credit = sa.func.sum(sa.case((account.c.normal == 1, account.c.balance), else_=0))
    rows = await connection.execute(
        sa.select(book.c.issuer, book.c.kind, book.c.currency, debit.label("debit"), credit.label("credit"))
        .join_from(book, account, account.c.book == book.c.id)
        .group_by(book.c.id, book.c.issuer, book.c.kind, book.c.currency)
        .order_by(book.c.id)
    )
    for row in rows:
        proof = BookProof(row.issuer, row.kind, row.currency, int(row.debit), int(row.credit))
        report.books.append(proof)
        if proof.debit_side != proof.credit_side:
            name = "Cover: the reserve book" if row.kind == BookKind.RESERVE else f"the {row.kind} book"
            report.findings.append(f"{name} of {row.issuer} in {row.currency} holds {row.debit} against {row.credit}")


async def _pegs(connection: AsyncConnection, report: Report) -> None:
    """Liability of a pegged currency = its rate x its issuance."""
    issuance, liability = account.alias("issuance"), account.alias("liability")
    rows = await connection.execute(
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
    for row in rows:
        proof = PegProof(row.issuer, row.currency, row.issued, row.rate, row.owed or 0)
        report.pegs.append(proof)
        if proof.issuance * proof.cents_per_unit != proof.liability:
            report.findings.append(
                f"Peg: {row.currency} in circulation {row.issued} x {row.rate} cents, held against it {row.owed} cents"
            )


async def _reversals(connection: AsyncConnection, report: Report) -> None:
    back = transfer.alias("back")
    taken = sa.func.sum(back.c.amount)
    rows = await connection.execute(
        sa.select(transfer.c.id, transfer.c.amount, taken.label("taken"))
        .join_from(transfer, back, back.c.reverses == transfer.c.id)
        .group_by(transfer.c.id, transfer.c.amount)
        .having(taken > transfer.c.amount)
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"of transfer {row.id} over {row.amount}, {row.taken} was taken back")


def _extent(column: sa.ColumnElement[int]) -> sa.Select[int, int, int]:
    return sa.select(sa.func.count(column), sa.func.min(column), sa.func.max(column))
