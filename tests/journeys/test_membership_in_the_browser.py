"""A membership in a real browser: bought on a phone, it opens the members' price of an event and a vote, and the till's
real page shows it in colour and in words when the card is tapped; in French and in English."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.cards.claim_codes import claim_code_of
from app.events import service
from app.events.rules import Event, Price
from app.members import consultations
from app.members.consultations import Consultation
from app.members.plans import Plan, make_plan
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.membership import Rolling
from readers.emulator import Ntag213, UdpCardField
from tests.journeys.test_founding_sentence import PATIENCE_MS, Terminals
from tests.support.network import CARDS, RAF, Network

pytestmark = pytest.mark.browser

HOUR_US = 3_600_000_000
# Where to keep pictures for people to look at.
PICTURES = os.environ.get("COMPTOIR_TEST_PICTURES")


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


async def ground(network: Network) -> Consultation:
    """A venue's membership, a concert with a price for its members, and a question that they will be asked."""
    venue, now = network.venues["raffinerie"], now_us()
    plan = Plan(uuid7(), venue.id, "Amis du lieu", "Friends of the house", "RAF", 1500, Rolling(12))
    at = Event(uuid7(), venue.id, "Concert", "Concert", "", "", now, now + HOUR_US, now + 3 * HOUR_US, 10)
    asked = Consultation(uuid7(), plan.id, "Ouvrir le lundi ?", True, 0, now + HOUR_US, now + 2 * HOUR_US)
    async with network.engine.begin() as connection:
        await make_plan(connection, "test", plan, RAF, venue)
        await service.create(connection, "test", at)
        await service.set_price(connection, "test", at.id, Price(uuid7(), "Plein tarif", "Full price", "RAF", 1200))
        member = Price(uuid7(), "Adhérents", "Members", "RAF", 600, condition="member")
        await service.set_price(connection, "test", at.id, member)
        await service.publish(connection, "test", at.id)
    return asked


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
async def test_joined_on_the_phone_and_seen_at_the_till(
    served_network: Network, chromium: Browser, tmp_path: Path, locale: str
) -> None:
    network, fr = served_network, locale == "fr-FR"
    asked = await ground(network)
    await network.hired("lucas")
    await network.top_up("awa", 5000)
    card = network.cards["awa"]
    code = claim_code_of(network.context.keys.token, card.token)
    home = f"{network.settings.base_url}/c/{card.token}"
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    await page.goto(f"{home}/events")
    await page.get_by_role("link", name="Concert").click()
    await expect(page.get_by_text("Pour les adhérents" if fr else "For members")).to_be_visible()
    await expect(page.get_by_label("Adhérents" if fr else "Members")).to_have_count(0)
    await page.get_by_role("link", name="Adhésions" if fr else "Memberships").click()
    await page.get_by_role("link", name="Adhérer" if fr else "Join").click()
    await page.locator("[name=name]").fill("Awa Payet")
    await page.locator("[name=code]").fill(code)
    await picture(page, f"join-{locale}")
    await page.get_by_role("button", name=re.compile("^Payer" if fr else "^Pay")).click()
    await expect(page.get_by_text("vous êtes membre" if fr else "Welcome, you are a member")).to_be_visible()
    await picture(page, f"member-{locale}")

    await page.goto(f"{home}/events")
    await page.get_by_role("link", name="Concert").click()
    await page.get_by_label("Adhérents" if fr else "Members").select_option("1")
    await picture(page, f"price-{locale}")
    await page.get_by_role("button", name="Payer avec la carte" if fr else "Pay with the card").click()
    await expect(page.get_by_text("Votre billet est là" if fr else "Your ticket is here")).to_be_visible()
    assert (await network.holds("awa"))["RAF"] == 5000 - 1500 - 600

    now = now_us()
    async with network.engine.begin() as connection:
        opened = Consultation(asked.id, asked.plan, asked.question, True, 0, now, now + HOUR_US)
        await consultations.ask(connection, "test", opened, ["Oui", "Non"])
    await page.goto(f"{home}/memberships")
    await page.get_by_role("link", name="Ouvrir le lundi ?").click()
    await page.get_by_label("Oui").check()
    await page.locator("[name=code]").fill(code)
    await picture(page, f"vote-{locale}")
    await page.get_by_role("button", name="Voter" if fr else "Vote").click()
    await expect(page.get_by_text("Votre voix est comptée" if fr else "Your vote is counted")).to_be_visible()
    assert not complaints
    await context.close()

    with UdpCardField() as field:
        terminals = Terminals(network, chromium, field, tmp_path / "terminals")
        async with terminals.at("raffinerie") as till:
            if not fr:
                await till.get_by_role("link", name="English").click()
            await till.locator(".tile").first.click()
            await till.locator("#pay").click()
            await expect(till.locator("#state[data-phase=present_card]:visible")).to_be_visible()
            field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
            band = till.locator("#state .member-valid")
            await expect(band).to_contain_text("Amis du lieu" if fr else "Friends of the house")
            await expect(band.locator(".member-until")).to_contain_text(re.compile("jusqu" if fr else "until"))
            red, green, blue = await band.evaluate(
                "it => getComputedStyle(it).backgroundColor.match(/[0-9.]+/g).slice(0, 3).map(Number)"
            )
            assert (red, green, blue) != (0, 0, 0)
            await picture(till, f"till-{locale}")
