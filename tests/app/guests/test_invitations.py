"""A venue invites: by links that are good once, or onto a card; counted while they are out, and on the door's list."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.events import service
from app.events.paying import tend
from app.events.proof import wrong
from app.events.rules import Event, Price
from app.events.tables import ticket
from app.guests import invitations
from app.guests.held import forget_invited, invited
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.ids import uuid7
from tests.support.network import Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def concert(network: Network, capacity: int = 3) -> tuple[Event, UUID, UUID]:
    """(event, the guests' price, the price that is paid)."""
    guests, paid, starts = uuid7(), uuid7(), now_us() + 24 * HOUR_US
    venue = network.venues["raffinerie"].id
    new = Event(uuid7(), venue, "Bal", "Ball", "", "", starts, starts, starts + HOUR_US, capacity)
    async with network.engine.begin() as connection:
        made = await service.create(connection, "test", new)
        given = Price(guests, "Invités", "Guests", "RAF", 0, channel="invitation")
        await service.set_price(connection, "test", made.id, given)
        await service.set_price(connection, "test", made.id, Price(paid, "Plein tarif", "", "RAF", 1200))
        await service.publish(connection, "test", made.id)
    return await read(network, made.id), guests, paid


async def read(network: Network, id_: UUID) -> Event:
    async with network.engine.connect() as connection:
        return await service.event_named(connection, id_)


async def asked(network: Network, event: Event, price: UUID, name: str = "Zoé", **more: Any) -> Any:
    marie = await network.person("marie")
    body = {"id": str(uuid7()), "price": str(price), "name": name, **more}
    return await marie.post(f"/api/v1/events/{event.id}/invitations", json=body)


async def tickets(network: Network) -> list[tuple[str | None, UUID]]:
    async with network.engine.connect() as connection:
        rows = await connection.execute(sa.select(ticket.c.name, ticket.c.wallet).order_by(ticket.c.serial))
        return [(row.name, row.wallet) for row in rows]


@both
async def test_a_link_is_good_once_and_counted_from_the_beginning(network: Network) -> None:
    event, guests, paid = await concert(network)
    one = await asked(network, event, guests, id=str(uuid7()))
    assert one.json()["state"] == "held"
    again = await asked(network, event, guests, id=one.json()["id"])
    assert again.json() == one.json(), "the same asked twice is one invitation"
    assert (await read(network, event.id)).held == 1
    assert problem(await asked(network, event, paid)) == (422, "invalid")
    at = urlsplit(one.json()["link"]).path
    page = await look(network.client, at)
    assert "Zoé" in words(page)
    assert await tickets(network) == [], "looking takes nothing"
    label = network.cards["awa"].label
    done = await send(network.client, form_to(page, at), onto="card", card=label)
    assert led_to(done) == at
    assert "Le billet est sur la carte" in words(await look(network.client, at))
    assert await tickets(network) == [("Zoé", network.cards["awa"].wallet)]
    for onto in ("awa", "basile"):
        await send(network.client, form_to(page, at), onto="card", card=network.cards[onto].label)
    assert await tickets(network) == [("Zoé", network.cards["awa"].wallet)]
    now = await read(network, event.id)
    assert (now.held, now.sold) == (0, 1)
    assert await wrong(network.engine) == []


@both
async def test_of_several_who_open_a_link_at_once_one_has_the_place(network: Network) -> None:
    event, guests, _ = await concert(network)
    id_ = UUID((await asked(network, event, guests)).json()["id"])
    async with network.engine.connect() as connection:
        it = await invitations.invitation_named(connection, id_)
    cards = [network.cards[name] for name in ("awa", "basile", "camille")]
    takes = (invitations.take(network.engine, it, event, card) for card in (*cards, None))
    outcomes = await asyncio.gather(*takes, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in outcomes) >= 2
    assert len(await tickets(network)) == 1
    assert await wrong(network.engine) == []


async def test_without_a_card_the_page_shows_the_code(network: Network) -> None:
    event, guests, _ = await concert(network)
    at = urlsplit((await asked(network, event, guests)).json()["link"]).path
    page = await look(network.client, at)
    unknown = await send(network.client, form_to(page, at), onto="card", card="nothing")
    assert "Aucune carte ne porte ce numéro" in words(unknown)
    await send(network.client, form_to(page, at))
    page = await look(network.client, at)
    assert "Voici le billet" in words(page)
    assert page.text.count("<svg") >= 1
    assert (await network.client.get("/invitation/AAAA")).status_code == 404


async def test_onto_a_card_at_once_and_what_cannot_be(network: Network) -> None:
    event, guests, _ = await concert(network, capacity=1)
    card = network.cards["awa"]
    given = (await asked(network, event, guests, card=str(card.id))).json()
    assert (given["state"], given["link"]) == ("paid", None)
    assert await tickets(network) == [("Zoé", card.wallet)]
    assert problem(await asked(network, event, guests)) == (409, "sold-out")
    assert problem(await asked(network, event, guests, name="  ")) == (422, "invalid")
    nadia = await network.person("nadia")
    assert problem(await nadia.get(f"/api/v1/events/{event.id}/invitations")) == (403, "forbidden")
    async with network.engine.begin() as connection:
        assert [it["name"] for it in await invited(connection, card.wallet)] == ["Zoé"]
        await forget_invited(connection, card.wallet)
        assert [it["name"] for it in await invited(connection, card.wallet)] == [None]


async def test_withdrawn_or_not_come_the_place_is_others(network: Network) -> None:
    event, guests, _ = await concert(network)
    marie = await network.person("marie")
    made = [(await asked(network, event, guests, name)).json() for name in ("Zoé", "Yan")]
    gone = f"/api/v1/events/{event.id}/invitations/{made[0]['id']}"
    assert (await marie.delete(gone)).status_code == 204
    assert (await marie.delete(gone)).status_code == 204
    at = urlsplit(made[0]["link"]).path
    assert "Cette invitation n’est plus valable" in words(await look(network.client, at))
    assert (await read(network, event.id)).held == 1
    await tend(network.ledger, event.ends_at_us + HOUR_US)
    assert (await read(network, event.id)).held == 0
    states = [it["state"] for it in (await marie.get(f"/api/v1/events/{event.id}/invitations")).json()]
    assert states == ["released", "released"]


async def test_on_the_admin_page_one_name_a_line_and_a_list_for_the_door(network: Network) -> None:
    event, guests, _ = await concert(network)
    marie, at = await network.person("marie"), f"/admin/events/{event.id}/guests"
    form = form_to(await look(marie, at), at)
    for _ in range(2):
        assert led_to(await send(marie, form, names="Zoé Ax\n\n=Yan By", price=str(guests))) == at
    assert (await read(network, event.id)).held == 2, "the same form is the same guests"
    page = await look(marie, at)
    assert page.text.count("/invitation/") == 2
    full = await send(marie, form_to(page, at), names="A\nB\nC", price=str(guests))
    assert (full.status_code, "Il ne reste pas assez de places" in words(full)) == (409, True)
    card = await send(marie, form_to(page, at), names="A", price=str(guests), card="nothing")
    assert "Aucune carte" in words(card)
    async with network.engine.connect() as connection:
        (it, *_) = await invitations.invitations_of(connection, event.id)
    await invitations.take(network.engine, it, event)
    listed = (await look(marie, f"{at}.csv")).text.splitlines()
    assert listed[1] == "'=Yan By;Invités;1"
    hugo = await network.person("hugo")
    assert "Zoé" not in (await look(hugo, at)).text, "its guests are the venue's alone to know"
