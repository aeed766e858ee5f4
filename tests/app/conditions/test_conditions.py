"""Prices for members, for those who gave their time, for those who were given money: on the page and for programs."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.conditions.service import known_of
from app.currencies.service import add
from app.events import orders, service
from app.events.orders import Ask
from app.events.paying import pay
from app.events.proof import wrong
from app.events.rules import Event, Price
from app.issuing import gifts, vouchers
from app.issuing.gifts import Gift
from app.issuing.service import terms_of
from app.members import buying
from app.members.buying import Buyer, Offer
from app.platform.clock import now_us
from app.platform.errors import DomainError
from app.rules.entitlement import Known
from app.rules.ids import uuid7
from app.venues.service import set_accepted, the_network
from tests.app.members.test_memberships import plan_of
from tests.support.network import GIFT, RAF, Network, both, problem
from tests.support.pages import form_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000
SERVER_KEY = b"a key of this test alone, 32 byt"


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def concert(network: Network, *prices: Price, capacity: int = 10) -> Event:
    venue, starts = network.venues["raffinerie"], now_us() + 24 * HOUR_US
    new = Event(uuid7(), venue.id, "Bal", "Ball", "", "", starts, starts, starts + HOUR_US, capacity)
    async with network.engine.begin() as connection:
        made = await service.create(connection, "test", new)
        for it in prices:
            await service.set_price(connection, "test", made.id, it)
        await service.publish(connection, "test", made.id)
        return await service.event_named(connection, made.id)


def price(condition: Any, amount: int = 0, **other: Any) -> Price:
    return Price(uuid7(), f"Tarif {condition}", "", "RAF", amount, condition=condition, **other)


async def ordered(network: Network, at: Event, of: UUID, card: str = "awa", many: int = 1) -> Any:
    body = {"id": str(uuid7()), "event": str(at.id), "places": {str(of): many}}
    return await network.client.post(f"/c/{network.cards[card].token}/orders", json=body)


@both
async def test_hours_given_within_a_year_open_a_price_to_programs_and_on_the_page(network: Network) -> None:
    full, hours = price("none", 900), price("hours", least=120)
    at = await concert(network, full, hours)
    address = f"/c/{network.cards['awa'].token}/events/bal"
    await network.shift("awa", 90)
    assert problem(await ordered(network, at, hours.id)) == (403, "price-for-others")
    page = await look(network.client, address)
    told = words(page)
    assert "Pour qui a donné au moins 2 h de son temps en un an." in told
    assert "Sur cette carte : 1 h 30." in told
    refused = await send(network.client, form_to(page, address), **{f"places-{hours.id}": "1"})
    assert "Ce tarif n’est pas pour cette carte" in words(refused)
    await network.shift("awa", 30)
    assert (await ordered(network, at, hours.id)).json()["state"] == "paid"
    assert "Pour qui a donné" not in words(await look(network.client, address))
    assert problem(await ordered(network, at, hours.id, "basile")) == (403, "price-for-others")


async def test_members_have_their_price_from_programs_too(network: Network) -> None:
    member = price("member")
    at = await concert(network, member)
    assert problem(await ordered(network, at, member.id)) == (403, "price-for-others")
    sold = await plan_of(network, "raffinerie", 500)
    await network.top_up("awa", 5000)
    async with network.engine.connect() as connection:
        offer = Offer(sold, RAF, network.venues["raffinerie"], await the_network(connection))
    await buying.buy(network.ledger, offer, network.cards["awa"], Buyer(), uuid7(), actor="test")
    assert (await ordered(network, at, member.id)).json()["state"] == "paid"


async def test_a_gift_or_a_voucher_opens_a_price(network: Network) -> None:
    venue = network.venues["raffinerie"]
    async with network.engine.begin() as connection:
        await add(connection, GIFT)
        await set_accepted(connection, venue.id, [*venue.accepted, "GIFT"])
        at_network = await the_network(connection)
    gift = price("gift", least=500)
    at = await concert(network, gift)
    await network.issue("awa", GIFT, 800)
    assert await known_of(network.ledger, network.cards["awa"], at) == Known(), "it was issued, and not given"
    terms = await terms_of(network.ledger, at_network, None, GIFT)
    await gifts.give(network.ledger, terms, [Gift(network.cards["awa"].uid, 400)], uuid7(), actor="test", reason="Fête")
    assert problem(await ordered(network, at, gift.id)) == (403, "price-for-others")
    made = await vouchers.make(network.ledger, terms, SERVER_KEY, 100, 1, uuid7(), actor="test", reason="Fête")
    it = await vouchers.voucher_behind(network.ledger, made.codes[0])
    await vouchers.redeem(network.ledger, terms, it, network.cards["awa"], actor="test")
    assert await known_of(network.ledger, network.cards["awa"], at) == Known(gifts=500)
    assert (await ordered(network, at, gift.id)).json()["state"] == "paid"


@both
async def test_a_wallet_has_so_many_places_at_a_price_and_no_more_however_it_asks(network: Network) -> None:
    once = price("none", per_wallet=2)
    at = await concert(network, once)

    async def one() -> str:
        try:
            made = await orders.hold(network.engine, Ask(uuid4(), at.id, network.cards["awa"], {once.id: 1}))
            return (await pay(network.ledger, made)).state
        except DomainError as error:
            return error.code

    assert sorted(await asyncio.gather(*(one() for _ in range(5)))) == ["paid", "paid", *["price-had"] * 3]
    assert problem(await ordered(network, at, once.id)) == (409, "price-had")
    page = words(await look(network.client, f"/c/{network.cards['awa'].token}/events/bal"))
    assert "2 places par carte, et celle-ci les a déjà." in page
    assert (await ordered(network, at, once.id, "basile", 2)).json()["places"] == 2
    assert await wrong(network.engine) == []


async def test_what_a_price_asks_for_is_checked(network: Network) -> None:
    at = await concert(network)
    marie = await network.person("marie")
    body = {"names": {"fr": "Bénévoles"}, "currency": "RAF", "amount": 0, "condition": "hours", "least": 300}
    there = f"/api/v1/events/{at.id}/prices/{uuid7()}"
    shown = (await marie.put(there, json={**body, "per_wallet": 1})).json()["prices"][0]
    assert (shown["least"], shown["per_wallet"]) == (300, 1)
    assert problem(await marie.put(there, json={**body, "condition": "member"})) == (422, "invalid")
