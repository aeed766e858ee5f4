"""`comptoir verify`: recompute the whole ledger from its transfers, and say everything that is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger import guards, queries, seals
from app.ledger.figures import check
from app.ledger.rules.kinds import BookKind
from app.ledger.tables import account, head
from app.platform.database import read_only


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
    for name, numbers, start, top in (
        ("operations", queries.operation_numbers, from_operation, h.operation_seq),
        ("transfers", queries.transfer_numbers, from_transfer, h.transfer_id),
    ):
        count, low, high = (await connection.execute(numbers(start))).one()
        if count != top - start or (count and (low, high) != (start + 1, top)):
            report.findings.append(
                f"{name}: {count} rows numbered {low} to {high}, but the head says {start + 1} to {top}"
            )
    report.operations, report.transfers = h.operation_seq - from_operation, h.transfer_id - from_transfer
    for row in await connection.execute(queries.miscounted(from_operation)):
        report.findings.append(f"operation {row.seq} says {row.transfers} transfers and has {row.found}")


async def _start(connection: AsyncConnection, since: Mark) -> int:
    """The last operation that was verified before."""
    found = await seals.named(connection, since.seal) if since.seal else None
    return found.operation if found else 0


async def _transfers(connection: AsyncConnection, report: Report) -> None:
    """Both accounts of every transfer exist and are of one book."""
    for row in await connection.execute(queries.across_books(report.since.transfer)):
        report.findings.append(f"transfer {row.id} is not between two accounts of one book")


async def _running(connection: AsyncConnection, report: Report) -> None:
    """Each transfer states what its accounts held: what they held before, and what it moved."""
    for row in await connection.execute(queries.misstated(report.since.transfer)):
        report.findings.append(
            f"transfer {row.id} states {row.after} for account {row.account}; with what came before it is {row.owed}"
        )


async def _balances(connection: AsyncConnection, report: Report) -> None:
    """Every account holds what its last transfer says, and reserves what its open holds say."""
    for row in await connection.execute(queries.misheld()):
        report.findings.append(f"account {row.id} ({row.kind}) holds {row.balance}, but its transfers say {row.says}")
    for row in await connection.execute(queries.misreserved()):
        report.findings.append(f"account {row.id} reserves {row.held}, but its open holds say {row.says}")
    report.accounts = (await connection.execute(sa.select(sa.func.count()).select_from(account))).scalar_one()


async def _limits(connection: AsyncConnection, report: Report) -> None:
    for row in await connection.execute(queries.beyond_limits()):
        report.findings.append(f"account {row.id} ({row.kind}) holds {row.balance}, beyond its floor or ceiling")


async def _books(connection: AsyncConnection, report: Report) -> None:
    """Every book balances. For a reserve book that is Cover: what is held equals what is owed."""
    for row in await connection.execute(queries.book_sums()):
        proof = BookProof(row.issuer, row.kind, row.currency, int(row.debit), int(row.credit))
        report.books.append(proof)
        if proof.debit_side != proof.credit_side:
            name = "Cover: the reserve book" if row.kind == BookKind.RESERVE else f"the {row.kind} book"
            report.findings.append(f"{name} of {row.issuer} in {row.currency} holds {row.debit} against {row.credit}")


async def _pegs(connection: AsyncConnection, report: Report) -> None:
    """Liability of a pegged currency = its rate x its issuance."""
    for row in await connection.execute(queries.peg_sums()):
        proof = PegProof(row.issuer, row.currency, row.issued, row.rate, row.owed or 0)
        report.pegs.append(proof)
        if proof.issuance * proof.cents_per_unit != proof.liability:
            report.findings.append(
                f"Peg: {row.currency} in circulation {row.issued} x {row.rate} cents, held against it {row.owed} cents"
            )


async def _kinds(connection: AsyncConnection, report: Report) -> None:
    """A mutual currency has no issuance, so that its balances sum to 0; and no euros are held against any money but a
    pegged one: time and points never meet them."""
    for row in await connection.execute(queries.wrong_issuance()):
        if row.peg is not None:
            report.findings.append(f"{row.currency} is no pegged money, and euros are held against it")
        else:
            report.findings.append(f"{row.currency} is mutual credit and does not sum to 0: some of it was issued")


async def _reversals(connection: AsyncConnection, report: Report) -> None:
    for row in await connection.execute(queries.taken_back_too_much(report.since.transfer)):
        report.findings.append(f"of transfer {row.id} over {row.amount}, {row.taken} was taken back")
