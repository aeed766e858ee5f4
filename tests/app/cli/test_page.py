"""docs/currencies.md names every rule, setting and kind that a file may have, and no other."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec

from app.cli.apply.forms import FeeTierForm, MembershipForm, NetworkForm, OfflineForm, SettingsForm, VenueForm
from app.cli.apply.policy_words import all_names
from app.rules.policy import CurrencyKind, Fee, Policy
from tests.app.cli.conftest import EXAMPLE

PAGE = (EXAMPLE.parents[1] / "currencies.md").read_text(encoding="utf-8")


def rules_named() -> set[str]:
    table = PAGE[PAGE.index("| rule | what it says |") : PAGE.index("A fee has a")]
    rows = [row.split("|")[1] for row in table.splitlines()[2:] if row.startswith("|")]
    return {name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)}


def test_every_rule_is_described_and_no_other() -> None:
    fees: dict[str, Any] = {"redeem.fee": Fee(), "commission": Fee()}
    rules = {name for name in all_names(Policy()) if not any(name.startswith(f"{fee}.") for fee in fees)}
    assert rules_named() == rules | set(fees)


def test_every_part_of_a_fee_is_described() -> None:
    fee = PAGE[PAGE.index("A fee has a") :]
    assert [name for name in all_names(Fee()) if f"`{name}`" not in fee] == []


def test_every_kind_and_every_name_of_the_file_is_described() -> None:
    named = set(re.findall(r"`([A-Za-z_]+)`", PAGE)) | set(re.findall(r"`([a-z_]+)`", PAGE))
    forms = (NetworkForm, SettingsForm, OfflineForm, FeeTierForm, MembershipForm, VenueForm)
    wanted = {name for form in forms for name in form.model_fields} | set(get_args(CurrencyKind))
    # What the file is called by at its top, and what everybody knows how to write.
    assert wanted - named - {"zone", "name", "names", "currencies"} == set()


def test_the_words_of_rules_are_members_of_policies() -> None:
    assert {name.partition(".")[0] for name in all_names(Policy())} == set(msgspec.to_builtins(Policy()))
