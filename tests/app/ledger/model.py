"""A ledger as simple as can be, to compare the real one with: a dictionary of balances and some lists.

Written from what the ledger promises and not from its code. It keeps every balance as credits less debits, so
that each book sums to 0, and turns to an account's own side only where an outcome states a balance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from app.ledger.rules.operations import (
    Conflict,
    Entry,
    Held,
    Hold,
    Invalid,
    Operation,
    Outcome,
    Posted,
    Refused,
    Release,
    Tombstone,
    Transfer,
)

# Limits as credits less debits; what is not here has none.
GROWS_BY_DEBIT = {"issuance", "clearing", "bank", "due from bar", "hours issued"}
NOT_BELOW_0 = {"alice", "bob", "alice hours", "deposits", "liability", "payable bar"}
NOT_ABOVE_0 = {"alice overdraft", "bob overdraft", "issuance", "hours issued"}


class _No(Exception):
    def __init__(self, outcome: Refused | Invalid) -> None:
        self.outcome = outcome


@dataclass
class StandingHold:
    mark: bytes
    account: int
    amount: int
    expires_at_us: int
    ended: str | None = None


@dataclass
class Model:
    """`names`: of the accounts, by their ids. `pegs`: pairs of (liability, issuance), one euro cent a unit."""

    names: dict[int, str]
    books: dict[int, int]
    pegs: list[tuple[int, int]]
    credit: dict[int, int] = field(default_factory=dict)
    booked: dict[UUID, tuple[bytes, Posted]] = field(default_factory=dict)
    refused: dict[UUID, tuple[bytes | None, str]] = field(default_factory=dict)
    holds: dict[UUID, StandingHold] = field(default_factory=dict)
    moved: list[tuple[int, int, int]] = field(default_factory=list)
    taken_back: dict[int, int] = field(default_factory=dict)
    operations: int = 0
    booked_at_us: int = 0

    def balance(self, account: int) -> int:
        """On the side on which the account grows."""
        return self._stated(account, self.credit.get(account, 0))

    def held(self, account: int) -> int:
        return sum(it.amount for it in self.holds.values() if it.account == account and it.ended is None)

    def post(self, entries: list[Entry], now_us: int) -> list[Outcome]:
        """What the ledger must answer to these, in order."""
        return [self._one(entry, max(now_us, self.booked_at_us)) for entry in entries]

    def _one(self, entry: Entry, now_us: int) -> Outcome:
        if isinstance(entry, Hold):
            return self._place(entry)
        if isinstance(entry, Release):
            return self._release(entry)
        if entry.id in self.booked:
            mark, posted = self.booked[entry.id]
            if isinstance(entry, Operation) and entry.fingerprint != mark:
                return Conflict()
            return Posted(posted.seq, posted.transfers, replayed=True)
        if isinstance(entry, Tombstone):
            if entry.id in self.refused:
                return Refused(self.refused[entry.id][1], replayed=True)
            self.refused[entry.id] = (None, "cancelled")
            return Refused("cancelled")
        before = self.refused.get(entry.id)
        if before is not None:
            if before[0] not in {None, entry.fingerprint}:
                return Conflict()
            if not entry.overrides_refusal:
                return Refused(before[1], replayed=True)
        try:
            posted = self._book(entry, now_us)
        except _No as no:
            if isinstance(no.outcome, Refused) and before is None:
                self.refused[entry.id] = (entry.fingerprint, no.outcome.reason)
            return no.outcome
        self.booked[entry.id] = (entry.fingerprint, posted)
        self.booked_at_us = now_us
        return posted

    def _place(self, entry: Hold) -> Outcome:
        if known := self.holds.get(entry.id):
            return Held(known.ended, replayed=True) if known.mark == entry.fingerprint else Conflict()
        if entry.amount > self.credit.get(entry.account, 0) - self.held(entry.account):
            return Refused("insufficient-funds", entry.account)
        self.holds[entry.id] = StandingHold(entry.fingerprint, entry.account, entry.amount, entry.expires_at_us)
        return Held()

    def _release(self, entry: Release) -> Outcome:
        known = self.holds.get(entry.id)
        if known is None:
            return Invalid("unknown-hold")
        if known.ended is not None:
            return Held(known.ended, replayed=True)
        known.ended = entry.reason
        return Held(entry.reason)

    def _book(self, entry: Operation, now_us: int) -> Posted:
        credit, taken_back = dict(self.credit), dict(self.taken_back)
        captured = self._captured(entry, now_us)
        rows: list[tuple[int, int, int, int | None]] = []
        for posting in entry.postings:
            if posting.amount <= 0:
                raise _No(Invalid("moves-nothing"))
            if self.books[posting.debit] != self.books[posting.credit]:
                raise _No(Invalid("other-book"))
            if posting.reverses is not None:
                number = posting.reverses
                taken_back[number] = taken_back.get(number, 0) + posting.amount
                if taken_back[number] > self.moved[number - 1][2]:
                    raise _No(Refused("already-reversed"))
            # One unit after the other goes to whom it can: slow, and plainly right.
            giver, taker = posting.debit, posting.credit
            parts: list[list[int]] = []
            for _ in range(posting.amount):
                if giver == posting.debit and posting.debit_overflow is not None:
                    free = credit.get(giver, 0) - sum(p[2] for p in parts if p[0] == giver) - self.held(giver)
                    giver = giver if free > 0 else posting.debit_overflow
                if taker == posting.credit and posting.credit_overflow is not None:
                    room = -credit.get(taker, 0) - sum(p[2] for p in parts if p[1] == taker)
                    taker = taker if room > 0 else posting.credit_overflow
                if parts and parts[-1][:2] == [giver, taker]:
                    parts[-1][2] += 1
                else:
                    parts.append([giver, taker, 1])
            for debit, to, amount in parts:
                credit[debit] = credit.get(debit, 0) - amount
                self._within_limits(debit, credit[debit], -1, captured)
                credit[to] = credit.get(to, 0) + amount
                self._within_limits(to, credit[to], 1, captured)
                rows.append((debit, to, amount, posting.reverses))
        if not rows:
            raise _No(Invalid("moves-nothing"))
        if any(credit.get(owed, 0) != -credit.get(issued, 0) for owed, issued in self.pegs):
            raise _No(Invalid("peg-broken"))
        return self._keep(entry, rows, credit, taken_back)

    def _keep(
        self,
        entry: Operation,
        rows: list[tuple[int, int, int, int | None]],
        credit: dict[int, int],
        taken_back: dict[int, int],
    ) -> Posted:
        transfers = []
        for debit, to, amount, reverses in rows:
            self.moved.append((debit, to, amount))
            self.credit[debit] = self.credit.get(debit, 0) - amount
            self.credit[to] = self.credit.get(to, 0) + amount
            after = self.balance(debit), self.balance(to)
            transfers.append(Transfer(len(self.moved), debit, to, amount, *after, reverses))
        assert {k: v for k, v in self.credit.items() if v} == {k: v for k, v in credit.items() if v}
        self.taken_back = taken_back
        if entry.captures is not None:
            self.holds[entry.captures].ended = "captured"
        self.operations += 1
        return Posted(self.operations, tuple(transfers))

    def _captured(self, entry: Operation, now_us: int) -> StandingHold | None:
        if entry.captures is None:
            return None
        hold = self.holds.get(entry.captures)
        if hold is None:
            raise _No(Invalid("unknown-hold"))
        if hold.ended is not None or hold.expires_at_us < now_us:
            raise _No(Refused("hold-ended", hold.account))
        if sum(it.amount for it in entry.postings if it.debit == hold.account) > hold.amount:
            raise _No(Refused("over-hold", hold.account))
        return hold

    def _within_limits(self, account: int, credit: int, side: int, captured: StandingHold | None) -> None:
        name, held = self.names[account], self.held(account)
        if captured is not None and captured.account == account:
            held -= captured.amount
        grew = side == (-1 if name in GROWS_BY_DEBIT else 1)
        if name in NOT_BELOW_0 and side < 0 and credit - held < 0:
            raise _No(Refused("insufficient-funds", account))
        if name in NOT_ABOVE_0 and side > 0 and credit > 0:
            raise _No(Refused("over-ceiling" if grew else "insufficient-funds", account))

    def _stated(self, account: int, credit: int) -> int:
        return -credit if self.names[account] in GROWS_BY_DEBIT else credit
