"""What is asked of any payment provider, of each that we speak to: a server that speaks its API, and fails in its ways.

A further provider is one module and one line in PROVIDERS, with a server that speaks its API in tests/support.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.inbox import service as inbox
from app.ledger.verify import verify
from app.rules.ids import uuid7
from app.topups import online, service
from app.topups.calling import Api
from app.topups.mollie import Mollie
from app.topups.provider import Provider, ProviderAway, ProviderRefused
from app.topups.service import Topup
from app.topups.stripe import Stripe
from app.venues.service import the_network
from tests.app.inbox.test_inbox import NADIA
from tests.support.mollie import FakeMollie
from tests.support.network import RAF, Network, problem
from tests.support.stripe import SECRET, FakeStripe

pytestmark = pytest.mark.anyio

SERVER, FAR_US = "http://server.test", 2**53


@dataclass
class Adapter:
    """`fake` speaks its API; `open` makes our side of it, over a client, for the server of this address."""

    fake: Callable[[], Any]
    open: Callable[[Api, str], Provider]


PROVIDERS = {
    "stripe": Adapter(FakeStripe, lambda api, server: Stripe(api, [SECRET], server)),
    "mollie": Adapter(FakeMollie, Mollie),
}


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


class Shop:
    """A network and its provider."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.adapter = network, PROVIDERS[name]
        self.fake = self.adapter.fake()
        self.provider = self.ours()
        network.app.state.provider = self.provider

    def ours(self, server: str = SERVER) -> Provider:
        return self.adapter.open(Api(self.adapter.fake.__name__, self.fake.client(), pause_s=0), server)

    async def begin(self, amount: int = 2000, id_: Any = None) -> Topup:
        async with self.network.context.reader.connect() as connection:
            of = await the_network(connection)
        id_ = id_ or uuid7()
        card, back = self.network.cards["awa"], f"{SERVER}/back/{{id}}"
        await service.begin(self.network.engine, self.provider, of, card, RAF, amount, back, id_)
        return await service.named(self.network.engine, id_)

    async def round(self, **how: Any) -> str:
        await online.reconcile(self.network.context, self.network.ledger, self.provider, **{"due_us": FAR_US, **how})
        return f"{(await self.network.holds('awa'))['RAF']}"


@pytest.fixture(params=list(PROVIDERS))
def shop(network: Network, request: pytest.FixtureRequest) -> Shop:
    return Shop(network, request.param)


async def test_what_is_paid_is_credited_once(network: Network, shop: Shop) -> None:
    it = await shop.begin(2005)
    assert it.url
    assert it.url.startswith(shop.fake.base)
    told = await shop.provider.look_up(it.reference or "")
    assert (told.status, told.euro_cents, told.topup) == ("open", 2005, it.id)
    assert await shop.round() == "0"
    shop.fake.pay(it.reference)
    assert [await shop.round(since_us=0) for _ in range(2)] == ["2005", "2005"]
    report = await verify(network.engine)
    assert report.ok, report.findings


async def test_the_same_top_up_is_one_payment_whatever_is_lost(network: Network, shop: Shop) -> None:
    shop.fake.faults.extend(["after", "before", "500"])
    id_ = uuid7()
    with pytest.raises(ProviderAway):
        await shop.begin(id_=id_)
    shop.fake.faults.extend(["429", "after"])
    it = await shop.begin(id_=id_)
    shop.fake.pay(it.reference)
    assert [one.reference async for one in shop.provider.paid_since(0)] == [it.reference]
    assert {key for method, _, key in shop.fake.requests if method == "POST"} == {f"topup-{id_}"}


async def test_a_notice_makes_us_ask_and_is_not_believed(network: Network, shop: Shop) -> None:
    it, other = await shop.begin(2000), await shop.begin(3000)
    shop.fake.pay(it.reference)
    for reference in (other.reference, it.reference, it.reference):
        body, headers = shop.fake.told(reference)
        answer = await network.client.post(f"/payments/{shop.provider.name}", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
    assert await shop.round(due_us=None) == "2000"
    for body, headers in ((b"", {}), (b"id=x'--", {"Content-Type": "application/x-www-form-urlencoded"}), (b"{}", {})):
        forged = await network.client.post(f"/payments/{shop.provider.name}", content=body, headers=headers)
        assert problem(forged) == (400, "notice-not-genuine")


async def test_a_notice_about_what_was_taken_back_rings_for_it(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    shop.fake.pay(it.reference)
    bell = network.app.state.bell
    for name, kind in (("told", False), ("told_back", True)):
        bell.disputes = False
        body, headers = getattr(shop.fake, name)(it.reference)
        await network.client.post(f"/payments/{shop.provider.name}", content=body, headers=headers)
        assert bell.disputes is kind
        await shop.round()


async def test_all_at_once_it_is_credited_once(network: Network, shop: Shop) -> None:
    it = await shop.begin(2000)
    shop.fake.pay(it.reference)
    known = {"RAF": RAF}
    settle = [service.settle(network.engine, network.ledger, shop.provider, known, "Europe/Paris", it.id) for _ in "ab"]
    await asyncio.gather(*settle, *(shop.round(since_us=0) for _ in range(3)))
    assert await shop.round() == "2000"


async def test_what_was_left_or_paid_otherwise_is_not_credited(network: Network, shop: Shop) -> None:
    left, less, foreign = [await shop.begin() for _ in range(3)]
    shop.fake.expire(left.reference)
    shop.fake.pay(less.reference, cents=1999)
    shop.fake.pay(foreign.reference, currency="usd")
    assert await shop.round() == "0"
    states = [await service.named(network.engine, it.id) for it in (left, less, foreign)]
    assert [(it.status, it.paid_cents) for it in states] == [("cancelled", None), ("pending", 1999), ("pending", 0)]


async def test_what_is_taken_back_leaves_the_card_and_comes_back(network: Network, shop: Shop) -> None:
    it = await shop.begin(5000)
    shop.fake.pay(it.reference)
    await shop.round()
    shop.fake.refund(it.reference, 1000)
    assert [await shop.round() for _ in range(2)] == ["4000", "4000"]
    found = shop.fake.dispute(it.reference)
    assert await shop.round() == "0"
    shop.fake.win(found if isinstance(found, str) else found["id"])
    assert [await shop.round() for _ in range(2)] == ["4000", "4000"]
    shop.fake.refund(it.reference, 500, "failed")
    assert await shop.round() == "4000"
    report = await verify(network.engine)
    assert report.ok, report.findings


async def test_a_payment_that_no_top_up_knows_is_told_and_other_servers_are_left_alone(
    network: Network, shop: Shop
) -> None:
    theirs = await shop.ours("https://other.example").open_checkout(uuid7(), 900, "Other", "https://other.example/")
    lost = await shop.provider.open_checkout(uuid7(), 3000, "Les Comptoirs liés", f"{SERVER}/back")
    for reference in (theirs.reference, lost.reference):
        shop.fake.pay(reference)
    await shop.round(since_us=0)
    (case,) = [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "payment-stray"]
    assert (case.fault.facts["cents"], case.fault.facts["reference"]) == (3000, lost.reference)
    shop.fake.refund(lost.reference, 3000)
    await shop.round(since_us=0)
    assert (await inbox.case(network.ledger, NADIA, case.fault.key)).state == "done"


async def test_lists_are_read_to_their_end(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("stripe.adapter", "mollie"):
        monkeypatch.setattr(f"app.topups.{module}.PAGE", 2)
    opened = [await shop.provider.open_checkout(uuid7(), 500 + number, "x", SERVER) for number in range(5)]
    for it in opened:
        shop.fake.pay(it.reference)
        shop.fake.refund(it.reference, 100)
    assert len([it async for it in shop.provider.paid_since(0)]) == 5
    assert len(await shop.provider.disputes()) == 5


async def test_a_refusal_is_told_and_not_tried_again(shop: Shop) -> None:
    with pytest.raises(ProviderRefused) as refused:
        await shop.provider.look_up("nothing")
    assert refused.value.status == 404
    assert len(shop.fake.requests) == 1
