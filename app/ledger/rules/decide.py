"""Deciding a batch: entries and the accounts they touch in, outcomes and the rows to write out. Pure and in order.

Both stores call it under the ledger's lock, and the tests use it as their oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.ledger.rules.kinds import CREDIT
from app.ledger.rules.operations import (
    Cap,
    Condition,
    Conflict,
    Entry,
    Flow,
    Held,
    Hold,
    Invalid,
    Operation,
    Outcome,
    Posted,
    Posting,
    Refused,
    Release,
    Stale,
    Tombstone,
    Transfer,
)
from app.ledger.rules.sealing import GENESIS

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
    held: int = 0
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


@dataclass(frozen=True, slots=True)
class KnownHold:
    """A hold in the ledger; `ended` says how, once it has."""

    fingerprint: bytes
    account: int
    amount: int
    expires_at_us: int
    ended: str | None = None


@dataclass(slots=True)
class Facts:
    """All that a batch must know, read under the lock."""

    operation_seq: int
    transfer_id: int
    accounts: dict[int, AccountState]
    known: dict[UUID, Known]
    reversible: dict[int, Reversible] = field(default_factory=dict)
    holds: dict[UUID, KnownHold] = field(default_factory=dict)
    seal_id: int = 0
    seal_digest: bytes = GENESIS
    now_us: int = 0
    revision: int = 0
    # What the batch's caps are about came to before it; grows as the batch is decided.
    flows: dict[Flow, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HoldEnd:
    """How a hold ended; `operation` is what captured it."""

    hold: UUID
    reason: str
    operation: UUID | None = None


@dataclass(slots=True)
class Plan:
    """What to write: operations with their numbers and transfers, refusals, holds and their ends, and the new head."""

    operation_seq: int
    transfer_id: int
    now_us: int = 0
    booked: list[tuple[Operation, Posted]] = field(default_factory=list)
    refused: list[tuple[Operation | Tombstone, Refused]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    hold_ends: list[HoldEnd] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class _NotBookable(Exception):
    def __init__(self, outcome: Refused | Invalid) -> None:
        self.outcome = outcome


def decide(entries: Sequence[Entry], facts: Facts) -> Plan:
    """Decide each entry as if it came alone, after those before it: a refused one changes nothing for the others."""
    plan = Plan(facts.operation_seq, facts.transfer_id, facts.now_us)
    reversed_now: dict[int, int] = {}
    for entry in entries:
        plan.outcomes.append(_decide_one(entry, facts, plan, reversed_now))
    return plan


def _decide_one(entry: Entry, facts: Facts, plan: Plan, reversed_now: dict[int, int]) -> Outcome:
    if isinstance(entry, Hold):
        return _place(entry, facts, plan)
    if isinstance(entry, Release):
        return _release(entry, facts, plan)
    known = facts.known.get(entry.id)
    if isinstance(entry, Tombstone):
        if known is not None:
            return _again(known.outcome)
        return _refuse(entry, Refused("cancelled"), NO_FINGERPRINT, facts, plan)
    if known is not None:
        if known.fingerprint not in {entry.fingerprint, NO_FINGERPRINT}:
            return Conflict()
        if isinstance(known.outcome, Posted) or not entry.overrides_refusal:
            return _again(known.outcome)
    if entry.revision is not None and entry.revision != facts.revision:
        return Stale()
    try:
        return _book(entry, facts, plan, reversed_now)
    except _NotBookable as no:
        if isinstance(no.outcome, Refused) and known is None:
            return _refuse(entry, no.outcome, entry.fingerprint, facts, plan)
        return no.outcome


def _refuse(entry: Operation | Tombstone, refused: Refused, fingerprint: bytes, facts: Facts, plan: Plan) -> Refused:
    plan.refused.append((entry, refused))
    facts.known[entry.id] = Known(fingerprint, refused)
    return refused


def _book(entry: Operation, facts: Facts, plan: Plan, reversed_now: dict[int, int]) -> Posted:
    """All of the operation, or _NotBookable and nothing."""
    overlay: dict[int, int] = {}
    captured = _captured(entry, facts)
    transfers = _transfers(entry, facts, plan.transfer_id, overlay, reversed_now, captured)
    for condition in entry.conditions:
        _must_hold(condition, entry, transfers, facts, overlay)
    for flow in facts.flows:
        facts.flows[flow] += _part_of(flow, entry, transfers)
    for account, balance in overlay.items():
        facts.accounts[account].balance = balance
    if captured is not None and entry.captures is not None:
        _end(entry.captures, captured, "captured", entry.id, facts, plan)
    for transfer in transfers:
        if transfer.reverses is not None:
            reversed_now[transfer.reverses] = reversed_now.get(transfer.reverses, 0) + transfer.amount
    plan.operation_seq += 1
    plan.transfer_id += len(transfers)
    posted = Posted(plan.operation_seq, tuple(transfers))
    plan.booked.append((entry, posted))
    facts.known[entry.id] = Known(entry.fingerprint, posted)
    return posted


def _must_hold(
    condition: Condition,
    entry: Operation,
    transfers: Sequence[Transfer],
    facts: Facts,
    overlay: Mapping[int, int],
) -> None:
    if isinstance(condition, Cap):
        if facts.flows[condition.flow] + _part_of(condition.flow, entry, transfers) > condition.most:
            raise _NotBookable(Refused(condition.reason, condition.flow.accounts[0]))
        return
    if any(account not in facts.accounts for account in condition.accounts):
        raise _NotBookable(Invalid("unknown-account"))
    held = sum(overlay.get(it, facts.accounts[it].balance) for it in condition.accounts)
    too_low = condition.least is not None and held < condition.least
    if too_low or (condition.most is not None and held > condition.most):
        raise _NotBookable(Refused(condition.reason, condition.accounts[0]))


def _part_of(flow: Flow, entry: Operation, transfers: Sequence[Transfer]) -> int:
    """What of the operation counts for the flow. What this batch takes back counts until the next one."""
    if entry.kind not in flow.kinds or not flow.first_day <= entry.business_day <= flow.last_day:
        return 0
    return sum(t.amount for t in transfers if (t.credit if flow.incoming else t.debit) in flow.accounts)


def _place(entry: Hold, facts: Facts, plan: Plan) -> Outcome:
    known = facts.holds.get(entry.id)
    if known is not None:
        return Held(known.ended, replayed=True) if known.fingerprint == entry.fingerprint else Conflict()
    state = facts.accounts.get(entry.account)
    if state is None:
        return Invalid("unknown-account")
    if entry.amount <= 0 or state.normal != CREDIT:
        return Invalid("moves-nothing")
    if state.floor is not None and state.balance - state.held - entry.amount < state.floor:
        # Not remembered: what is free changes with every hold that ends, and nothing was promised under this id.
        return Refused("insufficient-funds", entry.account)
    state.held += entry.amount
    facts.holds[entry.id] = KnownHold(entry.fingerprint, entry.account, entry.amount, entry.expires_at_us)
    plan.holds.append(entry)
    return Held()


def _release(entry: Release, facts: Facts, plan: Plan) -> Outcome:
    known = facts.holds.get(entry.id)
    if known is None:
        return Invalid("unknown-hold")
    if known.ended is not None:
        return Held(known.ended, replayed=True)
    _end(entry.id, known, entry.reason, None, facts, plan)
    return Held(entry.reason)


def _end(id_: UUID, known: KnownHold, reason: str, operation: UUID | None, facts: Facts, plan: Plan) -> None:
    facts.accounts[known.account].held -= known.amount
    facts.holds[id_] = KnownHold(known.fingerprint, known.account, known.amount, known.expires_at_us, reason)
    plan.hold_ends.append(HoldEnd(id_, reason, operation))


def _captured(operation: Operation, facts: Facts) -> KnownHold | None:
    """The hold that the operation captures: it must stand, and reserve enough."""
    if operation.captures is None:
        return None
    captured = facts.holds.get(operation.captures)
    if captured is None:
        raise _NotBookable(Invalid("unknown-hold"))
    if captured.ended is not None or captured.expires_at_us < facts.now_us:
        raise _NotBookable(Refused("hold-ended", captured.account))
    taken = sum(posting.amount for posting in operation.postings if posting.debit == captured.account)
    if taken > captured.amount and not operation.beyond_hold:
        raise _NotBookable(Refused("over-hold", captured.account))
    return captured


def _again(outcome: Posted | Refused) -> Outcome:
    if isinstance(outcome, Posted):
        return Posted(outcome.seq, outcome.transfers, replayed=True)
    return Refused(outcome.reason, outcome.account, replayed=True)


def _transfers(
    operation: Operation,
    facts: Facts,
    last_id: int,
    overlay: dict[int, int],
    reversed_now: Mapping[int, int],
    captured: KnownHold | None,
) -> list[Transfer]:
    """The rows of one operation; `overlay` receives the balances they lead to."""
    transfers: list[Transfer] = []
    taken_back: dict[int, int] = {}
    for posting in operation.postings:
        if posting.reverses is not None:
            _may_reverse(posting, facts, reversed_now, taken_back)
        for debit, credit, amount in _split(posting, facts, overlay):
            debit_after = _move(facts, overlay, debit, -amount, captured)
            credit_after = _move(facts, overlay, credit, amount, captured)
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
    if posting.debit_overflow is None and posting.credit_overflow is None:
        return [_plain(posting, facts)]
    names = (posting.debit, posting.credit, posting.debit_overflow, posting.credit_overflow)
    states = [facts.accounts.get(name) for name in names if name is not None]
    if any(state is None for state in states):
        raise _NotBookable(Invalid("unknown-account"))
    if len({state.book for state in states if state is not None}) != 1:
        raise _NotBookable(Invalid("other-book"))
    if posting.credit_overflow is None:
        state = facts.accounts[posting.debit]
        room = _room(state, overlay.get(posting.debit, state.balance), -1)
        if room is None or room >= posting.amount:
            # Nothing flows over, as with nearly every sale that was made without network.
            return [(posting.debit, posting.credit, posting.amount)]
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


def _plain(posting: Posting, facts: Facts) -> tuple[int, int, int]:
    """A posting without overflows, as nearly all are: `_split` would come to the same, in twice the time."""
    debit, credit = facts.accounts.get(posting.debit), facts.accounts.get(posting.credit)
    if debit is None or credit is None:
        raise _NotBookable(Invalid("unknown-account"))
    if debit.book != credit.book:
        raise _NotBookable(Invalid("other-book"))
    return posting.debit, posting.credit, posting.amount


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
        return None if state.floor is None else balance - state.held - state.floor
    return None if state.ceiling is None else state.ceiling - balance


def _move(facts: Facts, overlay: dict[int, int], account: int, credit: int, captured: KnownHold | None) -> int:
    state = facts.accounts[account]
    change = credit * state.normal
    balance = overlay.get(account, state.balance) + change
    held = state.held - (captured.amount if captured is not None and captured.account == account else 0)
    # What goes up may still be too low (an overdrawn account is repaid in parts); what goes down may not.
    if state.floor is not None and change < 0 and balance - held < state.floor:
        raise _NotBookable(Refused("insufficient-funds", account))
    if state.ceiling is not None and change > 0 and balance > state.ceiling:
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
