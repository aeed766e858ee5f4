"""What is left on a card, on a phone: had back by transfer in French, given in English; without JavaScript too."""

from __future__ import annotations

import os
import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from app.cards import recovery
from app.refunds import service
from app.rules.ids import uuid7
from tests.app.refunds.conftest import policy
from tests.support.network import RAF, Network

pytestmark = pytest.mark.browser

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
SHOTS = os.environ.get("COMPTOIR_SHOTS", "")


async def look_at(page: Page, name: str) -> None:
    """Kept as a picture where somebody wants to see it; no page is wider than the phone."""
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def prepared(network: Network) -> tuple[str, str]:
    """(the card's page, its recovery code)."""
    await network.rules(RAF, policy())
    await network.top_up("awa", 2000)
    async with network.engine.begin() as connection:
        code = await recovery.make(connection, network.context.keys.token, "test", network.cards["awa"], uuid7())
    return f"{network.settings.base_url}/c/{network.cards['awa'].token}", code


async def test_had_back_by_transfer(chromium: Browser, served_network: Network) -> None:
    home, code = await prepared(served_network)
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="fr-FR", java_script_enabled=True
    )
    page = await context.new_page()
    await page.goto(home)
    await look_at(page, "1-card")
    await page.get_by_role("link", name="Récupérer ce qui reste").click()
    await look_at(page, "2-form")
    await page.get_by_label("Titulaire du compte").fill("Awa Diop")
    await page.get_by_label("IBAN").fill("FR14 2004 1010 0505 0001 3M02 607")
    await page.get_by_label("Code de secours").fill(code)
    await page.get_by_role("button", name="Voir ce que cela donne").click()
    await expect(page.get_by_text("Cet IBAN n’est pas juste")).to_be_visible()
    await look_at(page, "3-wrong")
    await page.get_by_label("IBAN").fill("FR14 2004 1010 0505 0001 3M02 606")
    await page.get_by_role("button", name="Voir ce que cela donne").click()
    await expect(page.get_by_text("Le réseau garde")).to_be_visible()
    await look_at(page, "4-review")
    await page.get_by_role("button", name=re.compile("Oui, envoyez-moi")).click()
    await expect(page.get_by_text("sont mis de côté pour vous")).to_be_visible()
    await look_at(page, "5-state")
    id_ = UUID(page.url.rsplit("/", 1)[1])
    await page.get_by_text("Finalement, garder l’argent sur la carte").click()
    await page.get_by_label("Code de secours").first.fill(code)
    await page.get_by_role("button", name="Annuler le remboursement").click()
    await expect(page.get_by_text("Le remboursement est annulé")).to_be_visible()
    await look_at(page, "6-cancelled")
    assert (await service.advance(served_network.ledger, None, id_)).status == "cancelled"
    await context.close()


async def test_given_without_scripts(chromium: Browser, served_network: Network) -> None:
    home, code = await prepared(served_network)
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", java_script_enabled=False
    )
    page = await context.new_page()
    await page.goto(home)
    await page.get_by_role("link", name="Give what is left").click()
    await page.get_by_label("How much").fill("7.50")
    await page.get_by_label("Recovery code").fill(code)
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "7-give.png", full_page=True)
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("You give €7.50 to the common fund.")).to_be_visible()
    await page.get_by_role("button", name="Yes, give €7.50").click()
    await expect(page.get_by_text("You gave €7.50 to the common fund")).to_be_visible()
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "8-given.png", full_page=True)
    assert (await served_network.holds("awa"))["RAF"] == 1250
    await context.close()
