"""A purchase is disputed on a phone and answered at a desk, in both languages: every word, every press."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.support.network import PASSWORD, Network

pytestmark = pytest.mark.browser

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


SAID = {
    "fr-FR": ("Raffinerie", "Le montant est faux", "Avec vos mots", "Prévenir le lieu", "Le lieu est prévenu"),
    "en-GB": ("Raffinerie", "I paid twice", "In your words", "Tell the venue", "The venue was told"),
}
ANSWERED = {
    "fr-FR": ("Annuler la vente", "Le lieu a annulé cette vente", "20,00"),
    "en-GB": ("Refuse", "The venue does not take this sale back", "16.50"),
}
SIGN_IN = {"fr-FR": ("Identifiant", "Mot de passe", "Se connecter"), "en-GB": ("Login", "Password", "Sign in")}


@pytest.mark.parametrize("language", list(SAID))
async def test_from_the_card_s_page_to_the_answer(chromium: Browser, served_network: Network, language: str) -> None:
    network, base = served_network, served_network.settings.base_url
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    await network.hired("marie")
    venue, reason, words, tell, told = SAID[language]
    act, answer, left = ANSWERED[language]
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale=language)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    home = f"{base}/c/{network.cards['awa'].token}"
    await page.goto(home)
    await page.get_by_role("link", name=venue, exact=True).click()
    await page.get_by_label(reason).check()
    await page.get_by_label(re.compile(words)).fill("Deux demis, un seul verre")
    await page.get_by_role("button", name=tell).dblclick()
    await expect(page.get_by_text(told)).to_be_visible()

    desk = await (await chromium.new_context(locale=language)).new_page()
    await desk.goto(f"{base}/admin/disputes")
    login, password, enter = SIGN_IN[language]
    await desk.get_by_label(login).fill("marie")
    await desk.get_by_label(password).fill(PASSWORD)
    await desk.get_by_role("button", name=enter).click()
    await desk.goto(f"{base}/admin/disputes")
    await desk.get_by_role("link", name=reason).click()
    await desk.locator("#words").fill("Regardé avec l’équipe.")
    await desk.get_by_role("button", name=act, exact=True).click()
    await expect(desk.locator("#words")).to_have_count(0)

    await page.reload()
    await expect(page.get_by_text(answer)).to_be_visible()
    await expect(page.get_by_text("Regardé avec l’équipe.")).to_be_visible()
    await page.goto(home)
    await expect(page.locator(".balances .figure-value").first).to_contain_text(left)
    await context.close()
