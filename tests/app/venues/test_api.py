"""Venues for programs: who sees which, and prices that change."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.network import Network, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def set_price(
    network: Network,
    amount: object,
    login: str = "marie",
    currency: str = "RAF",
    *,
    venue: UUID | None = None,
    product: UUID | None = None,
) -> httpx.Response:
    venue = venue or network.venues["raffinerie"].id
    product = product or network.product("raffinerie", "Eau").id
    path = f"/api/v1/venues/{venue}/products/{product}/prices/{currency}"
    return await (await network.person(login)).put(path, json={"amount": amount})


async def price(network: Network, name: str = "Eau") -> dict[str, int]:
    (venue,) = (await network.get("marie", "/venues")).json()
    prices: dict[str, int] = next(it["prices"] for it in venue["products"] if it["names"]["fr"] == name)
    return prices


async def test_each_sees_the_venues_of_their_grants(network: Network) -> None:
    for login, slugs in (("nadia", ["raffinerie", "canal"]), ("lucas", ["raffinerie"]), ("yann", ["canal"])):
        assert [it["slug"] for it in (await network.get(login, "/venues")).json()] == slugs
    shown = (await network.get("lucas", "/venues")).json()[0]
    assert (shown["zone"], shown["cut_off"], shown["accepted"]) == ("Indian/Reunion", "06:00", ["RAF", "TEMPS"])


@both
async def test_a_new_price_counts_from_now_on(network: Network) -> None:
    await network.top_up("awa", 1000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Eau": 1})
    assert (await set_price(network, 120)).status_code == 204
    assert await price(network) == {"RAF": 120}
    assert problem(await bar.sell(sale)) == (409, "price-changed")
    assert (await bar.sell("awa", {"Eau": 1}, prices={"Eau": 120})).status_code == 201


async def test_a_product_gets_a_price_in_another_currency(network: Network) -> None:
    assert (await set_price(network, 10, currency="TEMPS")).status_code == 204
    assert await price(network) == {"RAF": 100, "TEMPS": 10}


@both
async def test_a_first_price_set_by_two_at_once_is_one_price(network: Network) -> None:
    await network.person("marie")
    answers = await asyncio.gather(*(set_price(network, amount, currency="TEMPS") for amount in (10, 20) * 5))
    assert {it.status_code for it in answers} == {204}
    assert (await price(network))["TEMPS"] in {10, 20}


class TestRefusals:
    async def test_what_makes_no_sense(self, network: Network) -> None:
        for amount in (-1, 10**9 + 1, 1.5, "100", True, None, 2**70):
            assert problem(await set_price(network, amount)) == (422, "invalid"), amount
        for currency, expected in (("GALETS", (422, "currency-not-accepted")), ("raf", (422, "invalid"))):
            assert problem(await set_price(network, 100, currency=currency)) == expected
        assert await price(network) == {"RAF": 100}

    async def test_a_currency_that_the_venue_does_not_accept(self, network: Network) -> None:
        where = {"venue": network.venues["canal"].id, "product": network.product("canal", "Café").id}
        assert problem(await set_price(network, 10, "yann", "TEMPS", **where)) == (422, "currency-not-accepted")

    async def test_what_is_not_there(self, network: Network) -> None:
        for where in (
            {"product": uuid4()},
            {"product": network.product("canal", "Café").id},
            {"venue": uuid4()},
        ):
            assert problem(await set_price(network, 100, "nadia", "RAF", **where)) == (404, "not-found"), where

    async def test_another_venue_s_prices_are_not_theirs_to_set(self, network: Network) -> None:
        assert problem(await set_price(network, 100, "yann")) == (403, "forbidden")
        assert await price(network) == {"RAF": 100}
