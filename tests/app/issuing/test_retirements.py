"""Retiring what was spent: hours and points become nothing, gifts what the rules say."""

from __future__ import annotations

import asyncio

import httpx

from app.rules.policy import Policy
from tests.support.network import GIFT, POINTS, Network, both, problem


async def retire(network: Network, code: str, amount: int, login: str = "nadia") -> httpx.Response:
    path = f"/venues/{network.venues['raffinerie'].id}/retirements"
    return await network.post(login, path, {"currency": code, "amount": amount, "reason": "Clôture"})


async def balance(network: Network, kind: str, code: str = "EUR") -> int:
    rows = await network.ledger.balances(kinds=[kind])
    return sum(row.balance for row in rows if row.key.book.currency == code)


async def spent(network: Network, code: str) -> None:
    """Two half-pints at the raffinerie, 200 minor units each in gifts and points, 30 minutes in hours."""
    bar = await network.terminal("raffinerie")
    answer = await bar.sell("awa", {"Demi": 2}, pay=code)
    assert answer.status_code == 201, answer.text


@both
async def test_hours_that_were_spent_leave_circulation(network: Network) -> None:
    await network.shift("awa", 180)
    await spent(network, "TEMPS")
    answer = await retire(network, "TEMPS", 60)
    assert (answer.status_code, answer.json()["left"]) == (201, 0)
    assert (await balance(network, "issuance", "TEMPS"), await network.claims("raffinerie")) == (120, {})
    assert await balance(network, "payable") == 0, "never in euros"


async def test_more_than_was_taken_is_not_retired_not_even_by_two_at_once(network: Network) -> None:
    await network.shift("awa", 180)
    await spent(network, "TEMPS")
    assert problem(await retire(network, "TEMPS", 61)) == (409, "over-claim")
    answers = await asyncio.gather(retire(network, "TEMPS", 60), retire(network, "TEMPS", 60))
    assert sorted(it.status_code for it in answers) == [201, 409]
    assert await network.claims("raffinerie") == {}


@both
async def test_gifts_funded_by_nobody_were_a_discount(rich: Network) -> None:
    await rich.price("raffinerie", "Demi", "GIFT", 200)
    await rich.issue("awa", GIFT, 500)
    await spent(rich, "GIFT")
    assert (await retire(rich, "GIFT", 400)).status_code == 201
    assert await balance(rich, "issuance", "GIFT") == 100
    assert (await balance(rich, "promotion"), await balance(rich, "payable")) == (0, 0)


@both
async def test_gifts_funded_by_the_issuer_are_owed_to_the_venue(rich: Network) -> None:
    await rich.price("raffinerie", "Demi", "GIFT", 200)
    await rich.issue("awa", GIFT, 500)
    await spent(rich, "GIFT")
    await rich.rules(GIFT, Policy(funding="issuer"))
    assert (await retire(rich, "GIFT", 400)).status_code == 201
    assert (await balance(rich, "promotion"), await balance(rich, "payable")) == (400, 400)


async def test_points_too_and_nothing_that_is_redeemed(rich: Network) -> None:
    await rich.price("raffinerie", "Demi", "PTS", 2)
    await rich.issue("awa", POINTS, 10)
    await spent(rich, "PTS")
    assert (await retire(rich, "PTS", 4)).status_code == 201
    assert (await balance(rich, "issuance", "PTS"), await balance(rich, "payable")) == (6, 0)
    assert problem(await retire(rich, "RAF", 1)) == (422, "currency-not-accepted")
    assert problem(await retire(rich, "BAR", 1)) == (422, "currency-not-accepted")
    assert problem(await retire(rich, "PTS", 1, "marie")) == (403, "forbidden")
