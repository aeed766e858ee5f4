"""What a till learns of memberships: at once, by a delta, and only where it understands them."""

from __future__ import annotations

import httpx
import pytest

from app.members import buying
from app.members.buying import Buyer, Offer
from app.members.plans import Plan, make_plan
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.membership import Rolling
from app.venues.service import the_network
from app.wire.snapshot import SIGNATURE_HEADER
from readers.sync.snapshots import apply_delta, is_delta, read_snapshot
from readers.terminal.shop import Shop
from tests.support.network import CARDS, RAF, Network, Terminal, both

DAY_US = 86_400_000_000


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def asked(bar: Terminal, query: str) -> httpx.Response:
    return await bar.network.client.get(f"/api/v1/terminals/snapshot{query}", headers=bar.headers)


@both
async def test_a_tap_shows_what_was_bought_a_moment_ago(network: Network) -> None:
    await network.top_up("awa", 5000)
    bar = await network.terminal("raffinerie")
    canal = network.venues["canal"]
    plan = Plan(uuid7(), canal.id, "Amis", "Friends", "RAF", 1500, Rolling(12))
    async with network.engine.begin() as connection:
        await make_plan(connection, "command line", plan, RAF, canal)
        offer = Offer(plan, RAF, canal, await the_network(connection))
    key = network.context.keys.public_key
    first = await asked(bar, "?plans=true")
    held = read_snapshot(first.content, first.headers[SIGNATURE_HEADER], key, bar.id)
    assert held.base, "the terminal names the content as the server does"
    buyer = Buyer("Awa Payet", "awa@example.org")
    period = await buying.buy(network.ledger, offer, network.cards["awa"], buyer, uuid7(), actor="holder")
    next_ = await asked(bar, f"?plans=true&base={held.base}")
    assert is_delta(next_.content)
    assert b"Payet" not in next_.content
    now = apply_delta(held, next_.content, next_.headers[SIGNATURE_HEADER], key)
    shop = Shop(now.head, now.cards)
    told = [shop.memberships(CARDS["awa"], now_us() + days * DAY_US)[0] for days in (0, 350, 380)]
    assert [it.standing for it in told] == ["valid", "soon", "over"]
    assert (told[0].names["en"], told[0].of, told[0].last) == ("Friends", canal.name, period.last.isoformat())
    assert shop.memberships(CARDS["basile"], now_us()) == ()
    older = await asked(bar, "")
    assert b"memberships" not in older.content
    assert b"plans" not in older.content
