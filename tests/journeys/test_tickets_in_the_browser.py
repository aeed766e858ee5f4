"""Tickets bought on a phone, in a real browser: what is missing on the card is paid online, and the codes are read."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, expect

from app.events import service
from app.events.rules import Event, Price
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.tickets import verified
from tests.support.network import Network

pytestmark = pytest.mark.browser

HOUR_US = 3_600_000_000


async def test_from_the_card_to_the_codes(chromium: Browser, served_network: Network) -> None:
    network, starts = served_network, now_us() + 24 * HOUR_US
    venue = network.venues["raffinerie"].id
    new = Event(uuid7(), venue, "Grand bal", "", "", "", starts, starts, starts + HOUR_US, 10)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        await service.set_price(connection, "test", new.id, Price(uuid7(), "Plein tarif", "", "RAF", 1200))
        await service.publish(connection, "test", new.id)
    await network.top_up("awa", 1000)
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR")
    context.set_default_timeout(20_000)
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{network.settings.base_url}/c/{network.cards['awa'].token}")
    await page.get_by_role("link", name="Événements et mes billets").click()
    await page.get_by_role("link", name="Grand bal").click()
    await page.get_by_label("Plein tarif").select_option("2")
    await page.get_by_role("button", name="Payer avec la carte").click()
    await page.wait_for_url("**/sandbox/pay/*")
    await page.locator("button[value=paid]").click()
    await expect(page.get_by_text("Vos 2 billets sont là")).to_be_visible()
    codes = []
    for place in range(2):
        shot = await page.locator(".ticket-code").nth(place).screenshot()
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)))
        codes.append(verified(code.text, network.context.keys.signing.public_key()))
    assert {event for event, _ in codes} == {new.id}
    assert len({ticket for _, ticket in codes}) == 2
    assert (await network.holds("awa"))["RAF"] == 0
    assert not complaints
    await context.close()
