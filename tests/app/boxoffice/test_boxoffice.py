"""A holder buys tickets on a phone: from the card, or with what is topped up for them in the same basket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.boxoffice.service import complete_all
from app.events import service
from app.events.paying import tend
from app.events.proof import wrong
from app.events.rules import Event, Price
from app.events.tables import event as event_table
from app.events.tables import ticket
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.rules.tickets import PREFIX
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
    return network_settings.model_copy(update={"payments": "sandbox"})


@pytest.fixture(autouse=True)
def _no_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(base_url: str, reference: str) -> None:
        pass

    monkeypatch.setattr("app.topups.pages.sandbox._notify", lost)


async def concert(network: Network, capacity: int = 10, amount: int = 1200) -> tuple[Event, UUID]:
    """Published; its one price."""
    venue, price, starts = network.venues["raffinerie"], uuid7(), now_us() + 24 * HOUR_US
    new = Event(uuid7(), venue.id, "Bal", "Ball", "Deux violons.", "", starts, starts, starts + HOUR_US, capacity)
    async with network.engine.begin() as connection:
        await set_accepted(connection, venue.id, venue.accepted)
        made = await service.create(connection, "test", new)
        await service.set_price(
            connection, "test", made.id, Price(price, "Plein tarif", "Full", "RAF", amount, vat=550)
        )
        await service.publish(connection, "test", made.id)
        return await service.event_named(connection, made.id), price


async def issued(network: Network) -> list[Any]:
    async with network.engine.connect() as connection:
        return list(await connection.execute(sa.select(ticket).order_by(ticket.c.serial)))


async def chosen(network: Network, price: UUID, many: int, card: str = "awa") -> Any:
    at = f"/c/{network.cards[card].token}/events/bal"
    return await send(network.client, form_to(await look(network.client, at), at), **{f"places-{price}": str(many)})


async def test_tickets_are_bought_from_the_card(network: Network) -> None:
    await concert(network)
    event, price = await concert(network)
    await network.top_up("awa", 3000)
    home = f"/c/{network.cards['awa'].token}"
    listed = words(await look(network.client, f"{home}/events"))
    assert "Bal" in listed
    assert "12,00" in listed
    at = f"{home}/events/{event.slug}"
    form = form_to(await look(network.client, at), at)
    answer = await send(network.client, form, **{f"places-{price}": "2"})
    bought = led_to(answer)
    assert led_to(await send(network.client, form, **{f"places-{price}": "2"})) == bought, "the same form is one order"
    page = await look(network.client, bought)
    assert "Vos 2 billets sont là" in words(page)
    assert page.text.count("<svg") >= 2
    assert (await network.holds("awa"))["RAF"] == 600
    assert (await network.claims("raffinerie"))["RAF"] == 2400
    assert [it.serial for it in await issued(network)] == [1, 2]
    assert await wrong(network.engine) == []
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(event_table).where(event_table.c.id == event.id).values(sold=1))
    (found,) = await wrong(network.engine)
    assert "1 sold: they are 0 and 2" in found
    assert "Billets : Raffinerie" in words(await look(network.client, home))
    assert PREFIX not in page.text, "what the code says stands in the picture alone"


@both
async def test_programs_order_for_a_card_and_nobody_gets_one_place_too_many(network: Network) -> None:
    event, price = await concert(network, capacity=3)
    await network.top_up("awa", 5000)
    await network.top_up("basile", 1000)
    body = {"id": str(uuid7()), "event": str(event.id), "places": {str(price): 2}}

    async def ordered(card: str, body: Any) -> Any:
        return await network.client.post(f"/c/{network.cards[card].token}/orders", json=body)

    first = await ordered("awa", body)
    assert (first.json()["state"], first.json()["amount"]) == ("paid", 2400)
    assert (await ordered("awa", body)).json() == first.json()
    assert problem(await ordered("awa", {**body, "id": str(uuid7())})) == (409, "sold-out")
    other = {**body, "places": {str(price): 1}}
    assert problem(await ordered("awa", other)) == (422, "idempotency-key-reused")
    assert problem(await ordered("basile", {**other, "id": str(uuid7())})) == (402, "insufficient-funds")
    await tend(network.ledger, now_us() + HOUR_US)
    assert (await ordered("awa", {**other, "id": str(uuid7())})).json()["state"] == "paid"
    async with network.engine.connect() as connection:
        now = await service.event_named(connection, event.id)
    assert (now.sold, now.held, now.standing(now_us())) == (3, 0, "full")


async def test_what_is_missing_is_paid_online_and_the_order_completes(network: Network) -> None:
    _, price = await concert(network)
    await network.top_up("awa", 1000)
    pay = led_to(await chosen(network, price, 2))
    assert pay.startswith("/sandbox/pay/")
    page = await look(network.client, pay)
    assert "14,00 €" in words(page), "what is missing, and no more"
    back = led_to(await send(network.client, form_to(page, pay), act="paid"))
    assert "/orders/" in back
    tickets = led_to(await look(network.client, back))
    assert "Vos 2 billets sont là" in words(await look(network.client, tickets))
    assert (await network.holds("awa"))["RAF"] == 0
    assert led_to(await look(network.client, back)) == tickets


async def test_who_pays_too_late_is_placed_again_or_keeps_the_money(network: Network) -> None:
    event, price = await concert(network, capacity=4)
    pays = [led_to(await chosen(network, price, 2, card)) for card in ("awa", "basile")]
    assert await tend(network.ledger, now_us() + HOUR_US) == 2
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(event_table).where(event_table.c.id == event.id).values(capacity=3))
    backs = []
    for pay in pays:
        backs.append(led_to(await send(network.client, form_to(await look(network.client, pay), pay), act="paid")))
        await look(network.client, backs[-1])
    await complete_all(network.ledger)
    assert len(await issued(network)) == 2
    placed = led_to(await look(network.client, backs[0]))
    assert "Vos 2 billets sont là" in words(await look(network.client, placed))
    told = words(await look(network.client, backs[1]))
    assert "Votre paiement est sur la carte, sans billets" in told
    assert ((await network.holds("awa"))["RAF"], (await network.holds("basile"))["RAF"]) == (0, 2400)


async def test_a_payment_that_fails_leaves_nothing_behind(network: Network) -> None:
    event, price = await concert(network)
    pay = led_to(await chosen(network, price, 1))
    back = led_to(await send(network.client, form_to(await look(network.client, pay), pay), act="failed"))
    assert "Ces places n’ont pas été payées" in words(await look(network.client, back))
    assert await tend(network.ledger, now_us() + HOUR_US) == 1
    async with network.engine.connect() as connection:
        assert (await service.event_named(connection, event.id)).held == 0
    assert await issued(network) == []


async def test_who_chooses_nothing_or_holds_too_much_is_told(network: Network) -> None:
    _, price = await concert(network, capacity=100)
    assert "Choisissez vos places" in words(await chosen(network, price, 0))
    for _ in range(2):
        led_to(await chosen(network, price, 10))
    assert "Des places vous sont déjà réservées" in words(await chosen(network, price, 1))


async def test_a_price_for_members_is_for_members(network: Network) -> None:
    event, _ = await concert(network)
    price = uuid7()
    async with network.engine.begin() as connection:
        await service.set_price(
            connection, "test", event.id, Price(price, "Adhérent", "", "RAF", 0, condition="member")
        )
    at = f"/c/{network.cards['awa'].token}/events/bal"
    page = await look(network.client, at)
    assert "Pour les adhérents." in words(page)
    answer = await send(network.client, form_to(page, at), **{f"places-{price}": "1"})
    assert answer.status_code == 409
    assert await issued(network) == []
