"""What the two posting stores have in common: their promise, and the columns they read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.rules.decide import NO_FINGERPRINT, AccountState, Facts, Known, KnownHold, Plan
from app.ledger.rules.operations import (
    Cap,
    Entry,
    Flow,
    Hold,
    Operation,
    Outcome,
    Posted,
    Refused,
    Release,
    Tombstone,
    Transfer,
)
from app.ledger.rules.sealing import digest_of, link_digest
from app.platform.errors import Unavailable

RETRY_AFTER_S = 1


class Rejected(Exception):
    """The database refused the batch for what it says. Either an entry breaks a rule that only the database knows, or
    the order of writing led through a step that it does not allow. Entries posted alone tell which."""


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

    async def post(
        self,
        entries: Sequence[Entry],
        now_us: int,
        writing: Callable[[], None] = lambda: None,
        joining: Callable[[], Sequence[Entry]] = tuple,
    ) -> list[Outcome]:
        """One outcome per entry, in order, after the commit. Rejected: nothing was written. OutcomeUnknown.

        `writing` is called (perhaps more than once, perhaps not at all) once the database is at work for a while: the
        caller may keep its event loop busy from then on. `joining`, called at most once, after other writers were
        waited for: what is to be posted with this batch, whose outcomes then follow those of `entries`.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Touched:
    """What a batch must look at: account ids in ascending order, transfers to reverse, holds, flows that are capped."""

    accounts: list[int]
    reverses: list[int]
    holds: list[UUID]
    flows: list[Flow]


def touched(entries: Iterable[Entry]) -> Touched:
    accounts: set[int] = set()
    reverses: set[int] = set()
    holds: set[UUID] = set()
    flows: dict[Flow, None] = {}
    for entry in entries:
        if isinstance(entry, Hold):
            accounts.add(entry.account)
            holds.add(entry.id)
        elif isinstance(entry, Release):
            holds.add(entry.id)
        elif isinstance(entry, Operation):
            if entry.captures is not None:
                holds.add(entry.captures)
            for condition in entry.conditions:
                if isinstance(condition, Cap):
                    flows[condition.flow] = None
                else:
                    accounts.update(condition.accounts)
            for posting in entry.postings:
                accounts.update((posting.debit, posting.credit))
                if posting.debit_overflow is not None:
                    accounts.add(posting.debit_overflow)
                if posting.credit_overflow is not None:
                    accounts.add(posting.credit_overflow)
                if posting.reverses is not None:
                    reverses.add(posting.reverses)
    return Touched(sorted(accounts), sorted(reverses), list(holds), list(flows))


ACCOUNT_COLUMNS = "id, book, normal, floor, ceiling, balance, held, peg, peg_weight"
HEAD_COLUMNS = "operation_seq, transfer_id, seal_id, seal_digest, booked_at_us"
HOLD_COLUMNS = "h.id, h.fingerprint, h.account, h.amount, h.expires_at_us, e.reason"
# What a flow came to, led by the account's own transfers. Slots: the account's side, then what matches accounts, kinds
# and the two days.
FLOW = """
    SELECT coalesce(sum(t.amount - (SELECT coalesce(sum(r.amount), 0) FROM transfer r WHERE r.reverses = t.id)), 0)
    FROM transfer t JOIN operation o ON o.seq = t.operation_seq
    WHERE t.{side} {accounts} AND o.kind {kinds} AND o.business_day BETWEEN {first} AND {last}"""
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


def holds_of(rows: Iterable[Any]) -> dict[UUID, KnownHold]:
    """From rows of HOLD_COLUMNS."""
    return {row[0]: KnownHold(bytes(row[1]), *row[2:]) for row in rows}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the seals' chain, to be written with its batch."""

    id: int
    first: int
    last: int
    digest: bytes
    signature: bytes


def seal(plan: Plan, facts: Facts, key: Ed25519PrivateKey) -> tuple[Link | None, list[bytes]]:
    """(the link over what the batch books, each operation's digest); no link when it books nothing."""
    if not plan.booked:
        return None, []
    digests = [digest_of(operation, posted, plan.now_us) for operation, posted in plan.booked]
    number, first, last = facts.seal_id + 1, plan.booked[0][1].seq, plan.booked[-1][1].seq
    digest = link_digest(facts.seal_digest, number, first, last, digests)
    return Link(number, first, last, digest, key.sign(digest)), digests


def operation_row(operation: Operation, posted: Posted, now_us: int, digest: bytes) -> tuple[Any, ...]:
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
        digest,
    )


OPERATION_COLUMNS = (
    "id, seq, kind, fingerprint, actor, venue, terminal, occurred_at_us, booked_at_us, business_day, late, policy, "
    "reverses, first_transfer, transfers, details, digest"
)
TRANSFER_ROW = "id, operation_seq, debit_account, credit_account, amount, debit_after, credit_after, reverses"
REFUSAL_COLUMNS = "id, fingerprint, reason, at_us, actor, details"
SEAL_ROW = "id, first_operation, last_operation, digest, signature, sealed_at_us"
HOLD_ROW = "id, fingerprint, account, amount, placed_at_us, expires_at_us, actor, details"
HOLD_END_ROW = "hold, reason, operation, at_us"


def operation_rows(plan: Plan, digests: Sequence[bytes]) -> list[tuple[Any, ...]]:
    return [
        operation_row(operation, posted, plan.now_us, digest)
        for (operation, posted), digest in zip(plan.booked, digests, strict=True)
    ]


def transfer_rows(plan: Plan) -> list[tuple[Any, ...]]:
    return [
        (t.id, posted.seq, t.debit, t.credit, t.amount, t.debit_after, t.credit_after, t.reverses)
        for _, posted in plan.booked
        for t in posted.transfers
    ]


def hold_rows(plan: Plan) -> list[tuple[Any, ...]]:
    return [
        (it.id, it.fingerprint, it.account, it.amount, plan.now_us, it.expires_at_us, it.actor, it.details)
        for it in plan.holds
    ]


def hold_end_rows(plan: Plan) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """(ends of holds that stood before the batch, ends of those that it places).

    The database checks what is free after each statement. So what is set free is written first, then the transfers,
    then what is newly set aside: each step then leaves at least as much free as the last.
    """
    placed = {it.id for it in plan.holds}
    rows = [(it.hold, it.reason, it.operation, plan.now_us) for it in plan.hold_ends]
    return [row for row in rows if row[0] not in placed], [row for row in rows if row[0] in placed]


def refusal_rows(plan: Plan) -> list[tuple[Any, ...]]:
    return [
        (entry.id, _fingerprint(entry), refused.reason, plan.now_us, entry.actor, entry.details)
        for entry, refused in plan.refused
    ]


def _fingerprint(entry: Operation | Tombstone) -> bytes:
    return entry.fingerprint if isinstance(entry, Operation) else NO_FINGERPRINT
