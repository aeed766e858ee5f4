"""`comptoir verify`: recompute the whole ledger from its transfers, and say everything that is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.currencies.tables import currency
from app.ledger import guards, seals
from app.ledger.figures import check
from app.ledger.rules.kinds import BookKind
from app.ledger.tables import account, book, head, hold, hold_end, operation, transfer
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


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where the history was verified before: the next time, only what came since is read."""

    seal: int = 0
    transfer: int = 0


@dataclass(slots=True)
class Report:
    """What `verify` found. `findings` is empty when all is well; each is one sentence. `seals`: how many signatures
    were checked, None when there was no key to check them with."""

    operations: int = 0
    transfers: int = 0
    accounts: int = 0
    seals: int | None = None
    since: Mark = field(default_factory=Mark)
    until: Mark = field(default_factory=Mark)
    books: list[BookProof] = field(default_factory=list)
    pegs: list[PegProof] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


async def verify(engine: AsyncEngine, key: Ed25519PublicKey | None = None, since: Mark | None = None) -> Report:
    """Read one snapshot of the database and check it: sums, order, floors, pegs, cover, guards, seals.

    `since`: what was verified up to there is taken as verified; balances, books and pegs are always checked whole, for
    they cost as much as there are accounts, not as there is history.
    """
    report = Report(since=since or Mark())
    async with read_only(engine).connect() as connection:
        for look in (_guards, _numbers, _transfers, _running, _balances, _limits, _books, _pegs, _kinds, _reversals):
            await look(connection, report)
        if report.since.transfer == 0:
            report.findings += [it async for it in check.findings(connection)]
        if key is not None:
            report.seals = report.until.seal - report.since.seal
            report.findings += [it async for it in seals.findings(connection, key, report.since.seal)]
    return report


async def _guards(connection: AsyncConnection, report: Report) -> None:
    for name in await connection.run_sync(guards.missing):
        report.findings.append(f"the guard {name} is not in place")


async def _numbers(connection: AsyncConnection, report: Report) -> None:
    """Sequence numbers run up to the head without a gap, and each operation has the transfers it says."""
    h = (await connection.execute(sa.select(head))).one()
    report.until = Mark(h.seal_id, h.transfer_id)
    from_operation, from_transfer = await _start(connection, report.since), report.since.transfer
    for name, column, start, top in (
        ("operations", operation.c.seq, from_operation, h.operation_seq),
        ("transfers", transfer.c.id, from_transfer, h.transfer_id),
    ):
        found = sa.select(sa.func.count(column), sa.func.min(column), sa.func.max(column)).where(column > start)
        count, low, high = (await connection.execute(found)).one()
        if count != top - start or (count and (low, high) != (start + 1, top)):
            report.findings.append(
                f"{name}: {count} rows numbered {low} to {high}, but the head says {start + 1} to {top}"
            )
    report.operations, report.transfers = h.operation_seq - from_operation, h.transfer_id - from_transfer
    # An operation's transfers are one run of numbers, so the join is led by the transfers' primary key.
    near = sa.and_(
        transfer.c.id >= operation.c.first_transfer, transfer.c.id < operation.c.first_transfer + operation.c.transfers
    )
    joined = sa.outerjoin(operation, transfer, sa.and_(near, transfer.c.operation_seq == operation.c.seq))
    rows = await connection.execute(
        sa.select(operation.c.seq, operation.c.transfers, sa.func.count(transfer.c.id).label("found"))
        .select_from(joined)
        .where(operation.c.seq > from_operation)
        .group_by(operation.c.seq, operation.c.transfers)
        .having(sa.func.count(transfer.c.id) != operation.c.transfers)
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"operation {row.seq} says {row.transfers} transfers and has {row.found}")


async def _start(connection: AsyncConnection, since: Mark) -> int:
    """The last operation that was verified before."""
    found = await seals.named(connection, since.seal) if since.seal else None
    return found.operation if found else 0


async def _transfers(connection: AsyncConnection, report: Report) -> None:
    """Both accounts of every transfer exist and are of one book."""
    d, c = account.alias("d"), account.alias("c")
    rows = await connection.execute(
        sa.select(transfer.c.id)
        .select_from(
            transfer.outerjoin(d, d.c.id == transfer.c.debit_account).outerjoin(c, c.c.id == transfer.c.credit_account)
        )
        .where(transfer.c.id > report.since.transfer)
        .where(sa.or_(d.c.id.is_(None), c.c.id.is_(None), d.c.book != c.c.book, transfer.c.amount <= 0))
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"transfer {row.id} is not between two accounts of one book")


def _legs(after: int) -> sa.Subquery:
    """Both sides of every transfer numbered above `after`: what each did to its account, and what that held then."""
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


async def _running(connection: AsyncConnection, report: Report) -> None:
    """Each transfer states what its accounts held: what they held before, and what it moved."""
    legs = _legs(report.since.transfer)
    before = sa.func.lag(legs.c.after).over(partition_by=legs.c.account, order_by=legs.c.id)
    lined = sa.select(legs.c.id, legs.c.account, legs.c.credit, legs.c.after, before.label("before")).subquery()
    if report.since.transfer:
        start: sa.ColumnElement[int] = _held_before(account.c.id, report.since.transfer)
    else:
        start = sa.literal(0)
    owed = sa.func.coalesce(lined.c.before, start) + lined.c.credit * account.c.normal
    rows = await connection.execute(
        sa.select(lined.c.id, lined.c.account, lined.c.after, owed.label("owed"))
        .join_from(lined, account, account.c.id == lined.c.account)
        .where(lined.c.after != owed)
        .order_by(lined.c.id)
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(
            f"transfer {row.id} states {row.after} for account {row.account}; with what came before it is {row.owed}"
        )


async def _balances(connection: AsyncConnection, report: Report) -> None:
    """Every account holds what its last transfer says, and reserves what its open holds say."""
    debited, credited = (
        sa.func.coalesce(sa.select(sa.func.max(transfer.c.id)).where(side == account.c.id).scalar_subquery(), 0)
        for side in (transfer.c.debit_account, transfer.c.credit_account)
    )
    last = sa.case((debited > credited, debited), else_=credited)
    numbered = sa.select(account, last.label("true_last")).subquery()
    says = sa.case((transfer.c.debit_account == numbered.c.id, transfer.c.debit_after), else_=transfer.c.credit_after)
    rows = await connection.execute(
        sa.select(numbered.c.id, numbered.c.kind, numbered.c.balance, sa.func.coalesce(says, 0).label("says"))
        .select_from(numbered.outerjoin(transfer, transfer.c.id == numbered.c.true_last))
        .where(
            sa.or_(numbered.c.balance != sa.func.coalesce(says, 0), numbered.c.last_transfer != numbered.c.true_last)
        )
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"account {row.id} ({row.kind}) holds {row.balance}, but its transfers say {row.says}")
    open_holds = (
        sa.select(hold.c.account, sa.func.sum(hold.c.amount).label("amount"))
        .select_from(hold.outerjoin(hold_end, hold_end.c.hold == hold.c.id))
        .where(hold_end.c.hold.is_(None))
        .group_by(hold.c.account)
        .subquery()
    )
    reserved = sa.func.coalesce(open_holds.c.amount, 0)
    rows = await connection.execute(
        sa.select(account.c.id, account.c.held, reserved.label("says"))
        .select_from(account.outerjoin(open_holds, open_holds.c.account == account.c.id))
        .where(account.c.held != reserved)
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"account {row.id} reserves {row.held}, but its open holds say {row.says}")
    report.accounts = (await connection.execute(sa.select(sa.func.count()).select_from(account))).scalar_one()


async def _limits(connection: AsyncConnection, report: Report) -> None:
    rows = await connection.execute(
        sa.select(account.c.id, account.c.kind, account.c.balance)
        .where(sa.or_(account.c.balance - account.c.held < account.c.floor, account.c.balance > account.c.ceiling))
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


async def _kinds(connection: AsyncConnection, report: Report) -> None:
    """A mutual currency has no issuance, so that its balances sum to 0; and no euros are held against any money but a
    pegged one: time and points never meet them."""
    found = (
        sa.select(book.c.currency, currency.c.kind, account.c.kind.label("account"), account.c.peg)
        .join_from(account, book, sa.and_(book.c.id == account.c.book, book.c.kind == BookKind.CURRENCY))
        .join(currency, currency.c.code == book.c.currency)
        .where(currency.c.kind != "pegged", account.c.kind == "issuance")
        .where(sa.or_(sa.and_(currency.c.kind == "mutual", account.c.balance != 0), account.c.peg.is_not(None)))
    )
    for row in await connection.execute(found.limit(FINDINGS_PER_CHECK)):
        if row.peg is not None:
            report.findings.append(f"{row.currency} is no pegged money, and euros are held against it")
        else:
            report.findings.append(f"{row.currency} is mutual credit and does not sum to 0: some of it was issued")


async def _reversals(connection: AsyncConnection, report: Report) -> None:
    back = transfer.alias("back")
    taken = sa.func.sum(back.c.amount)
    rows = await connection.execute(
        sa.select(transfer.c.id, transfer.c.amount, taken.label("taken"))
        .join_from(transfer, back, back.c.reverses == transfer.c.id)
        .where(back.c.reverses.is_not(None), transfer.c.id.in_(_reversed_since(report.since.transfer)))
        .group_by(transfer.c.id, transfer.c.amount)
        .having(taken > transfer.c.amount)
        .limit(FINDINGS_PER_CHECK)
    )
    for row in rows:
        report.findings.append(f"of transfer {row.id} over {row.amount}, {row.taken} was taken back")


def _reversed_since(after: int) -> sa.Select[int]:
    recent = transfer.alias("recent")
    return sa.select(recent.c.reverses).where(recent.c.reverses.is_not(None), recent.c.id > after)
