"""A full event on a phone, in a real browser: one stands in line, a place comes free, and it is bought."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from app.events import orders, service
from app.events.orders import Ask
from app.events.rules import Event, Price
from app.guests.offering import offer_all
from app.platform.clock import now_us
from app.rules.ids import uuid7
from tests.support.network import Network

pytestmark = pytest.mark.browser

HOUR_US = 3_600_000_000


async def test_from_full_to_the_ticket(chromium: Browser, served_network: Network) -> None:
    network, starts, price = served_network, now_us() + 48 * HOUR_US, uuid7()
    venue = network.venues["raffinerie"].id
    new = Event(uuid7(), venue, "Grand bal", "", "", "", starts, starts, starts + HOUR_US, 1)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        await service.set_price(connection, "test", new.id, Price(price, "Plein tarif", "", "RAF", 1200))
        await service.publish(connection, "test", new.id)
    basket = await orders.hold(network.engine, Ask(uuid7(), new.id, network.cards["basile"], {price: 1}))
    await network.top_up("awa", 2000)
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR")
    context.set_default_timeout(20_000)
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    events = f"{network.settings.base_url}/c/{network.cards['awa'].token}/events"
    await page.goto(events)
    await page.get_by_role("link", name="Grand bal").click()
    await expect(page.get_by_text("Il ne reste plus de places")).to_be_visible()
    await page.get_by_role("button", name="S’inscrire").click()
    await expect(page.get_by_text("Vous êtes dans la file")).to_be_visible()
    await orders.release(network.engine, basket)
    await offer_all(network.context)
    await page.goto(events)
    await page.get_by_role("link", name="Voir", exact=True).click()
    await expect(page.get_by_role("heading", name="1 place vous est gardée")).to_be_visible()
    await page.get_by_role("button", name="Payer avec la carte").click()
    await expect(page.get_by_text("Votre billet est là")).to_be_visible()
    assert (await network.holds("awa"))["RAF"] == 800
    assert not complaints
    await context.close()
