"""Staff undo a sale by hand: once, at their own venue, and the money goes back where it came from."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.wire import VoidRow
from tests.support.network import CARDS, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


WHY = {"reason": "Erreur de saisie"}


@pytest.fixture
async def bar(network: Network) -> Terminal:
    await network.top_up("awa", 1000)
    return await network.terminal("raffinerie")


def path(terminal: Terminal, sale: object) -> str:
    return f"/venues/{terminal.venue.id}/sales/{sale}/void"


@both
async def test_the_money_goes_back_to_the_card(network: Network, bar: Terminal) -> None:
    sale = bar.sale("awa", {"Demi": 1})
    await bar.sell(sale)
    answer = await network.post("lucas", path(bar, sale.id), WHY)
    assert (answer.status_code, answer.json()) == (201, {"sale": str(sale.id), "booked": 3})
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
    assert await network.claims("raffinerie") == {}


@both
async def test_the_same_request_again_gets_the_same_answer_and_another_one_is_told_that_it_was_undone(
    network: Network, bar: Terminal
) -> None:
    sale, other = bar.sale("awa", {"Demi": 1}), bar.sale("awa", {"Eau": 1})
    await bar.sell(sale)
    await bar.sell(other)
    key = uuid7()
    answers = [await network.post("lucas", path(bar, sale.id), WHY, key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert problem(await network.post("marie", path(bar, sale.id), WHY)) == (409, "already-reversed")
    assert problem(await network.post("lucas", path(bar, other.id), WHY, key)) == (422, "idempotency-key-reused")
    assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}


async def test_what_is_no_sale_of_this_venue_is_not_found(network: Network, bar: Terminal) -> None:
    till = await network.terminal("canal")
    sale = bar.sale("awa", {"Demi": 1})
    await bar.sell(sale)
    assert problem(await network.post("lucas", path(bar, uuid4()), WHY)) == (404, "not-found")
    assert problem(await network.post("yann", path(till, sale.id), WHY)) == (404, "not-found")
    assert problem(await network.post("yann", path(bar, sale.id), WHY)) == (403, "forbidden")
    top_up = uuid7()
    body = {"card": CARDS["awa"], "currency": "RAF", "amount": 500}
    await network.post("lucas", f"/venues/{bar.venue.id}/topups", body, top_up)
    assert problem(await network.post("lucas", path(bar, top_up), WHY)) == (404, "not-found")
    assert await network.holds("awa") == {"RAF": 1150, "TEMPS": 0}


async def test_a_void_says_why(network: Network, bar: Terminal) -> None:
    for body in (None, {}, {"reason": ""}, {"reason": "x" * 201}, {**WHY, "amount": 1}):
        assert problem(await network.post("lucas", path(bar, uuid4()), body)) == (422, "invalid"), body
    client = await network.person("lucas")
    assert problem(await client.post(f"/api/v1{path(bar, uuid4())}", json=WHY)) == (422, "invalid")


async def test_undone_at_the_terminal_and_by_hand_at_once_is_undone_once(network: Network, bar: Terminal) -> None:
    sale = bar.sale("awa", {"Demi": 1})
    await bar.sell(sale)
    await network.post("lucas", path(bar, sale.id), WHY)
    undone = VoidRow(id=uuid7(), sale=sale.id, reason="Erreur de saisie", at_us=now_us())
    await bar.deliver(bar.sale_row(sale, mode="online"), undone)
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
    assert await network.exceptions() == []
