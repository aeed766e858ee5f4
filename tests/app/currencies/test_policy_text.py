"""Policies as plain data, there and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.currencies.policy_text import PolicyNotUnderstood, read_policy, write_policy
from app.rules.policy import Fee, Issue, Lapse, Limits, Policy, Redeem, Spending

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)
some_policy = st.builds(
    Policy,
    issue=st.builds(Issue, roles=st.lists(texts).map(tuple)),
    spending=st.builds(Spending, venues=st.lists(texts).map(tuple), categories=st.lists(texts).map(tuple)),
    lapse=st.builds(Lapse, legal_ground=texts),
    notes=st.dictionaries(st.sampled_from(["fr", "en"]), texts),
)


@given(some_policy)
def test_what_is_written_is_read_back_through_json(policy: Policy) -> None:
    assert read_policy(json.loads(json.dumps(write_policy(policy)))) == policy


@given(some_policy)
def test_what_is_written_is_read_back_through_yaml(policy: Policy) -> None:
    assert read_policy(yaml.safe_load(yaml.safe_dump(write_policy(policy), allow_unicode=True))) == policy


def test_what_is_usual_is_left_out() -> None:
    assert write_policy(Policy()) == {}
    policy = Policy(limits=Limits(ceiling=20_000), notes={"fr": "À dépenser avant l’été."})
    assert write_policy(policy) == {"limits": {"ceiling": 20_000}, "notes": {"fr": "À dépenser avant l’été."}}


def test_a_redemption_fee_is_paid_by_the_venue_unless_it_says_otherwise() -> None:
    policy = read_policy({"redeem": {"who": ["venues"], "fee": {"basis_points": 500}}})
    assert policy == Policy(redeem=Redeem(who=("venues",), fee=Fee(basis_points=500, payer="venue")))
    assert read_policy({"redeem": {"fee": {"payer": "holder"}}}).redeem.fee.payer == "holder"


def test_lists_are_read_as_they_stand() -> None:
    data = {"spending": {"venues": ["raffinerie"], "categories": ["Bières"]}, "lapse": {"legal_ground": "art. 3"}}
    expected = Policy(spending=Spending(("raffinerie",), ("Bières",)), lapse=replace(Lapse(), legal_ground="art. 3"))
    assert read_policy(data) == expected


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"limit": {}}, "knows no limit"),
        ({"limits": {"roof": 5}}, "limits knows no roof"),
        ({"redeem": {"fee": {"rate": 5}}}, "redeem.fee knows no rate"),
        ({"limits": {"ceiling": "200"}}, "limits.ceiling"),
        ({"limits": {"ceiling": True}}, "limits.ceiling"),
        ({"limits": {"ceiling": 1.5}}, "limits.ceiling"),
        ({"limits": None}, "limits is a mapping"),
        ({"funding": "everybody"}, "funding"),
        ({"spending": {"venues": "raffinerie"}}, "spending.venues"),
        ([], "a policy is a mapping"),
    ],
)
def test_what_is_no_policy_is_refused_and_named(data: object, told: str) -> None:
    with pytest.raises(PolicyNotUnderstood, match=told):
        read_policy(data)  # type: ignore[arg-type]
