"""Money from a payment provider: believed when the provider says so, and credited once whoever learns of it first."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest

from app.currencies.service import Currency
from app.platform.errors import Conflict, DomainError, NotFound
from app.rules.ids import uuid7
from app.topups import service
from app.topups.sandbox import Sandbox
from app.topups.service import Topup
from app.venues.service import the_network
from tests.support.network import RAF, TEMPS, Network, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


BACK = "http://server.test/back/{id}"
KNOWN = {"RAF": RAF, "TEMPS": TEMPS}


class Desk:
    """A holder at the payment page of a provider."""

    def __init__(self, network: Network, provider: Sandbox) -> None:
        self._network = network
        self.provider = provider

    async def begin(
        self, amount: int = 2000, id_: UUID | None = None, card: str = "awa", currency: Currency = RAF
    ) -> tuple[Topup, str]:
        async with self._network.context.reader.connect() as connection:
            network = await the_network(connection)
        engine, chosen = self._network.engine, self._network.cards[card]
        return await service.begin(
            engine,
            self.provider,
            network,
            chosen,
            currency,
            amount,
            BACK,
            id_ or uuid7(),
        )

    async def pay(self, url: str, status: Literal["paid", "failed", "cancelled"] = "paid") -> str:
        reference = url.rsplit("/", 1)[-1]
        await self.provider.finish(reference, status)
        return reference

    async def settle(self, id_: UUID) -> str:
        zone = "Europe/Paris"
        return (
            await service.settle(self._network.engine, self._network.ledger, self.provider, KNOWN, zone, id_)
        ).status


@pytest.fixture
def desk(network: Network) -> Desk:
    provider = network.app.state.provider
    assert isinstance(provider, Sandbox)
    return Desk(network, provider)


@both
async def test_a_payment_is_credited_once_however_often_it_is_heard_of(network: Network, desk: Desk) -> None:
    topup, url = await desk.begin()
    assert await desk.settle(topup.id) == "pending"
    reference = await desk.pay(url)
    assert [await desk.settle(topup.id) for _ in range(3)] == ["credited"] * 3
    for _ in range(2):
        answer = await network.client.post("/api/v1/payments/sandbox/notices", json={"reference": reference})
        assert answer.json() == {"id": str(topup.id), "status": "credited"}
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


async def test_the_provider_s_notice_alone_is_enough(network: Network, desk: Desk) -> None:
    _, url = await desk.begin()
    reference = await desk.pay(url)
    answer = await network.client.post("/api/v1/payments/sandbox/notices", json={"reference": reference, "more": 1})
    assert answer.json()["status"] == "credited"
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


async def test_a_notice_says_nothing_by_itself(network: Network, desk: Desk) -> None:
    _, url = await desk.begin()
    body = {"reference": url.rsplit("/", 1)[-1], "status": "paid"}
    answer = await network.client.post("/api/v1/payments/sandbox/notices", json=body)
    assert answer.json()["status"] == "pending"
    for path, reference in (("sandbox", "sb_unknown"), ("other", body["reference"])):
        answer = await network.client.post(f"/api/v1/payments/{path}/notices", json={"reference": reference})
        assert problem(answer) == (404, "not-found")
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_what_was_not_paid_is_not_credited(
    network: Network, desk: Desk, status: Literal["failed", "cancelled"]
) -> None:
    topup, url = await desk.begin()
    await desk.pay(url, status)
    assert await desk.settle(topup.id) == status
    with pytest.raises(Conflict):
        await desk.pay(url, "paid")
    assert await desk.settle(topup.id) == status
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}


@both
async def test_the_same_form_sent_twice_is_one_top_up_with_one_payment_page(network: Network, desk: Desk) -> None:
    first, url = await desk.begin()
    again, same = await desk.begin(id_=first.id)
    assert (again.id, same) == (first.id, url)
    await desk.pay(url)
    await desk.settle(first.id)
    done, back = await desk.begin(id_=first.id)
    assert (done.status, back) == ("credited", BACK.format(id=first.id))
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


async def test_an_id_that_was_used_for_something_else_is_refused(network: Network, desk: Desk) -> None:
    first, _ = await desk.begin()
    bar = await network.terminal("raffinerie")
    await network.top_up("awa", 1000)
    sale = bar.sale("awa", {"Eau": 1})
    await bar.sell(sale)
    for again in (desk.begin(2001, first.id), desk.begin(id_=first.id, card="basile"), desk.begin(id_=sale.id)):
        with pytest.raises(DomainError) as refused:
            await again
        assert refused.value.code == "idempotency-key-reused"


async def test_what_cannot_be_topped_up_never_reaches_the_provider(network: Network, desk: Desk) -> None:
    await network.block("basile")
    for begin, code in (
        (desk.begin(499), "amount-out-of-range"),
        (desk.begin(25_001), "amount-out-of-range"),
        (desk.begin(60, currency=TEMPS), "currency-not-accepted"),
        (desk.begin(card="basile"), "card-blocked"),
    ):
        with pytest.raises(DomainError) as refused:
            await begin
        assert refused.value.code == code


async def test_a_card_blocked_after_it_was_paid_is_credited_all_the_same(network: Network, desk: Desk) -> None:
    topup, url = await desk.begin()
    await desk.pay(url)
    await network.block("awa")
    assert await desk.settle(topup.id) == "credited"
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


@both
async def test_the_reconciliation_finds_what_nobody_came_back_for(network: Network, desk: Desk) -> None:
    paid, paid_url = await desk.begin()
    failed, failed_url = await desk.begin(card="basile")
    waiting, _ = await desk.begin(card="camille")
    await desk.pay(paid_url)
    await desk.pay(failed_url, "failed")
    for settled in (2, 0):
        found = await service.settle_pending(
            network.engine, network.ledger, desk.provider, KNOWN, "Europe/Paris", 2**53
        )
        assert found == settled
    states = [(await service.named(network.engine, it.id)).status for it in (paid, failed, waiting)]
    assert states == ["credited", "failed", "pending"]
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


async def test_a_top_up_that_nobody_made_is_not_found(network: Network, desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.settle(uuid7())
