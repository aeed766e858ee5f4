"""Policies that cannot hold are refused, with the reason."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.policy import (
    Bonus,
    CurrencyKind,
    Fee,
    Growth,
    Issue,
    Lapse,
    Limits,
    Policy,
    Redeem,
    Spending,
    Transfer,
)
from app.rules.policy_check import problems

KINDS: tuple[CurrencyKind, ...] = get_args(CurrencyKind)
FIVE_PERCENT = Fee(basis_points=500, payer="venue")


def codes(kind: CurrencyKind, policy: Policy, **known: tuple[str, ...]) -> set[str]:
    return {it.code for it in problems(kind, policy, known_venues=known.get("venues"))}


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_that_says_nothing_holds_for_every_kind(kind: CurrencyKind) -> None:
    assert problems(kind, Policy()) == []


@pytest.mark.parametrize(
    ("kind", "policy"),
    [
        # 1 Rafftou = 1 €: venues redeem at 5 %, and purchases are rounded up for an association.
        (
            "pegged",
            Policy(
                issue=Issue(("cashier",), per_day=300_00, per_operation=250_00),
                limits=Limits(ceiling=250_00, per_payment=150_00, per_day=200_00),
                spending=Spending(round_up="sos-mediterranee"),
                redeem=Redeem(("venues",), FIVE_PERCENT, "monthly"),
                transfer=Transfer(True, 50_00, 100_00),
            ),
        ),
        ("time", Policy(issue=Issue(("venue_admin",), per_day=480), spending=Spending(venues=("raffinerie",)))),
        ("gift", Policy(funding="issuer", redeem=Redeem(("venues",)), lapse=Lapse(expires_after_days=365))),
        ("points", Policy(issue=Issue(("venue_admin",)))),
        # France Barter: 5 % commission, a credit limit that grows.
        (
            "mutual",
            Policy(
                limits=Limits(floor=-500_00, ceiling=2_000_00, per_payment=2_500_00),
                commission=Fee(basis_points=500, payer="buyer", in_euros=True),
                growth=Growth(1000, 30, 2_000_00),
            ),
        ),
        (
            "pegged",
            Policy(lapse=Lapse(demurrage_basis_points=200, grace_days=90, legal_ground="Terms of 2026, article 7")),
        ),
    ],
)
def test_the_networks_of_the_founding_documents_hold(kind: CurrencyKind, policy: Policy) -> None:
    assert problems(kind, policy, known_venues=("raffinerie",)) == []


@pytest.mark.parametrize(
    ("kind", "policy", "code"),
    [
        ("pegged", Policy(limits=Limits(per_day=-1)), "negative"),
        ("pegged", Policy(issue=Issue(per_day=-1)), "negative"),
        ("pegged", Policy(transfer=Transfer(True, per_day=-1)), "negative"),
        ("pegged", Policy(redeem=Redeem(("venues",), Fee(-1, payer="venue"))), "negative"),
        ("pegged", Policy(commission=Fee(maximum=-1)), "negative"),
        ("gift", Policy(lapse=Lapse(expires_after_days=90, notice_days=-1)), "negative"),
        ("pegged", Policy(commission=Fee(10_001)), "above-everything"),
        ("time", Policy(lapse=Lapse(demurrage_basis_points=10_001)), "above-everything"),
        ("time", Policy(lapse=Lapse(expires_after_days=0)), "no-period"),
        ("time", Policy(lapse=Lapse(dormant_after_days=0)), "no-period"),
        ("time", Policy(lapse=Lapse(demurrage_every_days=0)), "no-period"),
        ("mutual", Policy(growth=Growth(100, 0)), "no-period"),
        ("mutual", Policy(limits=Limits(floor=1)), "floor-above-zero"),
        ("mutual", Policy(limits=Limits(floor=-10, ceiling=-11)), "ceiling-below-floor"),
        ("pegged", Policy(limits=Limits(per_payment=11, per_day=10)), "bound-above-next"),
        ("pegged", Policy(limits=Limits(per_payment=11, per_month=10)), "bound-above-next"),
        ("pegged", Policy(issue=Issue(per_day=10, per_operation=11)), "bound-above-next"),
        ("pegged", Policy(transfer=Transfer(True, 11, 10)), "bound-above-next"),
        ("pegged", Policy(limits=Limits(ceiling=10, per_payment=11)), "payment-above-ceiling"),
        ("pegged", Policy(limits=Limits(ceiling=10), issue=Issue(per_operation=11)), "issue-above-ceiling"),
        ("pegged", Policy(transfer=Transfer(False, per_day=10)), "transfer-not-allowed"),
        ("pegged", Policy(commission=Fee(1, 11, 10)), "minimum-above-maximum"),
        ("pegged", Policy(redeem=Redeem(fee=FIVE_PERCENT)), "fee-for-nothing"),
        ("pegged", Policy(redeem=Redeem(("venues",), Fee(500))), "wrong-payer"),
        ("mutual", Policy(commission=FIVE_PERCENT), "wrong-payer"),
        ("pegged", Policy(spending=Spending(venues=("nowhere",))), "unknown-venue"),
        ("pegged", Policy(spending=Spending(categories=("",))), "empty-category"),
        ("time", Policy(spending=Spending(round_up="asso")), "round-up-without-euros"),
        ("gift", Policy(spending=Spending(round_up="asso")), "round-up-without-euros"),
        ("pegged", Policy(spending=Spending(round_up=" ")), "round-up-for-nobody"),
        ("pegged", Policy(limits=Limits(floor=-1)), "floor-outside-mutual"),
        ("gift", Policy(bonus=Bonus("GIFT", 5000, 500)), "bonus-outside-pegged"),
        ("pegged", Policy(bonus=Bonus("", 5000, 500)), "bonus-in-nothing"),
        ("pegged", Policy(bonus=Bonus("GIFT", 0, 500)), "bonus-incomplete"),
        ("pegged", Policy(bonus=Bonus("GIFT", 5000)), "bonus-incomplete"),
        ("pegged", Policy(bonus=Bonus("GIFT", 5000, -1)), "negative"),
        ("time", Policy(growth=Growth(1)), "growth-outside-mutual"),
        ("time", Policy(growth=Growth(maximum=1)), "growth-outside-mutual"),
        ("mutual", Policy(issue=Issue(("cashier",))), "issue-in-mutual"),
        ("mutual", Policy(issue=Issue(per_day=1)), "issue-in-mutual"),
        ("mutual", Policy(limits=Limits(floor=-10), growth=Growth(1, maximum=9)), "growth-below-start"),
        ("pegged", Policy(funding="issuer"), "funding-outside-gift"),
        ("time", Policy(redeem=Redeem(("venues",))), "not-convertible"),
        ("points", Policy(redeem=Redeem(("holders",))), "not-convertible"),
        ("mutual", Policy(redeem=Redeem(("venues",))), "not-convertible"),
        ("time", Policy(commission=Fee(1, in_euros=True)), "fee-in-euros"),
        ("points", Policy(commission=Fee(minimum=1, in_euros=True)), "fee-in-euros"),
        ("gift", Policy(redeem=Redeem(("holders",)), funding="issuer"), "gift-refunded"),
        ("gift", Policy(redeem=Redeem(("venues",))), "gift-without-funds"),
        ("pegged", Policy(lapse=Lapse(expires_after_days=365)), "no-legal-ground"),
        ("pegged", Policy(lapse=Lapse(dormant_after_days=365, legal_ground=" ")), "no-legal-ground"),
        ("pegged", Policy(lapse=Lapse(demurrage_basis_points=1)), "no-legal-ground"),
        ("mutual", Policy(lapse=Lapse(dormant_after_days=365, beneficiary="network")), "mutual-lapse"),
        ("gift", Policy(lapse=Lapse(expires_after_days=365, notice_days=0)), "no-notice"),
        ("gift", Policy(lapse=Lapse(expires_after_days=30, notice_days=30)), "notice-too-long"),
        ("gift", Policy(lapse=Lapse(demurrage_basis_points=1, demurrage_every_days=7)), "notice-too-long"),
    ],
)
def test_a_contradiction_is_named(kind: CurrencyKind, policy: Policy, code: str) -> None:
    assert code in codes(kind, policy, venues=("raffinerie",))


def test_only_the_commission_in_the_currency_itself_is_borne_by_time() -> None:
    assert codes("time", Policy(commission=Fee(500))) == set()


def test_venues_go_unchecked_where_nobody_knows_them() -> None:
    assert codes("pegged", Policy(spending=Spending(venues=("nowhere",)))) == set()


def test_no_notice_is_needed_where_nothing_lapses() -> None:
    assert codes("pegged", Policy(lapse=Lapse(notice_days=0))) == set()


small = st.integers(-2, 40)
policies = st.builds(
    Policy,
    issue=st.builds(Issue, st.sampled_from([(), ("cashier",)]), st.none() | small, st.none() | small),
    limits=st.builds(Limits, small, *[st.none() | small] * 5),
    redeem=st.builds(Redeem, st.sampled_from([(), ("venues",), ("holders",)]), st.builds(Fee, small, small)),
    commission=st.builds(Fee, small, small, st.none() | small, in_euros=st.booleans()),
    lapse=st.builds(Lapse, st.none() | small, st.none() | small, small, small, small, small),
    growth=st.builds(Growth, small, small, st.none() | small),
    funding=st.sampled_from(["nobody", "issuer"]),
)


@given(st.sampled_from(KINDS), policies)
def test_every_problem_names_a_member_of_the_policy_in_a_sentence(kind: CurrencyKind, policy: Policy) -> None:
    for problem in problems(kind, policy):
        part: object = policy
        for name in problem.field.split("."):
            assert is_dataclass(part)
            assert name in {it.name for it in fields(part)}
            part = getattr(part, name)
        assert problem.text.endswith(".")


@given(st.sampled_from(["time", "points", "mutual", "gift"]), policies)
def test_what_passes_never_pays_euros_to_a_holder(kind: CurrencyKind, policy: Policy) -> None:
    redeemable = replace(policy, redeem=Redeem(("venues", "holders")))
    assert problems(kind, redeemable)


@given(policies)
def test_what_passes_never_takes_pegged_money_without_a_legal_ground(policy: Policy) -> None:
    assert problems("pegged", policy) or not (
        policy.lapse.expires_after_days or policy.lapse.dormant_after_days or policy.lapse.demurrage_basis_points
    )
