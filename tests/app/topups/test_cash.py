"""Cash at the counter: on the card at once, owed by the venue from then on, and never twice."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.rules.ids import uuid7
from app.rules.policy import Issue, Limits, Policy
from app.settlement.service import positions
from tests.support.network import CARDS, RAF, UNKNOWN_UID, Network, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


TEN = {"card": CARDS["awa"], "currency": "RAF", "amount": 1000}


async def top_up(
    network: Network, body: dict[str, object], login: str = "lucas", slug: str = "raffinerie", key: object = None
) -> httpx.Response:
    path = f"/api/v1/venues/{network.venues[slug].id}/topups"
    headers = {"Idempotency-Key": str(key or uuid7())}
    return await (await network.person(login)).post(path, json=body, headers=headers)


async def due(network: Network, slug: str = "raffinerie") -> int:
    (position,) = await positions(network.ledger, [network.venues[slug]], {"RAF": RAF})
    return position.due_cents


@both
async def test_cash_is_on_the_card_and_owed_by_the_venue(network: Network) -> None:
    answer = await top_up(network, TEN)
    assert (answer.status_code, answer.json()) == (201, {"booked": 1, "balance": 1000})
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
    assert await due(network) == 1000


@both
async def test_what_was_owed_is_repaid_first_and_the_balance_says_so(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row("awa", {"Demi": 5}))
    assert (await top_up(network, TEN)).json()["balance"] == -750
    assert (await top_up(network, TEN)).json()["balance"] == 250
    assert await network.holds("awa") == {"RAF": 250, "TEMPS": 0}


async def test_the_same_request_again_gets_the_first_answer(network: Network) -> None:
    key = uuid7()
    first = await top_up(network, TEN, key=key)
    await top_up(network, TEN)
    await network.block("awa")
    again = await top_up(network, TEN, key=key)
    assert (again.status_code, again.json()) == (201, first.json()), "the cash is in the till, card blocked or not"
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


@both
async def test_a_key_used_for_something_else_is_refused(network: Network) -> None:
    key = uuid7()
    await top_up(network, TEN, "nadia", key=key)
    for body, login, slug in (
        ({**TEN, "amount": 1001}, "nadia", "raffinerie"),
        ({**TEN, "card": CARDS["basile"]}, "nadia", "raffinerie"),
        (TEN, "nadia", "canal"),
        (TEN, "lucas", "raffinerie"),
    ):
        answer = await top_up(network, body, login, slug, key)
        assert problem(answer) == (422, "idempotency-key-reused"), (body, login, slug)
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
    assert (await due(network), await due(network, "canal")) == (1000, 0)


class TestRefusals:
    async def test_each_says_why_and_changes_nothing(self, network: Network) -> None:
        await network.block("basile")
        for change, expected in (
            ({"card": UNKNOWN_UID}, (404, "card-unknown")),
            ({"card": CARDS["basile"]}, (403, "card-blocked")),
            ({"currency": "GALETS"}, (422, "currency-not-accepted")),
            ({"currency": "TEMPS"}, (422, "currency-not-accepted")),
            ({"amount": 0}, (422, "invalid")),
            ({"amount": -1000}, (422, "invalid")),
            ({"amount": 10.5}, (422, "invalid")),
            ({"amount": "1000"}, (422, "invalid")),
            ({"amount": True}, (422, "invalid")),
            ({"amount": 10**12 + 1}, (422, "invalid")),
            ({"tip": 1}, (422, "invalid")),
        ):
            assert problem(await top_up(network, {**TEN, **change})) == expected, change
        assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
        assert await due(network) == 0

    async def test_a_key_is_asked_for(self, network: Network) -> None:
        client = await network.person("lucas")
        path = f"/api/v1/venues/{network.venues['raffinerie'].id}/topups"
        assert problem(await client.post(path, json=TEN)) == (422, "invalid")
        assert problem(await client.post(path, json=TEN, headers={"Idempotency-Key": "one"})) == (422, "invalid")


@both
async def test_the_policy_bounds_a_top_up_a_day_and_what_a_card_holds(network: Network) -> None:
    issue = Issue(roles=("cashier",), per_operation=1500, per_day=2500)
    await network.rules(RAF, Policy(issue=issue, limits=Limits(ceiling=2200)))
    assert problem(await top_up(network, TEN, "marie")) == (403, "forbidden"), "the rules name cashiers alone"
    assert problem(await top_up(network, {**TEN, "amount": 1501})) == (422, "too-much-at-once")
    assert (await top_up(network, {**TEN, "amount": 1500})).status_code == 201
    assert problem(await top_up(network, {**TEN, "amount": 701})) == (409, "over-ceiling")
    await network.rules(RAF, Policy(issue=issue))
    both_at_once = await asyncio.gather(*(top_up(network, {**TEN, "amount": 600}) for _ in range(3)))
    assert sorted(it.status_code for it in both_at_once) == [201, 409, 409]
    assert (await network.holds("awa"))["RAF"] == 2100
    assert await due(network) == 2100


async def test_a_top_up_names_the_rules_it_was_made_under(network: Network) -> None:
    key = uuid7()
    await top_up(network, TEN, key=key)
    assert (await network.ledger.booked([key]))[key].policy == "RAF@0"
