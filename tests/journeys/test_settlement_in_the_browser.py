"""A whole settlement in a real browser: one person makes it, another approves it in a session of their own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.platform.clock import now_us
from app.rules.business_day import business_day
from app.settlement import sepa
from app.settlement.terms import NetworkTerms, set_terms
from tests.support.network import PASSWORD, Network
from tests.support.settling import month, pain_002, settling_of

pytestmark = pytest.mark.browser

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
async def sign_in(chromium: Browser, served_network: Network) -> AsyncIterator[object]:
    """Somebody's own session, in a browser that shares nothing with the others'."""
    contexts = []

    async def signed_in(login: str) -> Page:
        await served_network.hired(login)
        context = await chromium.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = await context.new_page()
        await page.goto(f"{served_network.settings.base_url}/sign-in?next=/admin/settlements")
        await page.get_by_label("Identifiant").fill(login)
        await page.get_by_label("Mot de passe").fill(PASSWORD)
        await page.get_by_role("button", name="Se connecter").click()
        return page

    yield signed_in
    for context in contexts:
        await context.close()


async def test_two_people_settle_a_month(
    sign_in: object, served_network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert callable(sign_in)
    settling = await settling_of(served_network, monkeypatch)
    await month(settling)
    async with served_network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(cover="shared", answer_days=0), actor="test")
    nadia, olga, marie = await sign_in("nadia"), await sign_in("olga"), await sign_in("marie")

    await nadia.get_by_label("Jusqu’à la fin du").fill(business_day(now_us(), "Europe/Paris").isoformat())
    await nadia.get_by_role("button", name="Figer").click()
    await expect(nadia.get_by_text("C’est vous qui l’avez fait")).to_be_visible()
    await expect(nadia.get_by_role("row", name=re.compile("Guinguette"))).to_contain_text("31,95")

    await marie.reload()
    await marie.get_by_role("link", name="Raffinerie").click()
    await expect(marie.get_by_role("row", name=re.compile("^Paiement"))).to_contain_text("6,60")
    await marie.get_by_role("link", name=re.compile("Encaissé en Rafftou")).click()
    await expect(marie.get_by_text("Vente annulée").first).to_be_visible()
    await marie.go_back()
    await marie.get_by_role("button", name="Accepter le relevé").click()
    await expect(marie.get_by_text("accepté").first).to_be_visible()

    await olga.goto(nadia.url)
    await olga.get_by_role("button", name="Approuver et écrire").click()
    await expect(olga.get_by_text("à payer").first).to_be_visible()

    await nadia.reload()
    await nadia.get_by_role("button", name="Faire le fichier").click()
    async with nadia.expect_download() as download:
        await nadia.get_by_role("link", name="Fichier bancaire (pain.001)").click()
    document = Path(await (await download.value).path()).read_text(encoding="utf-8")
    sepa.validate(document)
    assert "<CtrlSum>42.70</CtrlSum>" in document

    run = await settling.get({"id": nadia.url.rpartition("/")[2]})
    answer = tmp_path / "pain.002.xml"
    answer.write_bytes(pain_002(run, {str(served_network.venues["guinguette"].id)}))
    await nadia.get_by_label("La réponse de la banque (pain.002 ou camt.054)").set_input_files(answer)
    await nadia.get_by_role("button", name="La lire").click()
    await expect(nadia.get_by_text("AC04 Compte clos")).to_be_visible()
    await nadia.get_by_role("button", name="Clôturer le règlement").click()
    await expect(nadia.get_by_text("clôturé").first).to_be_visible()
