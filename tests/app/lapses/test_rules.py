"""What lapses: never more than was there, never what came later, never more than was told, never without notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lapses.rules import (
    DAY_US,
    EFFECTS,
    LEAD_DAYS,
    Calendar,
    Effect,
    Wallet,
    demurrage_due,
    due_of,
    grown,
    lapses,
    notice_id,
    period_ends,
    taken,
    taken_under_notice,
)
from app.rules.business_day import local_time
from app.rules.policy import CurrencyKind, Growth, Lapse

PARIS = Calendar("Europe/Paris")
# 2026-03-10, noon in Paris.
NOON_US = 1_773_140_400_000_000
ALL = Lapse(
    expires_after_days=365,
    dormant_after_days=100,
    demurrage_basis_points=200,
    demurrage_every_days=30,
    notice_days=30,
    legal_ground="Article 4 of the rules of the association",
)
WALLET = Wallet("wallet:a", 1000, 1000, 0, 1000, NOON_US - 400 * DAY_US, NOON_US - 200 * DAY_US)

amounts = st.integers(0, 10**9)
instants = st.integers(0, 4_000_000_000_000_000)
maybe_days = st.none() | st.integers(1, 2000)
policies = st.builds(
    Lapse,
    expires_after_days=maybe_days,
    dormant_after_days=maybe_days,
    demurrage_basis_points=st.integers(0, 10_000),
    demurrage_every_days=st.integers(1, 400),
    demurrage_free=st.integers(0, 10**6),
    grace_days=st.integers(0, 400),
    notice_days=st.integers(1, 120),
    legal_ground=st.sampled_from(["", "the rules"]),
)
wallets = st.builds(
    Wallet,
    owner=st.just("wallet:a"),
    balance=amounts,
    seasoned=amounts,
    spent_since=amounts,
    free=amounts,
    received_us=st.none() | instants,
    moved_us=st.none() | instants,
)
effects = st.sampled_from(EFFECTS)
kinds = st.sampled_from(["pegged", "time", "gift", "points", "mutual"])
zones = st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/New_York", "Australia/Lord_Howe"]).map(Calendar)


@given(effects, kinds, policies, wallets, instants, amounts)
def test_never_more_than_is_left_of_what_was_there_nor_more_than_was_told(
    effect: Effect, kind: CurrencyKind, lapse: Lapse, wallet: Wallet, at_us: int, told: int
) -> None:
    amount = taken_under_notice(told, effect, kind, lapse, wallet, at_us)
    assert 0 <= amount <= min(told, wallet.balance, wallet.free)
    assert amount <= max(0, wallet.balance - wallet.spent_since), "what came in later is not touched"


@given(effects, kinds, policies, wallets, instants, amounts)
def test_what_was_booked_leaves_nothing_to_be_booked_again(
    effect: Effect, kind: CurrencyKind, lapse: Lapse, wallet: Wallet, at_us: int, more: int
) -> None:
    """An expiry that is looked at again after it was booked finds an empty place."""
    amount = taken(effect, kind, lapse, wallet, at_us)
    after = replace(wallet, spent_since=wallet.spent_since + amount, free=wallet.free - amount + more)
    again = taken(effect, kind, lapse, after, at_us)
    assert amount + again <= wallet.balance
    if effect != "demurrage" and wallet.balance - wallet.spent_since <= wallet.free:
        assert again == 0


@given(effects, policies, wallets, instants)
def test_pegged_money_never_lapses_without_its_legal_ground(
    effect: Effect, lapse: Lapse, wallet: Wallet, at_us: int
) -> None:
    assert taken(effect, "pegged", replace(lapse, legal_ground=" "), wallet, at_us) == 0


@given(policies, wallets, instants, zones)
def test_nothing_falls_due_before_its_notice_is_over(
    lapse: Lapse, wallet: Wallet, now_us: int, calendar: Calendar
) -> None:
    told = now_us + lapse.notice_days * DAY_US
    whole: tuple[Effect, ...] = ("expiry", "dormancy")
    for effect in whole:
        due = due_of(effect, lapse, wallet, now_us, calendar)
        if due is not None:
            assert due.at_us >= told
            assert calendar.day_of(due.at_us) == due.period
            assert taken(effect, "gift", lapse, wallet, due.at_us) == wallet.remaining
    for due in demurrage_due(lapse, 0, now_us, calendar):
        assert told <= due.at_us <= told + LEAD_DAYS * DAY_US


@given(policies, instants, st.integers(0, 3000), zones)
def test_every_period_is_announced_by_a_run_a_day(
    lapse: Lapse, valid_from_us: int, later: int, calendar: Calendar
) -> None:
    """Whatever time of day the run comes at, no period is missed, and each is one and the same day every time."""
    lapse = replace(lapse, demurrage_basis_points=100)
    now_us = valid_from_us + later * DAY_US + 1
    wanted = next(period_ends(valid_from_us, lapse.demurrage_every_days, now_us + lapse.notice_days * DAY_US, calendar))
    runs = (wanted.at_us - (lapse.notice_days + back) * DAY_US for back in (0, 1, LEAD_DAYS))
    assert all(wanted in list(demurrage_due(lapse, valid_from_us, run, calendar)) for run in runs)


@given(instants, st.integers(1, 400), zones)
def test_periods_are_as_long_as_the_policy_says_and_end_at_the_turn_of_a_day(
    valid_from_us: int, every: int, calendar: Calendar
) -> None:
    ends = list(islice(period_ends(valid_from_us, every, valid_from_us, calendar), 4))
    assert all((b.period - a.period).days == every for a, b in pairwise(ends))
    assert (ends[0].period - calendar.turn_after(valid_from_us).period).days == every
    assert all(local_time(it.at_us, calendar.zone).hour == 6 for it in ends)


@given(instants, st.integers(1, 400), st.integers(0, 2000), zones)
def test_asking_later_finds_the_same_periods(valid_from_us: int, every: int, later: int, calendar: Calendar) -> None:
    after_us = valid_from_us + later * DAY_US
    slow = [
        it for it in islice(period_ends(valid_from_us, every, valid_from_us, calendar), 2100) if it.at_us > after_us
    ]
    if slow:
        assert next(period_ends(valid_from_us, every, after_us, calendar)) == slow[0]


@given(policies, wallets, instants)
def test_melting_rounds_in_favour_of_the_holder_and_leaves_what_is_free_of_it(
    lapse: Lapse, wallet: Wallet, at_us: int
) -> None:
    amount = taken("demurrage", "time", lapse, wallet, at_us)
    base = max(0, min(wallet.balance, wallet.seasoned) - lapse.demurrage_free)
    assert amount * 10_000 <= base * lapse.demurrage_basis_points


@given(st.builds(Growth, basis_points=st.integers(0, 10_000), maximum=st.none() | amounts), amounts, amounts)
def test_a_limit_never_shrinks_and_passes_its_maximum_only_where_it_had_already(
    growth: Growth, limit: int, sold: int
) -> None:
    after = grown(growth, limit, sold)
    assert after >= limit
    assert growth.maximum is None or after <= max(limit, growth.maximum)
    assert (after - limit) * 10_000 < sold * growth.basis_points + 10_000


@pytest.mark.parametrize(
    ("effect", "wallet", "amount"),
    [
        ("expiry", WALLET, 1000),
        ("expiry", replace(WALLET, received_us=NOON_US - 364 * DAY_US), 0),
        ("expiry", replace(WALLET, received_us=NOON_US - 365 * DAY_US), 1000),
        ("expiry", replace(WALLET, spent_since=300, free=5700), 700),
        ("expiry", replace(WALLET, free=400), 400),
        ("dormancy", WALLET, 1000),
        ("dormancy", replace(WALLET, moved_us=NOON_US - 99 * DAY_US), 0),
        ("demurrage", WALLET, 20),
        ("demurrage", replace(WALLET, seasoned=449), 8),
        ("demurrage", replace(WALLET, received_us=None, moved_us=None), 20),
    ],
)
def test_a_thousand_under_these_rules(effect: Effect, wallet: Wallet, amount: int) -> None:
    assert taken(effect, "pegged", ALL, wallet, NOON_US) == amount


@given(effects, kinds, policies, wallets, instants, amounts)
def test_what_lapsed_before_lessens_what_lapses_now(
    effect: Effect, kind: CurrencyKind, lapse: Lapse, wallet: Wallet, at_us: int, amount: int
) -> None:
    gone = min(amount, wallet.remaining)
    for before in (True, False):
        after = wallet.less(gone, before=before)
        assert after.remaining == wallet.remaining - gone
        assert taken(effect, kind, lapse, after, at_us) <= min(
            after.remaining, taken(effect, kind, lapse, wallet, at_us)
        )


def test_only_what_is_above_the_free_amount_melts() -> None:
    assert taken("demurrage", "pegged", replace(ALL, demurrage_free=900), WALLET, NOON_US) == 2


def test_a_notice_that_comes_late_is_as_long_as_any_other() -> None:
    due = due_of("expiry", ALL, WALLET, NOON_US, PARIS)
    assert due is not None
    assert due.period == date(2026, 4, 10), "noon and 30 days is the 9th: its day turns on the 10th at 6:00"


def test_all_is_off_unless_the_policy_switches_it_on() -> None:
    assert lapses("gift", Lapse()) == ()
    assert lapses("gift", ALL) == EFFECTS
    assert lapses("pegged", ALL) == EFFECTS
    assert lapses("pegged", replace(ALL, legal_ground="")) == ()


def test_an_id_tells_apart_all_that_is_booked_apart() -> None:
    day = date(2026, 4, 10)
    ids = {
        notice_id(label, effect, owner, period)
        for label in ("RAF@1", "RAF@2")
        for effect in EFFECTS
        for owner in ("wallet:a", "wallet:b")
        for period in (day, date(2026, 4, 11))
    }
    assert len(ids) == 24
    assert notice_id("RAF@1", "expiry", "wallet:a", day) in ids
