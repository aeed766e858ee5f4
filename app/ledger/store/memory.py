"""What a writer remembers of the ledger between its batches, so that most of them need no look and no lock.

Every batch that writes gives the head another version, so that tells whether somebody else has written since. The one
statement that writes from memory does so only if it is still the same. What the head cannot tell (a floor that was
changed, say) the database's constraints do. And nothing is refused from memory: whatever is not simply booked is looked
at again under the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.ledger.rules.decide import AccountState, Facts, Plan
from app.ledger.rules.operations import Entry, Operation, Posted
from app.ledger.store.base import Link

# A state is about 300 bytes.
ACCOUNTS_MAX = 100_000
# So many batches in a row must have met no other writer before one counts on being alone.
ALONE_BATCHES = 3


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger's head, its version and the revision, in the order in which they are read."""

    operation_seq: int
    transfer_id: int
    seal_id: int
    seal_digest: bytes
    booked_at_us: int
    version: str
    revision: int


class Memory:
    """The head as this writer's last batch left it, and the accounts that were looked at since anybody else wrote."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.accounts: dict[int, AccountState] = {}
        self._alone = 0

    @property
    def alone(self) -> Head | None:
        """The head, if nobody else seems to write."""
        return self.head if self._alone >= ALONE_BATCHES else None

    def missing(self, accounts: Iterable[int]) -> list[int]:
        return [id_ for id_ in accounts if id_ not in self.accounts]

    def meet(self, head: Head, accounts: dict[int, AccountState]) -> bool:
        """Take in what was read together; whether nobody else has written since this writer's last batch."""
        same = self.head is not None and self.head.version == head.version
        self._alone = self._alone + 1 if same else 0
        if not same or len(self.accounts) > ACCOUNTS_MAX:
            self.accounts.clear()
        self.head = head
        self.accounts |= accounts
        return same

    def left(self, plan: Plan, facts: Facts, link: Link | None, version: str) -> None:
        """A batch is committed, and has given the head a new `version`; its decision has moved the accounts already.

        `link`: its own in the chain of seals.
        """
        number, digest = (link.id, link.digest) if link else (facts.seal_id, facts.seal_digest)
        self.head = Head(plan.operation_seq, plan.transfer_id, number, digest, plan.now_us, version, facts.revision)

    def drop(self, accounts: Iterable[int]) -> None:
        """A decision that was not carried out has moved these."""
        for id_ in accounts:
            self.accounts.pop(id_, None)

    def forget(self) -> None:
        """Nothing is known: a batch ended otherwise than it should."""
        self.head, self._alone = None, 0
        self.accounts.clear()


def plain(entries: Sequence[Entry]) -> bool:
    """Whether head and accounts are all that these entries must be decided on, if no account gives out."""
    return all(
        isinstance(it, Operation) and it.captures is None and not it.conditions and not it.again for it in entries
    ) and all(
        posting.reverses is None and posting.credit_overflow is None
        for it in entries
        if isinstance(it, Operation)
        for posting in it.postings
    )


def simply_booked(plan: Plan) -> bool:
    """Whether all of it is new, and each account gave what it was asked for: what else may give it is looked up under
    the lock, for a floor may have been moved."""
    return all(isinstance(it, Posted) and not it.replayed for it in plan.outcomes) and all(
        len(posted.transfers) == len(operation.postings)
        and all(t.debit == it.debit for t, it in zip(posted.transfers, operation.postings, strict=True))
        for operation, posted in plan.booked
    )
