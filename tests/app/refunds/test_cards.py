"""Back to the payment cards: the newest payment first, once whatever is lost, and never booked twice."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from app.currencies.service import currencies
from app.platform.errors import Unavailable
from app.refunds import service, store
from app.rules.ids import uuid7
from app.settlement import outgoing
from app.settlement.sepa import Report
from app.topups import chargebacks
from app.topups import service as topups
from app.topups.calling import Api
from app.topups.mollie import Mollie
from app.topups.provider import Back, Provider
from app.topups.sandbox import Sandbox
from app.topups.stripe import Stripe
from app.topups.tables import chargeback, payment_refund
from app.venues.service import the_network
from tests.app.refunds.test_bank import books
from tests.support.mollie import FakeMollie
from tests.support.network import RAF, Network
from tests.support.pages import form_to, led_to, look, send, words
from tests.support.stripe import SECRET, FakeStripe

SERVER = "http://server.test"
IBAN = "FR1420041010050500013M02606"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def paid(network: Network, provider: Provider, cents: int) -> str:
    """An online top-up of awa; the payment's reference. With the twins, whoever pays does so there."""
    async with network.context.reader.connect() as connection:
        of = await the_network(connection)
    id_ = uuid7()
    await topups.begin(network.engine, provider, of, network.cards["awa"], RAF, cents, f"{SERVER}/{{id}}", id_)
    return (await topups.named(network.engine, id_)).reference or ""


async def credited(network: Network, provider: Provider, reference: str) -> None:
    it = await topups.by_reference(network.engine, provider.name, reference)
    await topups.settle(network.engine, network.ledger, provider, {"RAF": RAF}, "Europe/Paris", it.id)


async def taken_in(network: Network, provider: Provider) -> int:
    """The round that looks for payments that were taken back; how many were booked as such."""
    async with network.context.reader.connect() as connection:
        known = await currencies(connection)
    await chargebacks.take_in(network.ledger, known, "Europe/Paris", provider.name, await provider.disputes())
    async with network.engine.connect() as connection:
        return len((await connection.execute(sa.select(chargeback))).all())


async def test_the_sandbox_gives_back_what_each_payment_brought(refunding: Network) -> None:
    network, provider = refunding, refunding.app.state.provider
    assert isinstance(provider, Sandbox)
    for cents in (1000, 600):
        reference = await paid(network, provider, cents)
        await provider.finish(reference, "paid")
        await credited(network, provider, reference)
    await network.top_up("awa", 300)
    here = f"/c/{network.cards['awa'].token}/refund"
    page = await look(network.client, here)
    review = await send(network.client, form_to(page, here), way="cards")
    assert "Vous recevez 15,50 € sur la carte bancaire qui a servi à recharger." in words(review)
    assert "3,00 € de Rafftou restent sur la carte" in words(review)
    state = led_to(await send(network.client, form_to(review, here)))
    assert "15,50 € ont été versés Sur votre carte bancaire" in words(await look(network.client, state))
    async with network.engine.connect() as connection:
        rows = await connection.execute(sa.select(payment_refund.c.euro_cents))
        assert sorted(rows.scalars()) == [600, 950], "the newest payment first, the fee is kept of the older one"
    assert await network.holds("awa") == {"RAF": 300, "TEMPS": 0}
    assert (await books(network))["clearing sandbox"] == 50, "the fee stays with the network"
    assert await taken_in(network, provider) == 0, "we asked for it ourselves"


async def asked(network: Network, provider: Provider) -> store.Request:
    return await service.ask(
        network.ledger, provider, network.cards["awa"], "cards", "address", uuid7(), actor="holder"
    )


async def test_stripe_gives_back_once_and_what_fails_goes_to_an_account(refunding: Network) -> None:
    network, stripe = refunding, FakeStripe()
    provider = Stripe(Api("stripe", stripe.client(), pause_s=0), [SECRET], SERVER)
    first, second = await paid(network, provider, 1000), await paid(network, provider, 600)
    for reference in (first, second):
        stripe.pay(reference)
        await credited(network, provider, reference)
    # Three answers are lost: we give up for now, and Stripe has done it.
    stripe.faults.extend([*["after"] * 3])
    it = await asked(network, provider)
    assert it.status == "sending"
    stripe._kept.clear()
    stripe.faults.clear()
    it = await service.advance(network.ledger, provider, it.id)
    assert it.status == "paid"
    assert sum(one["amount"] for one in stripe.refunds.values()) == 1550, "also when its keys were forgotten"
    assert await taken_in(network, provider) == 0
    stripe.fail(next(one["id"] for one in stripe.refunds.values() if one["amount"] == 950))
    assert await taken_in(network, provider) == 0
    await service.advance_all(network.ledger, provider)
    it = await _named(network, it.id)
    assert (it.status, (await books(network))["payable wallet"]) == ("failed", 950)
    with pytest.raises(Exception, match="on its way"):
        await service.cancel(network.ledger, provider, it.id, actor="holder")
    it = await service.mend(network.ledger, provider, it.id, "Awa Diop", IBAN, actor="holder")
    assert (it.status, it.way, it.cents) == ("ready", "bank", 950)
    # The other comes back too, once the rest is with the bank.
    stripe.fail(next(one["id"] for one in stripe.refunds.values() if one["amount"] == 600))
    assert await taken_in(network, provider) == 0
    for _ in range(2):
        await service.advance_all(network.ledger, provider)
    async with network.context.reader.connect() as connection:
        late, same = await store.of_wallet(connection, network.cards["awa"].wallet)
    assert (late.status, late.cents, same.id, same.cents) == ("failed", 600, it.id, 950)
    assert (await books(network))["payable wallet"] == 1550
    with pytest.raises(Exception, match="on its way"):
        await service.cancel(network.ledger, provider, late.id, actor="holder")
    with pytest.raises(Exception, match="under way already"):
        await service.mend(network.ledger, provider, late.id, "Awa Diop", IBAN, actor="holder")
    file = await service.make_file(network.ledger, actor="one")
    await service.release_file(network.ledger, file, actor="another")
    (transfer,) = (await _sent(network)).values()
    await outgoing.take_in(network.engine, [Report(transfer.end_to_end, "executed", "")], source="hand", actor="one")
    await service.hear(network.ledger, provider)
    late = await service.mend(network.ledger, provider, late.id, "Awa Diop", IBAN, actor="holder")
    assert (late.status, (await books(network))["payable wallet"]) == ("ready", 600), "then the rest is sent too"


async def test_parts_that_come_back_one_after_the_other_are_all_owed_again(refunding: Network) -> None:
    network, stripe = refunding, FakeStripe()
    provider = Stripe(Api("stripe", stripe.client(), pause_s=0), [SECRET], SERVER)
    for cents in (1000, 600):
        reference = await paid(network, provider, cents)
        stripe.pay(reference)
        await credited(network, provider, reference)
    it = await asked(network, provider)
    assert it.status == "paid"
    for cents, owed in ((950, 950), (600, 1550)):
        stripe.fail(next(one["id"] for one in stripe.refunds.values() if one["amount"] == cents))
        assert await taken_in(network, provider) == 0
        await service.advance_all(network.ledger, provider)
        assert (await _named(network, it.id)).status == "failed"
        assert (await books(network))["payable wallet"] == owed
    it = await service.mend(network.ledger, provider, it.id, "Awa Diop", IBAN, actor="holder")
    assert (it.status, it.cents) == ("ready", 1550)


async def _sent(network: Network) -> dict[UUID, outgoing.Sent]:
    async with network.engine.connect() as connection:
        return await outgoing.sent(connection)


async def _named(network: Network, id_: UUID) -> store.Request:
    async with network.context.reader.connect() as connection:
        return await store.named(connection, id_)


async def test_mollie_gives_back_when_it_has_the_money(refunding: Network) -> None:
    network, mollie = refunding, FakeMollie()
    provider = Mollie(Api("mollie", mollie.client(), pause_s=0), SERVER)
    reference = await paid(network, provider, 1000)
    mollie.pay(reference)
    await credited(network, provider, reference)
    mollie.next_refund = "queued"
    it = await asked(network, provider)
    assert it.status == "sending"
    assert (await books(network))["payable wallet"] == 950
    (refund,) = mollie.refunds.values()
    refund["status"] = "refunded"
    it = await service.advance(network.ledger, provider, it.id)
    assert (it.status, await taken_in(network, provider)) == ("paid", 0)
    assert len(mollie.refunds) == 1
    assert (await books(network))["clearing mollie"] == 50


async def test_a_provider_that_is_away_keeps_nobody_waiting(refunding: Network) -> None:
    network, provider = refunding, refunding.app.state.provider
    reference = await paid(network, provider, 1000)
    await provider.finish(reference, "paid")
    await credited(network, provider, reference)

    class Away(Sandbox):
        async def refund(self, *_: object) -> Back:
            raise Unavailable("away", 30)

    it = await asked(network, Away(network.engine, SERVER, b"x"))
    assert it.status == "sending"
    assert (await service.advance(network.ledger, provider, it.id)).status == "paid"
