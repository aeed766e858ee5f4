"""Currencies, their rules and their supply, for programs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.network import Network, problem

pytestmark = pytest.mark.anyio

PEAKSU = {
    "code": "PEAKSU",
    "kind": "time",
    "names": {"fr": "PeakSu Cadeau", "en": "PeakSu Gift"},
    "symbol": "h",
    "policy": {"issue": {"roles": ["venue_admin"], "per_day": 600}},
}


def shown(answer: Any, code: str) -> dict[str, Any]:
    return next(it for it in answer.json() if it["code"] == code)


async def test_currencies_are_listed_with_what_circulates_and_the_rules_that_hold(network: Network) -> None:
    await network.top_up("awa", 2_000)
    answer = await network.get("marie", "/currencies")
    raf = shown(answer, "RAF")
    assert (raf["kind"], raf["unit"], raf["cents_per_unit"], raf["circulating"]) == ("pegged", "cent", 1, 2_000)
    assert raf["policy"]["label"] == "RAF@0"
    assert shown(answer, "TEMPS")["circulating"] == 0


async def test_a_currency_is_defined_with_its_first_rules(network: Network) -> None:
    answer = await network.post("nadia", "/currencies", PEAKSU)
    assert answer.status_code == 201, answer.text
    assert answer.json()["policy"]["label"] == "PEAKSU@1"
    assert answer.json()["policy"]["policy"] == PEAKSU["policy"]
    assert shown(await network.get("nadia", "/currencies"), "PEAKSU")["unit"] == "minute"
    assert problem(await network.post("nadia", "/currencies", PEAKSU)) == (409, "currency-known")


async def test_a_venue_s_own_money_names_a_venue_that_is_there(network: Network) -> None:
    issuer = network.venues["canal"].owner
    answer = await network.post("nadia", "/currencies", {**PEAKSU, "issuer": issuer})
    assert answer.json()["issuer"] == issuer
    ghost = {**PEAKSU, "code": "GHOST", "issuer": "venue:00000000-0000-7000-8000-000000000000"}
    assert problem(await network.post("nadia", "/currencies", ghost)) == (422, "currency-invalid")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "EUR"}, "currency-invalid"),
        ({"cents_per_unit": 1}, "currency-invalid"),
        ({"policy": {"redeem": {"who": ["venues"]}}}, "policy-invalid"),
        ({"policy": {"limits": {"roof": 1}}}, "policy-invalid"),
        ({"policy": {"spending": {"venues": ["nowhere"]}}}, "policy-invalid"),
        ({"kind": "shell"}, "invalid"),
        ({"names": {"fr": "PeakSu"}}, "invalid"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_kept(
    network: Network, changes: dict[str, Any], code: str
) -> None:
    assert problem(await network.post("nadia", "/currencies", {**PEAKSU, **changes})) == (422, code)
    assert {it["code"] for it in (await network.get("nadia", "/currencies")).json()} == {"RAF", "TEMPS"}


async def test_rules_are_added_version_by_version(network: Network) -> None:
    body = {"policy": {"limits": {"ceiling": 25_000}}, "valid_from_us": 1_000}
    first = await network.post("nadia", "/currencies/RAF/policies", body)
    assert (first.status_code, first.json()["label"]) == (201, "RAF@1")
    again = await network.post("nadia", "/currencies/RAF/policies", body)
    assert again.json() == first.json()
    second = await network.post("nadia", "/currencies/RAF/policies", {"policy": {}})
    assert second.json()["label"] == "RAF@2"
    found = (await network.get("yann", "/currencies/RAF/policies")).json()
    assert [(it["version"], it["policy"].get("limits")) for it in found] == [
        (0, None),
        (1, {"ceiling": 25_000}),
        (2, None),
    ]
    early = {"policy": {"limits": {"ceiling": 1}}, "valid_from_us": 5}
    assert problem(await network.post("nadia", "/currencies/RAF/policies", early)) == (409, "policy-too-early")


async def test_what_is_wrong_with_rules_is_told_one_by_one(network: Network) -> None:
    body = {"policy": {"limits": {"floor": -5}, "lapse": {"expires_after_days": 90}}}
    answer = await network.post("nadia", "/currencies/RAF/policies", body)
    assert problem(answer) == (422, "policy-invalid")
    assert [it["field"] for it in answer.json()["problems"]] == ["limits.floor", "lapse.legal_ground"]


async def test_a_currency_that_is_not_there_is_not_found(network: Network) -> None:
    for path in ("policies", "supply"):
        assert problem(await network.get("nadia", f"/currencies/GHOST/{path}")) == (404, "not-found")
    assert problem(await network.post("nadia", "/currencies/GHOST/policies", {"policy": {}})) == (404, "not-found")


async def test_the_supply_is_told_day_by_day_up_to_now(network: Network) -> None:
    await network.top_up("awa", 2_000)
    bar = await network.terminal("raffinerie")
    await bar.sell("awa", {"Demi": 1})
    month = (await network.get("marie", "/currencies/RAF/supply")).json()
    assert len(month) == 31
    assert month[0]["amount"] == 0
    assert month[-1]["amount"] == 2_000, "what a venue has taken still circulates"
    year = (await network.get("marie", "/currencies/RAF/supply?days=365")).json()
    assert len(year) <= 63
    assert (year[-1], [it["day"] for it in year]) == (month[-1], sorted({it["day"] for it in year}))


async def test_who_defines_money_is_written_down(network: Network) -> None:
    await network.post("nadia", "/currencies", PEAKSU)
    await network.post("nadia", "/currencies/PEAKSU/policies", {"policy": {}})
    async with network.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT action, subject FROM audit ORDER BY at_us, id")).all()
    kept = [tuple(row) for row in rows if row[0].startswith("currency.")]
    assert kept == [("currency.define", "currency:PEAKSU"), ("currency.policy", "currency:PEAKSU")]
