"""Holders give to each other where the currency's policy lets them; and round what they paid up for others."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.rules.ids import uuid7
from app.rules.policy import Limits, Policy, Transfer
from tests.app.mutual.conftest import Club
from tests.support.network import CARDS, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def give(club: Club, amount: int, code: str = "RAF", key: object = None, taker: str = "basile") -> httpx.Response:
    body = {"currency": code, "giver": CARDS["awa"], "taker": CARDS[taker], "amount": amount}
    return await club.ask("/transfers", body, key)


async def test_what_one_gives_the_other_has(club: Club) -> None:
    await club.network.top_up("awa", 5000)
    assert (await give(club, 1500)).status_code == 201
    assert (await club.has("awa", "RAF"), await club.has("basile", "RAF")) == (3500, 1500)
    key = uuid7()
    assert [(await give(club, 100, key=key)).status_code for _ in range(2)] == [201, 201]
    assert await club.has("basile", "RAF") == 1600, "asked for twice, given once"


async def test_what_the_other_owes_is_repaid_first(club: Club) -> None:
    bar = await club.network.terminal("raffinerie")
    await bar.deliver(bar.sale_row("basile", {"Demi": 2}))
    await club.network.top_up("awa", 5000)
    assert (await give(club, 1000)).status_code == 201
    assert await club.has("basile", "RAF") == 300
    assert ("RAF", "overdraft", "basile") not in await club.book("RAF")


async def test_where_the_policy_is_silent_nothing_is_passed_on(club: Club) -> None:
    await club.network.shift("awa", 120)
    assert problem(await give(club, 60, "TEMPS")) == (403, "transfer-not-allowed")
    assert problem(await give(club, 60, "BAR")) == (422, "currency-not-accepted"), "mutual credit is traded"


@both
async def test_a_day_has_its_bound_also_for_those_who_ask_at_once(club: Club) -> None:
    await club.network.top_up("awa", 9000)
    assert problem(await give(club, 2001)) == (409, "spending-limit")
    answers = await asyncio.gather(*(give(club, 2000, taker=to) for to in ("basile", "camille", "basile")))
    assert sorted(it.status_code for it in answers) == [201, 409, 409]
    assert (await give(club, 1000)).status_code == 201
    assert problem(await give(club, 1)) == (409, "spending-limit")


async def test_the_ceiling_is_the_taker_s(club: Club) -> None:
    await club.network.top_up("awa", 5000)
    await club.rules("RAF", Policy(limits=Limits(ceiling=2000), transfer=Transfer(True)))
    assert problem(await give(club, 2001)) == (409, "over-ceiling")
    assert (await give(club, 2000)).status_code == 201


async def test_nobody_gives_what_they_do_not_have_or_with_a_blocked_card(club: Club) -> None:
    assert problem(await give(club, 100)) == (402, "insufficient-funds")
    assert problem(await give(club, 100, taker="awa")) == (422, "invalid")
    await club.network.block("basile")
    assert problem(await give(club, 100)) == (403, "card-blocked")


@both
async def test_a_basket_is_rounded_up_for_the_association(club: Club) -> None:
    await club.network.top_up("awa", 2000)
    body = {"card": CARDS["awa"], "currency": "RAF", "basket": 1170}
    key = uuid7()
    for _ in range(2):
        answer = await club.ask("/round-ups", body, key)
        assert (answer.status_code, answer.json()) == (201, {"amount": 30})
    assert await club.has("awa", "RAF") == 1970
    given = (await club.network.get("nadia", "/funds")).json()
    assert given == [{"beneficiary": "Les Amis", "currency": "RAF", "balance": 30}]
    assert problem(await club.ask("/round-ups", {**body, "basket": 1200})) == (422, "invalid")


async def test_money_that_rounds_up_for_nobody_says_so(club: Club) -> None:
    await club.rules("RAF", Policy())
    body = {"card": CARDS["awa"], "currency": "RAF", "basket": 1170}
    assert problem(await club.ask("/round-ups", body)) == (422, "invalid")
