"""Rules as a form: what is shown is read back as it was."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.currencies.policies import defaults
from app.currencies.policy_text import read_policy
from app.currencies.service import UNITS, Currency
from app.moneys.form import TOPICS, asked, filled, understood
from app.moneys.problems import SAID
from app.rules import policy_check
from app.rules.policy import CurrencyKind, Fee, Growth, Issue, Lapse, Limits, Policy, Redeem, Spending, Transfer
from app.web.i18n import texts_in

KINDS: tuple[CurrencyKind, ...] = get_args(CurrencyKind)
amounts = st.none() | st.integers(0, 10**9)
rates = st.integers(0, 10_000)
days = st.integers(1, 99_999)
fees = st.builds(
    Fee,
    basis_points=rates,
    minimum=st.integers(0, 10**6),
    maximum=amounts,
    payer=st.sampled_from(["buyer", "seller"]),
    in_euros=st.booleans(),
)
names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=","), min_size=1)
policies = st.builds(
    Policy,
    issue=st.builds(
        Issue, st.lists(st.sampled_from(["cashier", "venue_admin"]), unique=True).map(tuple), amounts, amounts
    ),
    limits=st.builds(Limits, st.integers(-(10**6), 0), amounts, amounts, amounts, amounts, amounts),
    spending=st.builds(
        Spending,
        st.lists(names).map(tuple),
        st.lists(names, unique=True).map(tuple),
        st.none() | st.integers(0, 999),
        st.none() | names,
    ),
    redeem=st.builds(Redeem, st.sampled_from([(), ("venues",), ("venues", "holders")]), fees, st.just("weekly")),
    transfer=st.builds(Transfer, st.booleans(), amounts, amounts),
    commission=fees,
    lapse=st.builds(
        Lapse, st.none() | days, st.none() | days, rates, days, st.integers(0, 10**6), st.integers(0, 999),
        st.sampled_from(["fund", "network"]), st.integers(0, 999), names | st.just(""),
    ),
    growth=st.builds(Growth, rates, days, amounts),
    funding=st.sampled_from(["nobody", "issuer"]),
    notes=st.fixed_dictionaries({}, optional={"fr": names, "en": names}),
)  # fmt: skip


def money(kind: CurrencyKind) -> Currency:
    return Currency("KDO", "network", kind, UNITS[kind], "Cadeau", "Gift", "KDO", 1 if kind == "pegged" else None)


@given(st.sampled_from(KINDS), policies, st.sampled_from(["fr", "en"]))
def test_what_is_shown_is_read_back_as_it_was(kind: CurrencyKind, policy: Policy, language: str) -> None:
    of, texts = money(kind), texts_in(language)  # type: ignore[arg-type]
    plain, wrong = understood(of, policy, filled(of, policy, language), texts)
    assert wrong == {}
    assert read_policy(plain) == policy


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_left_as_it_was_given_says_what_is_usual(kind: CurrencyKind) -> None:
    of = money(kind)
    plain, wrong = understood(of, defaults(kind), filled(of, defaults(kind), "fr"), texts_in("fr"))
    assert (read_policy(plain), wrong) == (defaults(kind), {})


def test_amounts_are_typed_as_people_write_them() -> None:
    typed = {"limits.ceiling": ["250"], "limits.per_payment": [" 12,50 € "], "redeem.fee.basis_points": ["3,15 %"]}
    plain, wrong = understood(money("pegged"), Policy(), typed, texts_in("fr"))
    assert wrong == {}
    assert read_policy(plain).limits == Limits(ceiling=25_000, per_payment=1_250)
    assert plain["redeem"]["fee"]["basis_points"] == 315
    plain, _ = understood(money("time"), Policy(), {"issue.per_day": ["10 h"]}, texts_in("fr"))
    assert plain["issue"]["per_day"] == 600


@pytest.mark.parametrize(
    ("kind", "path", "typed", "told"),
    [
        ("pegged", "limits.ceiling", "beaucoup", "Write an amount such as 12.50."),
        ("time", "limits.ceiling", "1h90", "Write a time such as 3 h, 2 h 30 or 45 min."),
        ("points", "limits.ceiling", "1,5", "Write a whole number of points."),
        ("mutual", "commission.basis_points", "-5", "Write a rate such as 5 or 3.15."),
        ("mutual", "commission.basis_points", "3,155", "Write a rate such as 5 or 3.15."),
        ("gift", "lapse.expires_after_days", "trente", "Write a whole number."),
        ("gift", "lapse.expires_after_days", "900000", "Write a whole number."),
    ],
)
def test_what_is_not_understood_is_said_at_its_input(kind: CurrencyKind, path: str, typed: str, told: str) -> None:
    _, wrong = understood(money(kind), defaults(kind), {path: [typed]}, texts_in("en"))
    assert wrong == {path: told}


def test_what_is_not_asked_stays_as_it_was() -> None:
    before = replace(Policy(), growth=Growth(basis_points=100), notes={"fr": "Bonjour"})
    plain, _ = understood(money("gift"), before, {"notes.fr": [""], "notes.en": ["Hello"]}, texts_in("fr"))
    assert read_policy(plain).growth == before.growth
    assert read_policy(plain).notes == {"en": "Hello"}


def test_every_kind_is_asked_only_what_it_may_say() -> None:
    paths = {kind: {q.path for _, questions in asked(kind) for q in questions} for kind in KINDS}
    assert "redeem.who" in paths["pegged"]
    assert not any(it.startswith("redeem") for kind in ("time", "points", "mutual") for it in paths[kind])
    assert {kind for kind in KINDS if "limits.floor" in paths[kind]} == {"mutual"}
    assert {kind for kind in KINDS if "issue.roles" in paths[kind]} == set(KINDS) - {"mutual"}
    every = [q.path for topic in TOPICS for q in topic.questions]
    assert len(every) == len(set(every))


def test_every_problem_that_rules_may_have_has_its_sentence() -> None:
    codes = set(re.findall(r'Problem\(\s*"([a-z-]+)"', inspect.getsource(policy_check)))
    assert codes == set(SAID)
