"""A concert that is cancelled, in real browsers: bought on a phone, looked through and confirmed by the venue, and back
on the card, and on the payment card that a part of it was paid with."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from app.events import service
from app.events.proof import wrong as wrong_orders
from app.events.rules import Event, Price
from app.platform.clock import now_us
from app.returns.proof import wrong
from app.rules.ids import uuid7
from app.rules.policy import Policy, Redeem
from tests.support.network import PASSWORD, RAF, Network

pytestmark = pytest.mark.browser

HOUR_US = 3_600_000_000
PATIENCE_MS = 20_000


async def opened(chromium: Browser, language: str, width: int, height: int) -> tuple[Page, list[str]]:
    """A browser that shares nothing with others, and what it complains of."""
    context = await chromium.new_context(viewport={"width": width, "height": height}, locale=language)
    context.set_default_timeout(PATIENCE_MS)
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


async def ball(network: Network) -> Event:
    starts, venue = now_us() + 24 * HOUR_US, network.venues["raffinerie"].id
    new = Event(uuid7(), venue, "Grand bal", "Great ball", "", "", starts, starts, starts + HOUR_US, 10)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        await service.set_price(connection, "test", new.id, Price(uuid7(), "Plein tarif", "Full", "RAF", 1200))
        await service.publish(connection, "test", new.id)
    return new


async def at_giving_back(desk: Page, base: str, of: Event) -> None:
    await desk.goto(f"{base}/sign-in?next=/admin/box-office/{of.id}")
    await desk.get_by_label("Login").fill("marie")
    await desk.get_by_label("Password").fill(PASSWORD)
    await desk.get_by_role("button", name="Sign in").click()
    await desk.get_by_role("link", name="Give back what was paid").click()


async def test_everybody_has_their_money_back(chromium: Browser, served_network: Network) -> None:
    network, new = served_network, await ball(served_network)
    await network.top_up("awa", 3000)
    base, card = network.settings.base_url, network.cards["awa"]
    phone, heard = await opened(chromium, "fr-FR", 390, 844)
    await phone.goto(f"{base}/c/{card.token}/events/grand-bal")
    await phone.get_by_label("Plein tarif").select_option("2")
    await phone.get_by_role("button", name="Payer avec la carte").click()
    await expect(phone.get_by_text("Vos 2 billets sont là")).to_be_visible()
    assert (await network.post("marie", f"/events/{new.id}/cancel")).status_code == 200
    await phone.reload()
    await expect(phone.get_by_text("Cet événement n’aura pas lieu")).to_be_visible()

    desk, told = await opened(chromium, "en-GB", 1280, 900)
    await at_giving_back(desk, base, new)
    row = desk.get_by_role("row", name=card.label)
    await expect(row).to_contain_text("to give back")
    await expect(row).to_contain_text("24.00")
    await desk.get_by_role("button", name="Give €24.00 back").click()
    await expect(desk.get_by_text("All that was paid is back on the cards")).to_be_visible()
    await expect(desk.get_by_role("row", name=card.label)).to_contain_text("given back")
    assert await desk.get_by_role("button", name="back").count() == 0

    await phone.reload()
    await expect(phone.get_by_text("24,00 € rendus sur votre carte")).to_be_visible()
    await expect(phone.get_by_text("2 billets sont annulés")).to_be_visible()
    await phone.get_by_role("link", name="Revenir à la carte").click()
    await expect(phone.get_by_text("Billets repris : Raffinerie")).to_be_visible()
    assert (await network.holds("awa"))["RAF"] == 3000
    assert await wrong_orders(network.engine) + await wrong(network.engine) == []
    assert not heard + told
    await phone.context.close()
    await desk.context.close()


async def test_what_was_paid_on_the_payment_page_is_back_there(chromium: Browser, served_network: Network) -> None:
    network, new = served_network, await ball(served_network)
    await network.rules(RAF, Policy(redeem=Redeem(who=("venues", "holders"))))
    await network.top_up("awa", 500)
    base, card = network.settings.base_url, network.cards["awa"]
    phone, heard = await opened(chromium, "fr-FR", 390, 844)
    await phone.goto(f"{base}/c/{card.token}/events/grand-bal")
    await phone.get_by_label("Plein tarif").select_option("1")
    await phone.get_by_role("button", name="Payer avec la carte").click()
    await phone.wait_for_url("**/sandbox/pay/*")
    await phone.locator("button[value=paid]").click()
    await expect(phone.get_by_text("Votre billet est là")).to_be_visible()
    assert (await network.post("marie", f"/events/{new.id}/cancel")).status_code == 200

    desk, told = await opened(chromium, "en-GB", 390, 844)
    await at_giving_back(desk, base, new)
    await expect(desk.get_by_text("of it on to payment cards")).to_be_visible()
    await expect(desk.get_by_role("row", name=card.label)).to_contain_text("€7.00")
    assert await desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await desk.get_by_role("button", name="Give €12.00 back").click()
    await expect(desk.get_by_text("All that was paid is back on the cards")).to_be_visible()
    for _ in range(40):
        await desk.reload()
        if await desk.get_by_text("on the payment card", exact=True).count():
            break
        await asyncio.sleep(0.5)
    await expect(desk.get_by_role("row", name=card.label)).to_contain_text("on the payment card")
    await phone.reload()
    await expect(phone.get_by_text("est de retour sur votre carte bancaire")).to_be_visible()
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await phone.get_by_role("link", name="Suivre").click()
    await expect(phone.get_by_text("7,00 € ont été versés")).to_be_visible()
    assert (await network.holds("awa"))["RAF"] == 500
    assert await wrong_orders(network.engine) + await wrong(network.engine) == []
    assert not heard + told
    await phone.context.close()
    await desk.context.close()
