"""A holder's account in a real browser at phone size: a link from the mailbox, cards, money moved, and a passkey."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from app.cards.claim_codes import claim_code_of
from app.currencies.policies import defaults
from app.mail.carriers import Sandbox
from app.mail.sending import Mailer
from app.platform.settings import Settings
from app.rules.policy import Transfer
from tests.support.network import RAF, Network, network_of, running
from tests.support.serving import free_port, served

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "fr-FR"}
PATIENCE_MS = 20_000


@pytest.fixture
async def named_network(quick: None, database_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """Served under a name, which passkeys need, with a mailbox."""
    port = free_port()
    base_url = f"http://localhost:{port}"
    settings = Settings(
        data=tmp_path / "data", database_url=database_url, base_url=base_url, payments="sandbox", mail="sandbox"
    )
    async with running(settings) as app, network_of(app, settings) as network, served(app, port):
        yield network


@pytest.fixture
async def phone(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(**PHONE)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


async def sign_in(page: Page, network: Network) -> None:
    """From the form that is open, by the newest message of the mailbox."""
    await page.get_by_label("Adresse e-mail").fill("awa@example.org")
    await page.get_by_role("button", name="M’envoyer le lien").click()
    await expect(page.get_by_role("heading", name="Regardez vos e-mails")).to_be_visible()
    await Mailer(network.context, Sandbox(network.context.engine)).round()
    await page.goto(f"{network.settings.base_url}/sandbox/mail")
    await page.get_by_text("Lire").first.click()
    await page.get_by_role("link", name="En HTML").first.click()
    await page.get_by_role("link", name="Se connecter").click()
    await page.get_by_role("button", name="Se connecter").click()


async def keep(page: Page, network: Network, name: str) -> None:
    card = network.cards[name]
    await page.goto(f"{network.settings.base_url}/c/{card.token}")
    await page.get_by_role("link", name="La garder dans mon compte").click()
    if await page.get_by_label("Adresse e-mail").count():
        await sign_in(page, network)
    code = claim_code_of(network.context.keys.token, card.token)
    await page.get_by_label("Code au dos de la carte").fill(code.lower())
    await page.get_by_role("button", name="La garder dans mon compte").click()
    await expect(page.get_by_text("La carte est dans votre compte")).to_be_visible()


async def test_from_the_card_to_an_account_with_two_cards_and_money_moved(
    phone: BrowserContext, named_network: Network
) -> None:
    await named_network.top_up("awa", 2000)
    page = await phone.new_page()
    await keep(page, named_network, "awa")
    await keep(page, named_network, "basile")
    first = page.get_by_role("region", name=named_network.cards["awa"].label)
    await expect(first.get_by_text(re.compile(r"20,00\s€"))).to_be_visible()
    await first.get_by_role("link", name="Gérer").click()
    await page.get_by_role("link", name="Déplacer de l’argent vers une autre carte").click()
    await page.get_by_label("Montant").fill("7,50")
    await page.get_by_role("button", name="Déplacer").click()
    await expect(page.get_by_text("L’argent est déplacé")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"12,50\s€"))).to_be_visible()
    assert (await named_network.holds("basile"))["RAF"] == 750


async def test_a_passkey_is_added_and_signs_in_on_the_same_phone(phone: BrowserContext, named_network: Network) -> None:
    page = await phone.new_page()
    devtools = await phone.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    base = named_network.settings.base_url
    await page.goto(f"{base}/me")
    await sign_in(page, named_network)
    await page.get_by_text("Clés d’accès", exact=True).click()
    await page.get_by_role("button", name="Ajouter une clé d’accès").click()
    await expect(page.get_by_text("La clé d’accès est ajoutée")).to_be_visible()
    await page.get_by_text("Se déconnecter", exact=True).click()
    await page.get_by_role("button", name="Se déconnecter ici").click()
    bodies: list[str] = []
    page.on("request", lambda it: bodies.append(it.post_data or "") if it.url.endswith("/me/passkey") else None)
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    await expect(page.get_by_role("heading", name="Mes cartes")).to_be_visible()
    await expect(page.get_by_text("awa@example.org")).to_be_visible()
    # What was signed once signs in nobody again.
    again = await phone.request.post(f"{base}/me/passkey", data=bodies[0], headers={"Content-Type": "application/json"})
    assert again.status == 422
    # A passkey that was removed is not known any more.
    await page.get_by_text("Clés d’accès", exact=True).click()
    await page.get_by_role("button", name="Retirer").click()
    await expect(page.get_by_text("La clé d’accès est retirée")).to_be_visible()
    await phone.clear_cookies()
    await page.goto(f"{base}/me/sign-in")
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    await expect(page.get_by_text("Cela n’a pas marché")).to_be_visible()


async def test_the_whole_way_in_english(chromium: Browser, named_network: Network) -> None:
    """Top up, a recovery code, an account, a limit, a gift, a wallet before there is a wristband, a lost card."""
    await named_network.rules(RAF, replace(defaults("pegged"), transfer=Transfer(allowed=True)))
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    page, base, awa = await context.new_page(), named_network.settings.base_url, named_network.cards["awa"]

    await page.goto(f"{base}/c/{awa.token}")
    await page.get_by_role("link", name="Top up").click()
    await page.get_by_label("€30.00").check()
    await page.get_by_role("button", name="Go to payment").click()
    await page.get_by_role("button", name="Pay", exact=True).click()
    await expect(page.get_by_text("€30.00 are on your card")).to_be_visible()
    await page.get_by_role("link", name="See the card").click()
    await page.get_by_role("button", name="Get my recovery code").click()
    code = " ".join(await page.locator(".recovery-code code").all_inner_texts())
    await page.get_by_role("link", name="I have it").click()

    await page.get_by_role("link", name="Keep it in my account").click()
    await page.get_by_label("E-mail address").fill("awa@example.org")
    await page.get_by_role("button", name="Send me the link").click()
    await expect(page.get_by_role("heading", name="Look in your mailbox")).to_be_visible()
    await Mailer(named_network.context, Sandbox(named_network.context.engine)).round()
    await page.goto(f"{base}/sandbox/mail")
    await page.get_by_text("Read", exact=True).first.click()
    await page.get_by_role("link", name="As HTML").first.click()
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Code on the back of the card").fill(
        claim_code_of(named_network.context.keys.token, awa.token)
    )
    await page.get_by_role("button", name="Keep it in my account").click()
    await expect(page.get_by_text("The card is in your account")).to_be_visible()

    await page.get_by_role("link", name="Manage").click()
    await page.get_by_role("link", name="Limit for one day").click()
    await page.get_by_label("Rafftou").fill("5")
    await page.get_by_role("button", name="Save").click()
    bar = await named_network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 2})).status_code != 201
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201

    await page.goto(f"{base}/me")
    await page.get_by_role("link", name="Manage").click()
    await page.get_by_role("link", name="Send to a friend").click()
    await page.get_by_label("Amount").fill("6.50")
    await page.get_by_label("Your friend’s e-mail address").fill("basile@example.org")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("It is on its way")).to_be_visible()
    await page.get_by_role("button", name="Take it back").click()

    await page.goto(f"{base}/me")
    await page.get_by_text("No card yet? Top up before you come").click()
    await page.get_by_label("Its name").fill("Léa")
    await page.get_by_role("button", name="Open a wallet").click()
    await expect(page.get_by_text("Show this where wristbands are given out")).to_be_visible()

    await page.goto(f"{base}/lost")
    await page.get_by_label("Recovery code").fill(code)
    await page.get_by_role("button", name="Block my card").click()
    await expect(page.get_by_text("Nobody can pay with it any more")).to_be_visible()
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 403
    assert (await named_network.holds("awa"))["RAF"] == 3000 - 350
    await context.close()
