"""What the two posting stores have in common: their promise, and the columns they read and write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from app.ledger.rules.decide import NO_FINGERPRINT, AccountState, Known, Plan
from app.ledger.rules.operations import Entry, Operation, Outcome, Posted, Refused, Transfer
from app.platform.errors import Unavailable

RETRY_AFTER_S = 1


class Rejected(Exception):
    """The database refused the batch: one of its entries breaks a rule that only the database knows."""


class OutcomeUnknown(Unavailable):
    """The database went away before it said whether the batch is committed. Posting it again settles it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The database did not answer. Send the same request again: nothing is booked twice.",
            RETRY_AFTER_S,
            "outcome-unknown",
        )
        self.reason = reason


class PostingStore(Protocol):
    """Posts whole batches, each in one durable transaction."""

    async def post(self, entries: Sequence[Entry], now_us: int) -> list[Outcome]:
        """One outcome per entry, in order, after the commit. Rejected: nothing was written. OutcomeUnknown."""
        ...

    async def close(self) -> None: ...


def touched(entries: Iterable[Entry]) -> tuple[list[int], list[int]]:
    """(account ids in ascending order, ids of transfers to reverse) of a batch."""
    accounts: set[int] = set()
    reverses: set[int] = set()
    for entry in entries:
        if isinstance(entry, Operation):
            for posting in entry.postings:
                accounts.update((posting.debit, posting.credit))
                if posting.debit_overflow is not None:
                    accounts.add(posting.debit_overflow)
                if posting.credit_overflow is not None:
                    accounts.add(posting.credit_overflow)
                if posting.reverses is not None:
                    reverses.add(posting.reverses)
    return sorted(accounts), sorted(reverses)


ACCOUNT_COLUMNS = "id, book, normal, floor, ceiling, balance, peg, peg_weight"
TRANSFER_COLUMNS = "id, debit_account, credit_account, amount, debit_after, credit_after, reverses"


def accounts_of(rows: Iterable[Any]) -> dict[int, AccountState]:
    return {row[0]: AccountState(*row) for row in rows}


def known_of(
    operations: Iterable[tuple[UUID, bytes, int, int, int]],
    refusals: Iterable[tuple[UUID, bytes, str]],
    transfers: Iterable[Any],
) -> dict[UUID, Known]:
    """What is known under the batch's ids; an operation that overrode its refusal counts as booked.

    `operations`: (id, fingerprint, seq, first transfer, number of transfers).
    """
    rows = {row[0]: Transfer(*row) for row in transfers}
    known = {id_: Known(bytes(mark), Refused(reason)) for id_, mark, reason in refusals}
    for id_, mark, seq, first, count in operations:
        posted = Posted(seq, tuple(rows[number] for number in range(first, first + count)))
        known[id_] = Known(bytes(mark), posted)
    return known


def operation_row(operation: Operation, posted: Posted, now_us: int) -> tuple[Any, ...]:
    """A row for the table `operation`, in OPERATION_COLUMNS' order, with Python's own types."""
    return (
        operation.id,
        posted.seq,
        operation.kind,
        operation.fingerprint,
        operation.actor,
        operation.venue,
        operation.terminal,
        operation.occurred_at_us,
        now_us,
        operation.business_day,
        operation.late,
        operation.policy,
        operation.reverses,
        posted.transfers[0].id,
        len(posted.transfers),
        operation.details,
    )


OPERATION_COLUMNS = (
    "id, seq, kind, fingerprint, actor, venue, terminal, occurred_at_us, booked_at_us, business_day, late, policy, "
    "reverses, first_transfer, transfers, details"
)
TRANSFER_ROW = "id, operation_seq, debit_account, credit_account, amount, debit_after, credit_after, reverses"
REFUSAL_COLUMNS = "id, fingerprint, reason, at_us, actor, details"


def operation_rows(plan: Plan, now_us: int) -> list[tuple[Any, ...]]:
    return [operation_row(operation, posted, now_us) for operation, posted in plan.booked]


def transfer_rows(plan: Plan) -> list[tuple[Any, ...]]:
    return [
        (t.id, posted.seq, t.debit, t.credit, t.amount, t.debit_after, t.credit_after, t.reverses)
        for _, posted in plan.booked
        for t in posted.transfers
    ]


def refusal_rows(plan: Plan, now_us: int) -> list[tuple[Any, ...]]:
    return [
        (
            entry.id,
            entry.fingerprint if isinstance(entry, Operation) else b"",
            refused.reason,
            now_us,
            entry.actor,
            entry.details,
        )
        for entry, refused in plan.refused
    ]


def _fingerprint(entry: Entry) -> bytes:
    return entry.fingerprint if isinstance(entry, Operation) else NO_FINGERPRINT
