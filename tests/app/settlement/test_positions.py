"""Who owes whom: what each venue took, what it owes for cash, and the difference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.network import Network

pytestmark = pytest.mark.anyio


async def positions(network: Network, login: str = "nadia") -> dict[str, dict[str, Any]]:
    shown = (await network.get(login, "/positions")).json()
    return {it["slug"]: {k: it[k] for k in ("claims", "due_cents", "redeemable_cents", "net_cents")} for it in shown}


async def test_before_anything_happened_nobody_owes_anything(network: Network) -> None:
    nothing = {"claims": {"RAF": 0, "TEMPS": 0}, "due_cents": 0, "redeemable_cents": 0, "net_cents": 0}
    assert await positions(network) == {"raffinerie": nothing, "canal": nothing}


async def test_an_evening_in_two_venues(network: Network) -> None:
    await network.top_up("awa", 2000, "canal")
    await network.shift("awa", 60)
    bar, till = await network.terminal("raffinerie"), await network.terminal("canal")
    await bar.sell("awa", {"Demi": 2})
    await bar.sell("awa", {"Demi": 1}, pay="TEMPS")
    await till.sell("awa", {"Café": 1})
    await till.deliver(till.sale_row("basile", {"Tarte": 1}))
    assert await positions(network) == {
        "raffinerie": {
            "claims": {"RAF": 700, "TEMPS": 30},
            "due_cents": 0,
            "redeemable_cents": 700,
            "net_cents": 700,
        },
        "canal": {"claims": {"RAF": 500, "TEMPS": 0}, "due_cents": 2000, "redeemable_cents": 500, "net_cents": -1500},
    }


async def test_each_sees_those_of_their_venues(network: Network) -> None:
    assert set(await positions(network, "marie")) == {"raffinerie"}
    assert set(await positions(network, "yann")) == {"canal"}
