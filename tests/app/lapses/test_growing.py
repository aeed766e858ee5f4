"""A member's credit grows with what they sold, once a period."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from app.currencies.policies import add_policy
from app.currencies.service import Currency, add
from app.lapses import growing, store
from app.lapses.store import Grown
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting
from app.ledger.service import currency_book
from app.money import Unit
from app.platform.clock import now_us
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.policy import Growth, Policy
from tests.app.lapses.conftest import Clock
from tests.support.network import Network

BAR = Currency("BAR", "network", "mutual", Unit.CENT, "Barter", "Barter", "B", None, 2)
TENTH = Growth(basis_points=1000, every_days=30, maximum=15_000)


async def mutual(network: Network, growth: Growth = TENTH) -> dict[str, int]:
    """Wallets by card's name, each with a credit of 100."""
    async with network.engine.begin() as connection:
        await add(connection, BAR)
        await add_policy(connection, "BAR", Policy(growth=growth), now_us(), "test")
    book = currency_book("network", "BAR")
    ids = await network.ledger.accounts([AccountKey(book, "wallet", it.owner) for it in network.cards.values()])
    async with network.engine.begin() as connection:
        for id_ in ids:
            await network.ledger.set_floor(connection, id_, -10_000)
    return dict(zip(network.cards, ids, strict=True))


async def trade(network: Network, buyer: int, seller: int, amount: int, reverses: UUID | None = None) -> UUID:
    id_, day = uuid7(), business_day(now_us(), "Europe/Paris")
    posting = Posting(buyer, seller, amount)
    mark = sha256(id_.bytes).digest()
    outcome = await network.ledger.post_one(Operation(id_, "trade", mark, (posting,), "test", now_us(), day))
    assert isinstance(outcome, Posted)
    return id_


async def limits(network: Network, wallets: dict[str, int]) -> dict[str, int]:
    async with network.engine.connect() as connection:
        found = await network.ledger.bounds(connection, list(wallets.values()))
    return {name: -(found[id_].floor or 0) for name, id_ in wallets.items()}


async def grow(network: Network) -> int:
    return await growing.grow(network.engine, network.ledger)


async def written(network: Network) -> list[Grown]:
    async with network.engine.connect() as connection:
        return await store.growths(connection)


async def test_a_tenth_of_what_was_sold_up_to_the_maximum(network: Network, clock: Clock) -> None:
    wallets = await mutual(network)
    clock.go(5)
    await trade(network, wallets["awa"], wallets["basile"], 1005)
    await trade(network, wallets["basile"], wallets["camille"], 9_999)
    assert await grow(network) == 0, "the period is not over"
    clock.go(30)
    foreseen = await growing.foreseen(network.engine, network.ledger)
    assert await grow(network) == 2
    assert await limits(network, wallets) == {"awa": 10_000, "basile": 10_101, "camille": 11_000}
    said = {(it.owner, it.sold, it.limit_before, it.limit_after) for it in foreseen}
    assert said == {(it.owner, it.sold, it.limit_before, it.limit_after) for it in await written(network)}
    clock.go(30)
    assert await grow(network) == 0, "nothing was sold in the second period"


async def test_a_trade_that_was_taken_back_was_not_sold(network: Network, clock: Clock) -> None:
    wallets = await mutual(network)
    clock.go(5)
    id_ = await trade(network, wallets["awa"], wallets["basile"], 5000)
    original = (await network.ledger.booked([id_]))[id_]
    day = business_day(now_us(), "Europe/Paris")
    back = await network.ledger.reversal(original, uuid7(), actor="test", occurred_at_us=now_us(), business_day=day)
    await network.ledger.post_one(back)
    clock.go(30)
    assert await grow(network) == 0
    assert set((await limits(network, wallets)).values()) == {10_000}


async def test_two_at_once_and_again_later_let_it_grow_once(network: Network, clock: Clock) -> None:
    wallets = await mutual(network)
    clock.go(5)
    await trade(network, wallets["awa"], wallets["basile"], 2000)
    clock.go(30)
    assert sum(await asyncio.gather(*(grow(network) for _ in range(3)))) == 1
    assert await grow(network) == 0
    assert (await limits(network, wallets))["basile"] == 10_200


async def test_periods_that_nobody_ran_are_made_up_for_and_none_is_lost_to_a_new_policy(
    network: Network, clock: Clock
) -> None:
    """Nothing lapses without notice, but what a member is due does not wait for the server."""
    wallets = await mutual(network)
    for _ in range(2):
        clock.go(20)
        await trade(network, wallets["awa"], wallets["basile"], 1000)
    clock.go(10)
    async with network.engine.begin() as connection:
        new = Policy(growth=Growth(basis_points=2000, every_days=30, maximum=15_000))
        await add_policy(connection, "BAR", new, now_us(), "test")
    clock.go(20)
    await trade(network, wallets["awa"], wallets["basile"], 1000)
    clock.go(20)
    assert await grow(network) == 3
    steps = sorted(await written(network), key=lambda it: it.period)
    assert [(it.policy, it.limit_after - it.limit_before) for it in steps] == [
        ("BAR@1", 100),
        ("BAR@1", 100),
        ("BAR@2", 200),
    ]
    assert steps[1].period - steps[0].period == timedelta(days=20), "the new policy cut the second period short"
    assert steps[2].period - steps[1].period == timedelta(days=30)
