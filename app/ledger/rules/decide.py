"""Deciding a batch: entries and the accounts they touch in, outcomes and the rows to write out. Pure and in order.

Both stores call it under the ledger's lock, and the tests use it as their oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.ledger.rules.operations import (
    Conflict,
    Entry,
    Invalid,
    Operation,
    Outcome,
    Posted,
    Posting,
    Refused,
    Tombstone,
    Transfer,
)

# Tombstones are made before the content is known.
NO_FINGERPRINT = b""
# A balance never passes what both databases hold in a signed 64-bit column, with room to add.
BALANCE_MAX = 2**62


@dataclass(slots=True)
class AccountState:
    """An account under the lock; `balance` moves as the batch is decided."""

    id: int
    book: int
    normal: int
    floor: int | None
    ceiling: int | None
    balance: int
    peg: int | None = None
    peg_weight: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds already under an id."""

    fingerprint: bytes
    outcome: Posted | Refused


@dataclass(frozen=True, slots=True)
class Reversible:
    """A transfer that the batch wants to take back: its accounts, its amount, and how much of it was taken back."""

    debit: int
    credit: int
    amount: int
    reversed: int


@dataclass(slots=True)
class Facts:
    """All that a batch must know, read under the lock."""

    operation_seq: int
    transfer_id: int
    accounts: dict[int, AccountState]
    known: dict[UUID, Known]
    reversible: dict[int, Reversible] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What to write: operations with their numbers and transfers, refusals, and the new head."""

    operation_seq: int
    transfer_id: int
    booked: list[tuple[Operation, Posted]] = field(default_factory=list)
    refused: list[tuple[Entry, Refused]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class _NotBookable(Exception):
    def __init__(self, outcome: Refused | Invalid) -> None:
        self.outcome = outcome


def decide(entries: Sequence[Entry], facts: Facts) -> Plan:
    """Decide each entry as if it came alone, after those before it: a refused one changes nothing for the others."""
    plan = Plan(facts.operation_seq, facts.transfer_id)
    reversed_now: dict[int, int] = {}
    for entry in entries:
        plan.outcomes.append(_decide_one(entry, facts, plan, reversed_now))
    return plan


def _decide_one(entry: Entry, facts: Facts, plan: Plan, reversed_now: dict[int, int]) -> Outcome:
    known = facts.known.get(entry.id)
    if isinstance(entry, Tombstone):
        if known is not None:
            return _again(known.outcome)
        refused = Refused("cancelled")
        plan.refused.append((entry, refused))
        facts.known[entry.id] = Known(NO_FINGERPRINT, refused)
        return refused
    if known is not None:
        if known.fingerprint not in {entry.fingerprint, NO_FINGERPRINT}:
            return Conflict()
        if isinstance(known.outcome, Posted) or not entry.overrides_refusal:
            return _again(known.outcome)
    overlay: dict[int, int] = {}
    try:
        transfers = _transfers(entry, facts, plan.transfer_id, overlay, reversed_now)
    except _NotBookable as no:
        if isinstance(no.outcome, Refused) and known is None:
            plan.refused.append((entry, no.outcome))
            facts.known[entry.id] = Known(entry.fingerprint, no.outcome)
        return no.outcome
    for account, balance in overlay.items():
        facts.accounts[account].balance = balance
    for transfer in transfers:
        if transfer.reverses is not None:
            reversed_now[transfer.reverses] = reversed_now.get(transfer.reverses, 0) + transfer.amount
    plan.operation_seq += 1
    plan.transfer_id += len(transfers)
    posted = Posted(plan.operation_seq, tuple(transfers))
    plan.booked.append((entry, posted))
    facts.known[entry.id] = Known(entry.fingerprint, posted)
    return posted


def _again(outcome: Posted | Refused) -> Outcome:
    if isinstance(outcome, Posted):
        return Posted(outcome.seq, outcome.transfers, replayed=True)
    return Refused(outcome.reason, outcome.account, replayed=True)


def _transfers(
    operation: Operation, facts: Facts, last_id: int, overlay: dict[int, int], reversed_now: Mapping[int, int]
) -> list[Transfer]:
    """The rows of one operation; `overlay` receives the balances they lead to."""
    transfers: list[Transfer] = []
    taken_back: dict[int, int] = {}
    for posting in operation.postings:
        if posting.reverses is not None:
            _may_reverse(posting, facts, reversed_now, taken_back)
        for debit, credit, amount in _split(posting, facts, overlay):
            debit_after = _move(facts, overlay, debit, -amount)
            credit_after = _move(facts, overlay, credit, amount)
            last_id += 1
            transfers.append(Transfer(last_id, debit, credit, amount, debit_after, credit_after, posting.reverses))
    if not transfers:
        raise _NotBookable(Invalid("moves-nothing"))
    _peg_holds(facts, overlay)
    return transfers


def _split(posting: Posting, facts: Facts, overlay: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """The posting as (debit, credit, amount) rows, its overflows spelled out."""
    if posting.amount <= 0 or posting.debit == posting.credit:
        raise _NotBookable(Invalid("moves-nothing"))
    names = (posting.debit, posting.credit, posting.debit_overflow, posting.credit_overflow)
    states = [facts.accounts.get(name) for name in names if name is not None]
    if any(state is None for state in states):
        raise _NotBookable(Invalid("unknown-account"))
    if len({state.book for state in states if state is not None}) != 1:
        raise _NotBookable(Invalid("other-book"))
    debits = _parts(posting.amount, posting.debit, posting.debit_overflow, -1, facts, overlay)
    credits_ = _parts(posting.amount, posting.credit, posting.credit_overflow, 1, facts, overlay)
    rows: list[tuple[int, int, int]] = []
    while debits and credits_:
        (debit, give), (credit, take) = debits[0], credits_[0]
        amount = min(give, take)
        rows.append((debit, credit, amount))
        debits = [(debit, give - amount)] * (give > amount) + debits[1:]
        credits_ = [(credit, take - amount)] * (take > amount) + credits_[1:]
    return rows


def _parts(
    amount: int, account: int, overflow: int | None, side: int, facts: Facts, overlay: Mapping[int, int]
) -> list[tuple[int, int]]:
    if overflow is None:
        return [(account, amount)]
    room = _room(facts.accounts[account], overlay.get(account, facts.accounts[account].balance), side)
    first = amount if room is None else max(0, min(amount, room))
    return [(name, part) for name, part in ((account, first), (overflow, amount - first)) if part]


def _room(state: AccountState, balance: int, side: int) -> int | None:
    """How much more the account can give (side -1) or take (side 1); None: any amount."""
    if side * state.normal < 0:
        return None if state.floor is None else balance - state.floor
    return None if state.ceiling is None else state.ceiling - balance


def _move(facts: Facts, overlay: dict[int, int], account: int, credit: int) -> int:
    state = facts.accounts[account]
    balance = overlay.get(account, state.balance) + credit * state.normal
    if state.floor is not None and balance < state.floor:
        raise _NotBookable(Refused("insufficient-funds", account))
    if state.ceiling is not None and balance > state.ceiling:
        raise _NotBookable(Refused("over-ceiling", account))
    if abs(balance) > BALANCE_MAX:
        raise _NotBookable(Invalid("too-large"))
    overlay[account] = balance
    return balance


def _may_reverse(posting: Posting, facts: Facts, reversed_now: Mapping[int, int], taken_back: dict[int, int]) -> None:
    number = posting.reverses or 0
    original = facts.reversible.get(number)
    if original is None or posting.debit != original.credit:
        raise _NotBookable(Invalid("not-the-reverse"))
    if original.debit not in {posting.credit, posting.credit_overflow}:
        raise _NotBookable(Invalid("not-the-reverse"))
    taken_back[number] = taken_back.get(number, 0) + posting.amount
    if original.reversed + reversed_now.get(number, 0) + taken_back[number] > original.amount:
        raise _NotBookable(Refused("already-reversed"))


def _peg_holds(facts: Facts, overlay: Mapping[int, int]) -> None:
    """Liability = rate x issuance, after every operation: the link between two books that nothing else forces."""
    drift: dict[int, int] = {}
    for account, balance in overlay.items():
        state = facts.accounts[account]
        if state.peg is not None and state.peg_weight is not None:
            drift[state.peg] = drift.get(state.peg, 0) + state.peg_weight * (balance - state.balance)
    if any(drift.values()):
        raise _NotBookable(Invalid("peg-broken"))
