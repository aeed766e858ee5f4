"""An open page hears of what moves on its card, and of nothing else."""

from __future__ import annotations

import asyncio

import pytest

from app.cards.moving import WATCHERS_MAX, Moves
from app.platform.errors import TooManyRequests
from tests.support.network import Network

pytestmark = pytest.mark.anyio

SOON_S = 10.0


def moves_of(network: Network) -> Moves:
    moves: Moves = network.app.state.moves
    return moves


async def test_what_moves_on_a_wallet_is_told_to_who_watches_it(network: Network) -> None:
    awa = moves_of(network).watch(network.cards["awa"].owner)
    basile = moves_of(network).watch(network.cards["basile"].owner, alive_s=0.05)
    assert (await anext(awa)).startswith("retry:")
    assert (await anext(basile)).startswith("retry:")
    async with asyncio.timeout(SOON_S):
        waiting = asyncio.ensure_future(anext(awa))
        await network.top_up("awa", 1000)
        assert await waiting == "event: moved\ndata:\n\n"
        assert await anext(basile) == ": alive\n\n"
        bar = await network.terminal("raffinerie")
        await bar.sell("awa", {"Demi": 1})
        assert await anext(awa) == "event: moved\ndata:\n\n"
    await awa.aclose()
    await basile.aclose()


async def test_one_wallet_does_not_use_up_all_connections(network: Network) -> None:
    owner, moves = network.cards["awa"].owner, moves_of(network)
    open_ = [moves.watch(owner) for _ in range(WATCHERS_MAX)]
    for it in open_:
        await anext(it)
    with pytest.raises(TooManyRequests):
        moves.watch(owner)
    await open_[0].aclose()
    moves.watch(owner)


async def test_a_stream_ends_and_the_browser_comes_back(network: Network) -> None:
    told = [it async for it in moves_of(network).watch(network.cards["awa"].owner, alive_s=0.01, lives_s=0.03)]
    assert told[0].startswith("retry:")
    assert set(told[1:]) == {": alive\n\n"}


async def test_who_has_only_an_address_that_is_kept_back_hears_nothing(network: Network) -> None:
    answer = await network.client.get("/c/nobody/moves")
    assert answer.status_code == 404
