"""A venue makes an event in a real browser; the programme and a holder’s phone show it; then it is cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.network import PASSWORD, Network

pytestmark = pytest.mark.browser

PATIENCE_MS = 20_000


async def price(page: Page, name: str, amount: str, condition: str = "none") -> None:
    await page.get_by_role("link", name="Ajouter un tarif").click()
    await page.get_by_label("Nom en français").fill(name)
    await page.get_by_label("Montant").fill(amount)
    await page.get_by_label("Qui y a droit").select_option(condition)
    await page.get_by_role("button", name="Enregistrer").click()


async def test_from_the_form_to_the_programme_and_the_phone(chromium: Browser, served_network: Network) -> None:
    network, base = served_network, served_network.settings.base_url
    await network.hired("marie")
    complaints: list[str] = []
    desk = await (await chromium.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")).new_page()
    phone = await (await chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")).new_page()
    for page in (desk, phone):
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
    await desk.goto(f"{base}/admin")
    await desk.get_by_label("Identifiant").fill("marie")
    await desk.get_by_label("Mot de passe").fill(PASSWORD)
    await desk.get_by_role("button", name="Se connecter").click()
    await desk.get_by_text("Programme", exact=True).click()
    await desk.get_by_role("link", name="Événements", exact=True).click()
    await desk.get_by_role("link", name="Créer un événement").click()
    day = datetime.now(ZoneInfo("Indian/Reunion")).date() + timedelta(8)
    await desk.get_by_label("Titre en français").fill("Bal folk")
    await desk.get_by_label("Titre en anglais").fill("Folk ball")
    await desk.get_by_label("Début").fill(f"{day.isoformat()}T20:00")
    await desk.get_by_label("Se termine").fill(f"{day.isoformat()}T23:00")
    await desk.get_by_label("Places en tout").fill("40")
    await desk.get_by_role("button", name="Enregistrer le brouillon").click()
    await price(desk, "Plein tarif", "12,50")
    await price(desk, "Adhérents", "8", "member")
    token = network.cards["awa"].token
    await phone.goto(f"{base}/c/{token}/events")
    await expect(phone.get_by_text("Folk ball")).to_have_count(0)
    await desk.get_by_role("button", name="Publier").click()
    await expect(desk.get_by_text("publié", exact=True)).to_be_visible()
    await phone.reload()
    await phone.get_by_role("link", name="Folk ball").click()
    await expect(phone.get_by_text("€12.50")).to_be_visible()
    await expect(phone.get_by_text("For members.")).to_be_visible()
    await phone.goto(f"{base}/programme")
    await expect(phone.get_by_role("link", name="Folk ball")).to_be_visible()

    await desk.get_by_role("link", name="Annuler l’événement").click()
    await desk.get_by_role("button", name="Oui, annuler l’événement").click()
    await expect(desk.get_by_text("Annulé", exact=True)).to_be_visible()
    await desk.get_by_role("link", name="Page publique").click()
    await expect(desk.get_by_text("Annulé").first).to_be_visible()
    await phone.goto(f"{base}/c/{token}/events")
    await expect(phone.get_by_text("Folk ball")).to_have_count(0)
    assert complaints == []
    await desk.context.close()
    await phone.context.close()
