"""The holder's page in a real browser: top up, see a tap arrive, lose the connection, press everything twice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, BrowserContext, Page, expect

from app.topups.calling import Api
from app.topups.stripe import Stripe
from app.topups.tables import topup
from tests.support.network import PASSWORD, Network
from tests.support.serving import free_port, served
from tests.support.stripe import SECRET, FakeStripe

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "fr-FR"}
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
# live.js asks every 5 s, wait.js more often; the browser's clock is turned, nobody waits.
EVERY_MS = 5000


@pytest.fixture
async def phone(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(**PHONE)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


def card_page(network: Network) -> str:
    return f"{network.settings.base_url}/c/{network.cards['awa'].token}"


async def top_up(page: Page, amount: str = "30,00 €") -> None:
    """From the card's page to the payment page."""
    await page.get_by_role("link", name="Recharger").click()
    await page.get_by_label(re.compile(amount.replace(" ", r"\s"))).check()
    await page.get_by_role("button", name="Aller au paiement").click()
    await expect(
        page.get_by_text("Bac à sable : aucun argent réel".replace(" :", "\N{NO-BREAK SPACE}:"))
    ).to_be_visible()


async def shows(page: Page, text: str) -> None:
    await expect(page.locator(".balances .figure-value").first).to_have_text(
        re.compile(text.replace(" ", r"\s")), timeout=PATIENCE_MS
    )


async def test_top_up_tap_and_see_the_claim_rise(phone: BrowserContext, served_network: Network) -> None:
    complaints: list[str] = []
    page = await phone.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.clock.install()
    await page.goto(card_page(served_network))
    await shows(page, "0,00 €")
    await top_up(page)
    await page.get_by_role("button", name="Payer", exact=True).click()
    await expect(page.get_by_text("sont sur votre carte")).to_be_visible()
    await page.get_by_role("link", name="Voir la carte").click()
    await shows(page, "30,00 €")

    # The browser's clock stands still: what moves the page is the server's word alone.
    bar = await served_network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 2})).status_code == 201
    await shows(page, "23,00 €")
    await expect(page.get_by_text("2 × Demi")).to_be_visible()

    await served_network.hired("nadia")
    desk = await phone.new_page()
    await desk.goto(f"{served_network.settings.base_url}/admin")
    await desk.get_by_label("Identifiant").fill("nadia")
    await desk.get_by_label("Mot de passe").fill(PASSWORD)
    await desk.get_by_role("button", name="Se connecter").click()
    await expect(desk.get_by_role("heading", name=re.compile("Qui doit quoi à qui"))).to_be_visible()
    await expect(desk.get_by_role("row", name=re.compile("Raffinerie")).get_by_text("7,00").first).to_be_visible()
    assert complaints == []


async def test_everything_pressed_twice_is_paid_once(phone: BrowserContext, served_network: Network) -> None:
    page = await phone.new_page()
    await page.goto(card_page(served_network))
    await top_up(page)
    await page.go_back()
    await page.get_by_role("button", name="Aller au paiement").dblclick()
    await page.get_by_role("button", name="Payer", exact=True).dblclick()
    await expect(page.get_by_text("sont sur votre carte")).to_be_visible()
    await page.reload()
    await page.go_back()
    await page.goto(card_page(served_network))
    await shows(page, "30,00 €")
    assert (await served_network.holds("awa"))["RAF"] == 3000


async def test_the_page_that_waits_for_the_payment_shows_it_by_itself(
    phone: BrowserContext, served_network: Network
) -> None:
    page, elsewhere = await phone.new_page(), await phone.new_page()
    await page.clock.install()
    await page.goto(card_page(served_network))
    await top_up(page)
    await elsewhere.goto(page.url)
    async with served_network.context.reader.connect() as connection:
        (found,) = await connection.execute(sa.select(topup.c.id))
    await page.goto(f"{card_page(served_network)}/top-ups/{found.id}")
    await expect(page.get_by_text("Nous attendons la confirmation du paiement")).to_be_visible()
    await elsewhere.get_by_role("button", name="Payer", exact=True).click()
    await expect(elsewhere.get_by_text("sont sur votre carte")).to_be_visible()
    await page.clock.run_for(EVERY_MS)
    await expect(page.get_by_text("sont sur votre carte")).to_be_visible()


async def test_a_lost_connection_keeps_the_balance_and_says_of_when(
    phone: BrowserContext, served_network: Network
) -> None:
    await served_network.top_up("awa", 2000)
    page = await phone.new_page()
    await page.clock.install()
    await page.goto(card_page(served_network))
    lost = page.get_by_text("dernier solde connu")
    await expect(lost).to_be_hidden()
    await phone.set_offline(True)
    await page.clock.run_for(EVERY_MS)
    await expect(lost).to_be_visible(timeout=PATIENCE_MS)
    await shows(page, "20,00 €")
    await phone.set_offline(False)
    await page.clock.run_for(EVERY_MS)
    await expect(lost).to_be_hidden(timeout=PATIENCE_MS)


async def test_the_whole_way_works_without_javascript(chromium: Browser, served_network: Network) -> None:
    context = await chromium.new_context(**PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(card_page(served_network))
    await top_up(page)
    await page.get_by_role("button", name="Payer", exact=True).click()
    await expect(page.get_by_text("sont sur votre carte")).to_be_visible()
    await page.get_by_role("link", name="Voir la carte").click()
    await shows(page, "30,00 €")
    await page.get_by_text("Perdue ou volée").click()
    await page.get_by_role("button", name="Bloquer ma carte").click()
    await expect(page.get_by_text("Cette carte est bloquée")).to_be_visible()
    await context.close()


async def test_paying_works_under_another_name_of_the_server(phone: BrowserContext, served_network: Network) -> None:
    """A phone may reach the server by its name and not by the address in the settings: forms end at one origin only."""
    page = await phone.new_page()
    await page.goto(card_page(served_network).replace("127.0.0.1", "localhost"))
    await top_up(page)
    await page.get_by_role("button", name="Payer", exact=True).click()
    await expect(page.get_by_text("sont sur votre carte")).to_be_visible()
    assert "localhost" in page.url


async def test_pay_on_stripe_s_page_and_come_back_credited(phone: BrowserContext, served_network: Network) -> None:
    """From our form to another origin and back: no policy of ours is in the way, and nothing is asked of a notice."""
    complaints: list[str] = []
    page = await phone.new_page()
    page.on("console", lambda it: complaints.append(f"{it.location['url']} {it.text}") if it.type == "error" else None)
    port, home = free_port(), served_network.settings.base_url
    stripe = FakeStripe(f"http://127.0.0.1:{port}")
    served_network.app.state.provider = Stripe(Api("stripe", stripe.client(), pause_s=0), [SECRET], home)
    async with served(stripe.app, port):
        stripe.faults.extend(["500"] * 3)
        await page.goto(f"{card_page(served_network)}/top-up")
        await page.get_by_label(re.compile("Autre montant")).fill("23,45")
        await page.get_by_role("button", name="Aller au paiement").click()
        await expect(page.get_by_text("Le prestataire de paiement ne répond pas")).to_be_visible()
        await expect(page.get_by_label(re.compile("Autre montant"))).to_have_value("23,45")
        await page.get_by_role("button", name="Aller au paiement").click()
        await page.get_by_role("button", name="Pay", exact=True).click()
        await expect(page.get_by_text(re.compile(r"23,45\s€ sont sur votre carte"))).to_be_visible()
    assert len(stripe.charges) == 1
    # The browser itself notes that the first try was answered with 503, and that Stripe's page has no icon.
    assert [it for it in complaints if "503" not in it and "favicon.ico" not in it] == []
