"""What a network's file says, and what is said about one that is wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from app.cli.apply.document import NetworkEntry
from app.cli.apply.reading import read_network_file
from app.cli.apply.text import BadNetworkFile
from app.cli.apply.writing import write_network_file
from tests.app.cli.conftest import EXAMPLE
from tests.app.cli.networks import networks

SMALL = """\
name: Essai
zone: Europe/Paris
currencies:
  RAF:
    kind: pegged
    names: {fr: Rafftou, en: Rafftou}
    symbol: €
    cents_per_unit: 1
    policy:
      redeem: {fee: {rate: 5 %}}
venues:
  canal:
    name: Café du Canal
    accepts: [RAF]
    products:
      Café: {en: Coffee, category: Chaud, prices: {RAF: "1,60"}}
"""


@given(networks())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
def test_what_is_written_reads_back_as_the_same_network(network: NetworkEntry) -> None:
    text = write_network_file(network)
    found = read_network_file(text)
    assert found == network
    # Mappings are equal whatever their order, and here order is what people see.
    assert write_network_file(found) == text


def test_the_example_reads_back() -> None:
    found = read_network_file(EXAMPLE.read_text(encoding="utf-8"))
    assert read_network_file(write_network_file(found)) == found
    assert [it.kind for it in found.currencies.values()] == ["pegged", "time", "gift", "points", "mutual"]


def test_the_three_fee_tiers_stand_literally() -> None:
    tiers = read_network_file(EXAMPLE.read_text(encoding="utf-8")).settings.fee_tiers
    assert [(it.basis_points, it.minimum_cents, it.maximum_cents, it.set_up_cents) for it in tiers.values()] == [
        (350, 75_000, 500_000, 150_000),
        (315, 67_500, 450_000, 150_000),
        (250, 52_500, 350_000, 80_000),
    ]


def test_the_membership_is_235_euros_of_which_100_are_shares() -> None:
    found = read_network_file(EXAMPLE.read_text(encoding="utf-8")).memberships["barter"]
    assert (found.price_cents, found.shares_cents, found.days) == (23_500, 10_000, 365)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("name: Essai", "nom: Essai", "line 1: nom: there is no such setting"),
        ("name: Essai\n", "", "line 1: name: is missing"),
        ("Europe/Paris", "Europe/Pari", "line 2: zone: there is no time zone 'Europe/Pari'"),
        ("kind: pegged", "kind: peged", "line 5: currencies.RAF.kind: Input should be 'pegged', 'time'"),
        ("    cents_per_unit: 1\n", "", "line 4: currencies.RAF.cents_per_unit: is missing"),
        ("cents_per_unit: 1", "cents_per_unit: 1.5", "line 8: currencies.RAF.cents_per_unit: '1.5' is not a whole"),
        ("rate: 5 %", "rate: 5", "line 10: currencies.RAF.policy.redeem.fee.rate: '5' is not a rate"),
        ("rate: 5 %", "rate: 500 %", "line 10: currencies.RAF.policy.redeem.fee"),
        ("fee: {rate", "fe: {rate", "line 10: currencies.RAF.policy.redeem.fe: there is no such rule; there are who"),
        ("redeem: {fee: {rate: 5 %}}", "lapse: {expires_after_days: 9}", "line 10: currencies.RAF.policy.lapse"),
        ("redeem: {fee: {rate: 5 %}}", "issue: {roles: [chief]}", "no role 'chief' issues"),
        ("redeem: {fee: {rate: 5 %}}", "spending: {venues: [grange]}", "line 10: currencies.RAF.policy.spending"),
        ("RAF:\n", "raf:\n", "line 4: currencies.raf: 'raf' cannot be written here"),
        ("accepts: [RAF]", "accepts: [RAF, TEMPS]", "line 14: venues.canal.accepts.1: there is no currency TEMPS"),
        ("accepts: [RAF]", "accepts: []", "prices.RAF: Café du Canal does not accept RAF; it accepts none"),
        ('"1,60"', '"1,6x"', "line 16: venues.canal.products.Café.prices.RAF: '1,6x' is not an amount; write one like"),
        ('RAF: "1,60"', 'GIFT: "1"', "line 16: venues.canal.products.Café.prices.GIFT: there is no currency GIFT"),
        ("  canal:", "  Le Canal:", "line 12: venues.Le Canal: 'Le Canal' cannot be written here"),
        ("symbol: €", "symbol: € €", "line 7: currencies.RAF.symbol"),
        (
            "name: Café du Canal",
            "fee_tier: Big\n    name: C",
            "line 13: venues.canal.fee_tier: there is no fee tier",
        ),
        (
            "zone:",
            "people: {lu: {name: Lu, roles: [cashier]}}\nzone:",
            "people.lu.roles.0: at which venue?",
        ),
        ("zone:", "people: {lu: {name: Lu, roles: [cashier@x]}}\nzone:", "there is no venue 'x'; there are canal"),
        ("zone:", "people: {lu: {name: Lu, roles: [network_admin@canal]}}\nzone:", "write 'network_admin' alone"),
        (
            "zone:",
            'settings: {topup_min: "300,00"}\nzone:',
            "line 2: settings.topup_min: the smallest top-up",
        ),
        ("zone:", "settings: {snapshot_stop: 1}\nzone:", "line 2: settings.snapshot_stop: '1' is not a duration"),
        ("zone:", "settings: {snapshot_old: go on}\nzone:", "line 2: settings.snapshot_old: 'go on' is neither 'stop'"),
        ("zone:", "settings: {pin_only: maybe}\nzone:", "line 2: settings.pin_only: 'maybe' is neither yes nor no"),
        ("zone:", "settings: {snapshot_warn: 13 h}\nzone:", "settings.snapshot_warn: a terminal would stop before"),
        (
            "zone:",
            "settings: {lowered_limits: 0 %}\nzone:",
            "settings.lowered_limits: lower limits are from 1 to 99 per cent",
        ),
        ("zone:", "settings: {refund_wait: 1 s}\nzone:", "settings.refund_wait: a refund would wait for no terminal"),
        (
            "zone:",
            "settings: {offline: {RAF: {on_cards: many}}}\nzone:",
            "settings.offline.RAF.on_cards: 'many' is not",
        ),
        (
            "zone:",
            'memberships: {m: {names: {fr: M, en: M}, price: "1,00", shares: "2,00"}}\nzone:',
            "line 2: memberships.m.shares: the shares cost more",
        ),
        (
            "zone:",
            'fee_tiers: {m: {rate: 1 %, minimum: "2,00", maximum: "1,00", set_up: "0,00"}}\nzone:',
            "line 2: fee_tiers.m.maximum: the most is less than the least",
        ),
        (
            "      Café:",
            "      Café: {en: A, category: B}\n      Café:",
            "line 17: venues.canal.products.Café: stands",
        ),
        ("symbol: €", "symbol: [€", "line 8: "),
        ("symbol: €", "symbol: {€: 1}", "line 7: currencies.RAF.symbol: holds one value"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_its_name(was: str, now: str, said: str) -> None:
    assert was in SMALL
    with pytest.raises(BadNetworkFile, match=re.escape(said)):
        read_network_file(SMALL.replace(was, now, 1))


@pytest.mark.parametrize("text", ["", "# nothing\n", "[a]", "a", "--- a\n--- b\n", "a: \x00"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(BadNetworkFile, match=r"line [12]"):
        read_network_file(text)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = SMALL.replace("rate: 5 %", "rate: much").replace('"1,60"', "cheap")
    with pytest.raises(BadNetworkFile) as raised:
        read_network_file(wrong)
    assert [it.line for it in raised.value.problems] == [10, 16]


def test_rules_that_contradict_each_other_are_refused_with_the_reason() -> None:
    wrong = SMALL.replace("redeem: {fee: {rate: 5 %}}", 'limits: {ceiling: "10,00", per_payment: "20,00"}')
    with pytest.raises(BadNetworkFile, match=r"line 10: currencies\.RAF\.policy\.limits\.per_payment"):
        read_network_file(wrong)


def test_nothing_is_guessed_from_how_a_value_looks() -> None:
    network = read_network_file(SMALL.replace('"1,60"', "1.60").replace("Café du Canal", "no"))
    assert network.venues["canal"].products["Café"].prices == {"RAF": 160}
    assert network.venues["canal"].name == "no"
