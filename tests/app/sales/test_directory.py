"""What a process remembers about cards, prices and terminals never outlives the truth."""

from __future__ import annotations

import asyncio

import pytest

from app.terminals.service import quarantine, revoke
from app.venues.service import set_price
from tests.support.network import Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
async def bar(network: Network) -> Terminal:
    """A terminal whose desk and whose first card the process has looked up already."""
    for card in ("awa", "basile"):
        await network.top_up(card, 1000)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    return bar


@both
@pytest.mark.parametrize("card", ["awa", "basile"], ids=["known card", "card not looked up yet"])
class TestAfterAChange:
    async def test_an_old_price_is_refused(self, network: Network, bar: Terminal, card: str) -> None:
        sale = bar.sale(card, {"Demi": 1})
        async with network.engine.begin() as connection:
            await set_price(connection, network.product("raffinerie", "Demi").id, "RAF", 400)
        assert problem(await bar.sell(sale)) == (409, "price-changed")
        assert (await bar.sell(card, {"Demi": 1}, prices={"Demi": 400})).status_code == 201

    async def test_a_revoked_terminal_is_refused(self, network: Network, bar: Terminal, card: str) -> None:
        async with network.engine.begin() as connection:
            await revoke(connection, bar.id)
        assert problem(await bar.sell(card, {"Demi": 1})) == (401, "terminal-revoked")

    async def test_a_quarantined_terminal_is_refused(self, network: Network, bar: Terminal, card: str) -> None:
        async with network.engine.begin() as connection:
            await quarantine(connection, bar.id)
        assert problem(await bar.sell(card, {"Demi": 1})) == (403, "quarantined")

    async def test_a_blocked_card_is_refused(self, network: Network, bar: Terminal, card: str) -> None:
        await network.block(card)
        assert problem(await bar.sell(card, {"Demi": 1})) == (403, "card-blocked")
        await network.block(card, "active")
        assert (await bar.sell(card, {"Demi": 1})).status_code == 201


async def test_a_card_blocked_while_it_is_looked_up_is_refused(
    network: Network, bar: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sale has read the card and still opens its accounts; the block comes, and another sale notices it."""
    accounts, opening, go_on = network.ledger.accounts, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: object) -> list[int]:
        if not opening.is_set():
            opening.set()
            await go_on.wait()
        return await accounts(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(network.ledger, "accounts", slow)
    first = asyncio.create_task(bar.sell("basile", {"Demi": 1}))
    await opening.wait()
    await network.block("basile")
    directory = network.app.state.directory
    assert await directory.outdated()
    go_on.set()
    assert problem(await first) == (403, "card-blocked")
    assert problem(await bar.sell("basile", {"Demi": 1})) == (403, "card-blocked")
