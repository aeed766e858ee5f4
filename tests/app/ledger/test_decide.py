"""The decision itself, without a database: what holds for any batch whatever."""

from __future__ import annotations

import copy
from datetime import date
from hashlib import sha256
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.ledger.rules.decide import AccountState, Facts, Plan, Reversible, decide
from app.ledger.rules.kinds import CREDIT, DEBIT
from app.ledger.rules.operations import (
    Entry,
    Held,
    Hold,
    Invalid,
    Operation,
    Posted,
    Posting,
    Refused,
    Release,
    Stale,
    Tombstone,
)

NOW_US = 1_000_000
ISSUANCE, ALICE, BOB, OVERDRAFT, CLAIM, CLEARING, LIABILITY = range(1, 8)


def facts(**more: object) -> Facts:
    """A pegged currency (book 1) and its reserve (book 2), alice with 50 and bob with 10."""
    accounts = [
        AccountState(ISSUANCE, 1, DEBIT, 0, None, 60, peg=1, peg_weight=1),
        AccountState(ALICE, 1, CREDIT, 0, None, 50),
        AccountState(BOB, 1, CREDIT, 0, 30, 10),
        AccountState(OVERDRAFT, 1, CREDIT, None, 0, 0),
        AccountState(CLAIM, 1, CREDIT, None, None, 0),
        AccountState(CLEARING, 2, DEBIT, None, None, 60),
        AccountState(LIABILITY, 2, CREDIT, 0, None, 60, peg=1, peg_weight=-1),
    ]
    given_facts = Facts(10, 20, {it.id: it for it in accounts}, {}, now_us=NOW_US)
    for name, value in more.items():
        setattr(given_facts, name, value)
    return given_facts


def operation(*postings: Posting, id_: int = 1, **more: object) -> Operation:
    mark = sha256(repr(postings).encode()).digest()
    return Operation(UUID(int=id_), "test", mark, postings, "test", 0, date(2026, 1, 1), **more)  # type: ignore[arg-type]


accounts = st.integers(ISSUANCE, LIABILITY)
amounts = st.integers(-1, 40)
overflows = st.one_of(st.none(), st.just(OVERDRAFT), st.just(ALICE))
postings = st.builds(Posting, accounts, accounts, amounts, overflows, overflows)
free = st.lists(postings, min_size=0, max_size=3).map(tuple)
top_ups = st.builds(
    lambda who, amount: (Posting(CLEARING, LIABILITY, amount), Posting(ISSUANCE, who, amount)),
    st.sampled_from([ALICE, BOB]),
    st.integers(1, 40),
)
# Units without their euros.
halves = top_ups.map(lambda both: both[1:])
sales = st.builds(
    lambda who, amount: (Posting(who, CLAIM, amount, OVERDRAFT),), st.sampled_from([ALICE, BOB]), st.integers(1, 80)
)
ids = st.integers(1, 12)
operations = st.builds(
    lambda postings, id_, overrides: operation(*postings, id_=id_, overrides_refusal=overrides),
    st.one_of(free, top_ups, halves, sales),
    ids,
    st.booleans(),
)
holds = st.builds(
    lambda id_, who, amount: Hold(UUID(int=id_), bytes([amount]), who, amount, 2 * NOW_US, "test"),
    ids,
    st.sampled_from([ALICE, BOB]),
    st.integers(1, 40),
)
captures = st.builds(
    lambda hold, amount, id_: operation(Posting(ALICE, CLAIM, amount), id_=id_, captures=UUID(int=hold)),
    ids,
    st.integers(1, 40),
    ids,
)
entries: st.SearchStrategy[Entry] = st.one_of(
    operations,
    operations,
    holds,
    captures,
    st.builds(lambda id_: Release(UUID(int=id_)), ids),
    st.builds(lambda id_: Tombstone(UUID(int=id_), "test"), ids),
)
batches = st.lists(entries, max_size=12)


def decided(batch: list[Entry]) -> tuple[Plan, Facts]:
    known = facts()
    return decide(batch, known), known


@given(batches)
def test_each_book_stays_in_balance(batch: list[Entry]) -> None:
    _, after = decided(batch)
    for book in (1, 2):
        assert sum(it.balance * it.normal for it in after.accounts.values() if it.book == book) == 0


@given(batches)
def test_the_peg_holds(batch: list[Entry]) -> None:
    _, after = decided(batch)
    assert after.accounts[ISSUANCE].balance == after.accounts[LIABILITY].balance


@given(batches)
def test_no_account_passes_its_limits(batch: list[Entry]) -> None:
    _, after = decided(batch)
    for it in after.accounts.values():
        assert it.held >= 0
        assert it.floor is None or it.balance - it.held >= it.floor
        assert it.ceiling is None or it.balance <= it.ceiling


@given(batches)
def test_what_is_held_is_what_the_standing_holds_say(batch: list[Entry]) -> None:
    _, after = decided(batch)
    for it in after.accounts.values():
        standing = [hold.amount for hold in after.holds.values() if hold.account == it.id and hold.ended is None]
        assert it.held == sum(standing)


@given(batches)
def test_the_transfers_say_what_happened_without_a_gap(batch: list[Entry]) -> None:
    plan, after = decided(batch)
    balances = {it.id: (it.balance, it.normal) for it in facts().accounts.values()}
    number = 20
    for place, (_, posted) in enumerate(plan.booked, 11):
        assert posted.seq == place
        for it in posted.transfers:
            number += 1
            assert it.id == number
            for side, credit, stated in (
                (it.debit, -it.amount, it.debit_after),
                (it.credit, it.amount, it.credit_after),
            ):
                balance, normal = balances[side]
                assert stated == balance + credit * normal
                balances[side] = stated, normal
    assert (plan.operation_seq, plan.transfer_id) == (10 + len(plan.booked), number)
    assert {it.id: it.balance for it in after.accounts.values()} == {id_: b for id_, (b, _) in balances.items()}


@given(batches, st.integers(0, 12))
def test_where_a_batch_is_cut_makes_no_difference(batch: list[Entry], cut: int) -> None:
    """So the writer may take whatever has accumulated, and halve it."""
    whole, after_whole = decided(batch)
    in_two = facts()
    first = decide(batch[:cut], in_two)
    in_two.operation_seq, in_two.transfer_id = first.operation_seq, first.transfer_id
    second = decide(batch[cut:], in_two)
    assert first.outcomes + second.outcomes == whole.outcomes
    assert in_two.accounts == after_whole.accounts
    assert in_two.holds == after_whole.holds


@given(batches)
def test_what_is_sent_again_changes_nothing(batch: list[Entry]) -> None:
    batch = [it for it in batch if not (isinstance(it, Operation) and it.overrides_refusal)]
    known = facts()
    plan = decide(batch, known)
    before = copy.deepcopy(known.accounts)
    known.operation_seq, known.transfer_id = plan.operation_seq, plan.transfer_id
    again = decide([it for it, _ in plan.booked] + list(plan.holds), known)
    written = [*again.booked, *again.refused, *again.holds, *again.hold_ends]
    assert written == []
    assert all(it.replayed for it in again.outcomes if isinstance(it, Posted | Held))
    assert known.accounts == before


@given(batches, batches)
def test_an_entry_that_is_not_booked_changes_nothing_for_the_others(batch: list[Entry], later: list[Entry]) -> None:
    bad = operation(Posting(ALICE, LIABILITY, 1), id_=99)
    with_it, after = decided([*batch, bad, *later])
    without, otherwise = decided([*batch, *later])
    assert with_it.outcomes.pop(len(batch)) == Invalid("other-book")
    assert with_it.outcomes == without.outcomes
    assert after.accounts == otherwise.accounts


@given(st.lists(st.integers(1, 30), max_size=8), st.integers(0, 40))
def test_no_more_is_taken_back_than_was_given(parts: list[int], already: int) -> None:
    known = facts(reversible={7: Reversible(ALICE, CLAIM, 40, already)})
    known.accounts[CLAIM].balance = 40
    back = [operation(Posting(CLAIM, ALICE, part, reverses=7), id_=n) for n, part in enumerate(parts, 1)]
    plan = decide(list(back), known)
    taken = sum(it.amount for _, posted in plan.booked for it in posted.transfers)
    assert already + taken <= 40
    for part, outcome in zip(parts, plan.outcomes, strict=True):
        assert isinstance(outcome, Posted) or outcome == Refused("already-reversed")
        assert isinstance(outcome, Posted) or already + taken + part > 40


def test_only_the_transfer_s_own_way_back_is_its_reverse() -> None:
    known = facts(reversible={7: Reversible(ALICE, CLAIM, 40, 0)})
    known.accounts[CLAIM].balance = 40
    for debit, credit in ((CLAIM, BOB), (BOB, ALICE)):
        assert decide([operation(Posting(debit, credit, 5, reverses=7))], known).outcomes == [
            Invalid("not-the-reverse")
        ]
    assert decide([operation(Posting(CLAIM, ALICE, 5, reverses=8))], known).outcomes == [Invalid("not-the-reverse")]


def test_what_was_looked_up_long_ago_is_looked_up_again_before_it_is_booked() -> None:
    sale = operation(Posting(ALICE, CLAIM, 5), revision=3)
    assert decide([sale], facts(revision=4)).outcomes == [Stale()]
    assert isinstance(decide([sale], facts(revision=3)).outcomes[0], Posted)


def test_what_is_booked_already_is_told_again_whatever_changed_since() -> None:
    known = facts(revision=3)
    sale = operation(Posting(ALICE, CLAIM, 5), revision=3)
    first = decide([sale], known).outcomes[0]
    known.revision = 4
    again = decide([sale], known).outcomes[0]
    assert isinstance(first, Posted)
    assert again == Posted(first.seq, first.transfers, replayed=True)


def test_a_wallet_with_a_ceiling_takes_no_more() -> None:
    move = operation(Posting(ALICE, BOB, 21))
    assert decide([move], facts()).outcomes == [Refused("over-ceiling", BOB)]
    assert isinstance(decide([operation(Posting(ALICE, BOB, 20))], facts()).outcomes[0], Posted)
