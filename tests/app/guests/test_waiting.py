"""Where an event is full, holders stand in line: places that come free are offered in turn, and nobody overtakes."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.events import orders, service
from app.events.orders import Ask
from app.events.paying import tend
from app.events.rules import Event, Price
from app.guests import proof, waiting
from app.guests.held import forget, held_about
from app.guests.letters import letter_of
from app.guests.offering import offer_all
from app.guests.rules import kept_until_us
from app.guests.tables import waiting_place
from app.mail.tables import mail
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.venues.service import set_accepted
from tests.support.network import Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox", "mail": "sandbox"})


async def full_house(network: Network, capacity: int = 2, quota: int | None = None) -> tuple[Event, UUID, UUID]:
    """(event, its price, its other price): everything at the first is held by Camille, who has not paid yet."""
    venue, price, other = network.venues["raffinerie"], uuid7(), uuid7()
    starts = now_us() + 48 * HOUR_US
    new = Event(uuid7(), venue.id, "Bal", "Ball", "Deux violons.", "", starts, starts, starts + HOUR_US, capacity)
    async with network.engine.begin() as connection:
        await set_accepted(connection, venue.id, venue.accepted)
        made = await service.create(connection, "test", new)
        for id_, name, most in ((price, "Plein tarif", quota), (other, "Soutien", None)):
            await service.set_price(connection, "test", made.id, Price(id_, name, "", "RAF", 1200, most, vat=550))
        await service.publish(connection, "test", made.id)
    await taken(network, made.id, price, quota or capacity)
    return await read(network, made.id), price, other


async def taken(network: Network, event: UUID, price: UUID, places: int) -> orders.Order:
    return await orders.hold(network.engine, Ask(uuid7(), event, network.cards["camille"], {price: places}))


async def read(network: Network, id_: UUID) -> Event:
    async with network.engine.connect() as connection:
        return await service.event_named(connection, id_)


def context(network: Network) -> Context:
    found: Context = network.app.state.context
    return found


async def joined(network: Network, card: str, event: UUID, price: UUID, places: int = 1, **more: Any) -> Any:
    body = {"event": str(event), "price": str(price), "places": places, **more}
    return await network.client.post(f"/c/{network.cards[card].token}/waiting", json=body)


async def standing(network: Network, card: str, event: UUID) -> Any:
    return (await network.client.get(f"/c/{network.cards[card].token}/waiting/{event}")).json()


async def bought(network: Network, card: str, event: UUID, price: UUID, places: int = 1) -> Any:
    body = {"id": str(uuid7()), "event": str(event), "places": {str(price): places}}
    return await network.client.post(f"/c/{network.cards[card].token}/orders", json=body)


async def gone(network: Network, event: UUID, places: int = 1) -> None:
    """So many of the places that are held come free."""
    at = await read(network, event)
    async with network.engine.begin() as connection:
        await service.edit(connection, "test", _with(at, at.capacity + places))


def _with(at: Event, capacity: int) -> Event:
    return Event(**{name: getattr(at, name) for name in Event.__dataclass_fields__} | {"capacity": capacity})


@both
async def test_places_that_come_free_are_offered_in_turn_and_nobody_overtakes(network: Network) -> None:
    event, price, other = await full_house(network)
    await network.top_up("awa", 5000)
    await network.top_up("basile", 5000)
    first = (await joined(network, "awa", event.id, price, 2)).json()
    assert (first["state"], first["turn"], first["order"]) == ("waiting", 1, None)
    assert (await joined(network, "awa", event.id, price, 2)).json() == first, "the same again is the same place"
    assert (await joined(network, "basile", event.id, other)).json()["turn"] == 2
    await tend(network.ledger, now_us() + HOUR_US)
    now = await read(network, event.id)
    assert (now.left, now.free, now.standing(now_us())) == (2, 0, "full")
    for at in (price, other):
        assert problem(await bought(network, "basile", event.id, at)) == (409, "sold-out")
    await asyncio.gather(*(offer_all(context(network)) for _ in range(3)))
    offer = await standing(network, "awa", event.id)
    assert offer["state"] == "offered"
    assert (await standing(network, "basile", event.id))["state"] == "waiting"
    now = await read(network, event.id)
    assert (now.held, now.price(price).waiting, now.price(other).waiting) == (2, 0, 1)  # type: ignore[union-attr]
    assert await offer_all(context(network)) == 0
    # Not taken in time, they are the next one's.
    await tend(network.ledger, now_us() + 24 * HOUR_US)
    assert await offer_all(context(network)) == 1
    assert problem(await network.client.get(f"/c/{network.cards['awa'].token}/waiting/{event.id}")) == (
        404,
        "not-found",
    )
    assert (await standing(network, "basile", event.id))["state"] == "offered"
    assert (await bought(network, "awa", event.id, price)).json()["state"] == "paid", "nobody else waits"
    assert await proof.wrong(network.engine) == []
    async with network.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE event_price SET waiting = 7"))
    assert "counts 7 places waited for: they are 0" in (await proof.wrong(network.engine))[0]


async def test_who_leaves_lets_the_next_one_have_what_was_kept(network: Network) -> None:
    event, price, _ = await full_house(network)
    home = f"/c/{network.cards['awa'].token}/waiting/{event.id}"
    await joined(network, "awa", event.id, price)
    await joined(network, "basile", event.id, price)
    await gone(network, event.id)
    assert await offer_all(context(network)) == 1
    assert (await network.client.delete(home)).status_code == 204
    assert (await network.client.delete(home)).status_code == 204
    assert (await standing(network, "basile", event.id))["state"] == "offered"
    assert (await joined(network, "awa", event.id, price)).json()["turn"] == 3, "at the end of the line"


async def test_a_group_waits_until_there_are_enough_and_smaller_ones_do_not_wait_for_it(network: Network) -> None:
    event, price, _ = await full_house(network)
    await joined(network, "awa", event.id, price, 3)
    await gone(network, event.id)
    assert await offer_all(context(network)) == 0
    assert problem(await bought(network, "basile", event.id, price)) == (409, "sold-out")
    late = (await joined(network, "basile", event.id, price)).json()
    assert late["state"] == "offered", "one place is no use to three"
    await gone(network, event.id, 3)
    assert await offer_all(context(network)) == 1
    assert (await standing(network, "awa", event.id))["state"] == "offered"


async def test_where_one_price_is_full_the_others_are_sold(network: Network) -> None:
    event, price, other = await full_house(network, capacity=6, quota=2)
    await network.top_up("basile", 9000)
    assert problem(await joined(network, "basile", event.id, other)) == (409, "places-free")
    assert (await joined(network, "awa", event.id, price, 2)).json()["state"] == "waiting"
    assert (await bought(network, "basile", event.id, other, 3)).status_code == 200
    await tend(network.ledger, now_us() + HOUR_US)
    now = await read(network, event.id)
    assert (now.left, now.free) == (3, 1), "two of them are kept for who waits at the other price"
    assert problem(await bought(network, "basile", event.id, other, 2)) == (409, "sold-out")


async def test_what_cannot_be_waited_for(network: Network) -> None:
    event, price, _ = await full_house(network)
    assert problem(await joined(network, "awa", event.id, price, 9)) == (422, "invalid")
    assert problem(await joined(network, "awa", event.id, uuid7())) == (404, "not-found")
    assert problem(await joined(network, "awa", event.id, price, email="nobody")) == (422, "invalid")
    await joined(network, "awa", event.id, price)
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", event.id)
    assert problem(await joined(network, "basile", event.id, price)) == (409, "not-on-sale")
    await offer_all(context(network))
    async with network.engine.connect() as connection:
        assert [it.state for it in await waiting.line_of(connection, event.id, ["missed"])] == ["missed"]


async def test_on_a_phone_one_waits_is_told_and_buys(network: Network) -> None:
    event, price, _ = await full_house(network)
    at = f"/c/{network.cards['awa'].token}/events/{event.slug}"
    await network.top_up("awa", 1000)
    page = await look(network.client, at)
    assert "Me prévenir quand une place se libère" in words(page)
    form = form_to(page, f"{at}/waiting")
    bad = led_to(await send(network.client, form, price=str(price), places="1", email="awa@nowhere"))
    assert "Ce n’est pas une adresse e-mail" in words(await look(network.client, bad))
    form = form_to(await look(network.client, at), f"{at}/waiting")
    assert led_to(await send(network.client, form, price=str(price), places="1", email="awa@example.org")) == at
    page = await look(network.client, at)
    assert "Vous êtes dans la file" in words(page)
    assert "Personne avant vous" in words(page)
    await gone(network, event.id)
    await offer_all(context(network))
    async with network.engine.connect() as connection:
        (it,) = await waiting.line_of(connection, event.id)
        letter = (await connection.execute(sa.select(mail).where(mail.c.id == letter_of(it.id)))).one()
    assert (letter.recipient, it.email) == ("awa@example.org", None)
    assert network.cards["awa"].token not in str(letter.data), "the card's address opens what is on it"
    kept = words(await look(network.client, f"/c/{network.cards['awa'].token}/events"))
    assert "Des places vous sont gardées" in kept
    page = await look(network.client, at)
    pay = form_to(page, f"/c/{network.cards['awa'].token}/orders/{it.order_id}")
    assert "1 place vous est gardée" in words(page)
    # What is missing on the card is topped up; a payment that fails leaves the place to them.
    sandbox = led_to(await send(network.client, pay))
    back = led_to(await send(network.client, form_to(await look(network.client, sandbox), sandbox), act="failed"))
    await look(network.client, back)
    again = led_to(await send(network.client, pay))
    assert again != sandbox
    back = led_to(await send(network.client, form_to(await look(network.client, again), again), act="paid"))
    tickets = led_to(await look(network.client, back))
    assert "Votre billet est là" in words(await look(network.client, tickets))
    await offer_all(context(network))
    async with network.engine.connect() as connection:
        assert [it.state for it in await waiting.line_of(connection, event.id, ["taken"])] == ["taken"]


async def test_the_link_in_the_message_lets_the_next_one_have_it(network: Network) -> None:
    event, price, _ = await full_house(network)
    await joined(network, "awa", event.id, price, email="awa@example.org")
    await gone(network, event.id)
    await offer_all(context(network))
    async with network.engine.connect() as connection:
        (it,) = await waiting.line_of(connection, event.id)
        data = (await connection.execute(sa.select(mail.c.data).where(mail.c.id == letter_of(it.id)))).scalar_one()
    way = re.search(r"/waiting/[\w-]+", str(data))
    assert way is not None
    page = await look(network.client, way[0])
    assert (await standing(network, "awa", event.id))["state"] == "offered", "looking ends nothing"
    assert "Vous n’attendez plus" in words(await send(network.client, form_to(page, way[0])))
    assert (await read(network, event.id)).held == 2
    assert (await network.client.get("/waiting/AAAA")).status_code == 404


async def test_the_venue_sees_how_many_wait_and_not_who(network: Network) -> None:
    event, price, _ = await full_house(network)
    await joined(network, "awa", event.id, price, 2, email="awa@example.org")
    marie = await network.person("marie")
    page = await look(marie, f"/admin/events/{event.id}/guests")
    assert "2 places sont attendues" in words(page)
    assert "awa" not in page.text
    told = (await marie.get(f"/api/v1/events/{event.id}/waiting")).json()
    assert (told["waiting"], told["offered"], [it["turn"] for it in told["line"]]) == (2, 0, [1])


async def test_what_is_kept_is_told_and_forgotten(network: Network) -> None:
    event, price, _ = await full_house(network)
    await joined(network, "awa", event.id, price, 2, email="awa@example.org")
    wallet = network.cards["awa"].wallet
    async with network.engine.begin() as connection:
        (told,) = await held_about(connection, wallet)
        await forget(connection, wallet)
        (after,) = await held_about(connection, wallet)
        rows = await connection.scalar(sa.select(sa.func.count()).select_from(waiting_place))
    assert (told["email"], told["places"], after["email"], rows) == ("awa@example.org", 2, None, 1)


def test_how_long_places_are_kept() -> None:
    """Two hours by day, until the forenoon at night, and shorter shortly before."""
    day = 1_790_000_000_000_000 // (24 * HOUR_US) * 24 * HOUR_US
    far = day + 72 * HOUR_US
    assert kept_until_us(day + 12 * HOUR_US, far, "UTC") == day + 14 * HOUR_US
    assert kept_until_us(day + 22 * HOUR_US, far, "UTC") == day + 34 * HOUR_US
    assert kept_until_us(day + 3 * HOUR_US, far, "UTC") == day + 10 * HOUR_US
    assert kept_until_us(day + 12 * HOUR_US, day + 13 * HOUR_US, "UTC") == day + 12 * HOUR_US + HOUR_US // 3
    assert kept_until_us(day + 22 * HOUR_US, day + 30 * HOUR_US, "UTC") == day + 30 * HOUR_US - HOUR_US // 3
