"""The sentence that the network was founded on, played word by word on one card, three venues and six weeks:

"Top up your card, spend an evening at one venue, buy a membership and a concert ticket for tomorrow at another with
what is left, go on to the festival next month."
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.cards.claim_codes import claim_code_of
from app.events.proof import wrong
from app.events.rules import Event
from app.ledger.verify import verify
from app.members.plans import Plan
from app.platform.clock import now_us
from app.rules.door import PASSED, Opening, decide
from app.rules.door import Passage as Seen
from app.rules.ids import uuid7
from app.terminals.service import make_pairing_code
from app.wire.door import DoorList, DoorPassages, PassageRow
from readers.agent import AgentConfig, Running, agent
from readers.drivers import open_driver
from readers.emulator import Ntag213, UdpCardField
from readers.terminal.view import Screen
from tests.app.conftest import network, network_settings, secrets
from tests.support.founding import MINUTE_US, Calendar, founding
from tests.support.network import CARDS, PASSWORD, PIN, Network, Terminal, both
from tests.support.pages import form_to, led_to, look, send, words

__all__ = ["network", "network_settings", "secrets"]

PATIENCE_MS = 20_000
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    return Calendar(monkeypatch)


async def buys_ticket(network: Network, at: Event, price: str) -> str:
    """On the phone, from the card; what the page says then."""
    here = f"/c/{network.cards['awa'].token}/events/{at.slug}"
    (chosen,) = [it for it in at.prices if it.name_fr == price]
    form = form_to(await look(network.client, here), here)
    sent = await send(network.client, form, **{f"places-{chosen.id}": "1"})
    return words(await look(network.client, led_to(sent)))


async def joins(network: Network, plan: Plan) -> str:
    here = f"/c/{network.cards['awa'].token}/memberships/{plan.id}"
    form = form_to(await look(network.client, here), here)
    sent = await send(network.client, form, name="Awa Payet", code=code_on_the_back(network))
    return words(await look(network.client, led_to(sent)))


def code_on_the_back(network: Network) -> str:
    return claim_code_of(network.context.keys.token, network.cards["awa"].token)


async def at_the_door(door: Terminal, at: Event) -> str:
    """The card laid down: a terminal decides by what it was told, and tells what it saw."""
    client = door.network.client
    told = await client.get("/api/v1/terminals/door", headers=door.headers)
    listed = DoorList.model_validate_json(told.content)
    heard = await client.get("/api/v1/terminals/door/passages", headers=door.headers)
    before = DoorPassages.model_validate_json(heard.content).passages
    (ticket,) = [it for it in listed.tickets if it.event == at.id and CARDS["awa"] in it.cards]
    seen = [Seen(it.direction, it.at_us, it.terminal) for it in before if it.ticket == ticket.id]
    answer = decide(ticket.state, Opening(at.doors_at_us, at.ends_at_us), seen, "in", now_us()).answer
    if answer in PASSED:
        row = {"id": uuid7(), "ticket": ticket.id, "at_event": at.id, "direction": "in", "result": answer}
        await door.deliver(PassageRow.model_validate({**row, "means": "card", "at_us": now_us()}))
    return answer


async def agrees(network: Network) -> None:
    """Each venue is owed what was spent there, to the cent; the euros are where they were paid; the books agree."""
    assert await network.claims("raffinerie") == {"RAF": 800, "TEMPS": 30}
    assert await network.claims("canal") == {"RAF": 1500 + 800}
    assert await network.claims("friche") == {"RAF": 1000 + 800}
    assert await network.holds("awa") == {"RAF": 100, "TEMPS": 30}
    assert await network.exceptions() == []
    assert await wrong(network.engine) == []
    proof = await verify(network.engine)
    assert proof.ok, proof.findings
    assert [(it.currency, it.issuance, it.liability) for it in proof.pegs] == [("RAF", 5000, 5000)]


@pytest.mark.anyio
@both
async def test_one_card_for_the_evening_the_concert_and_the_festival(network: Network, calendar: Calendar) -> None:
    of = await founding(network)

    # Top up your card: fifty euros in cash, and an hour at the sink is worth an hour.
    await network.top_up("awa", 5000)
    await network.shift("awa", 60)
    assert await network.holds("awa") == {"RAF": 5000, "TEMPS": 60}

    # Spend an evening at one venue: one round with network, one without, one beer paid in time.
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 1, "Eau": 1})).status_code == 201
    await bar.deliver(bar.sale_row("awa", {"Demi": 1}))
    assert (await bar.sell("awa", {"Demi": 1}, "TEMPS")).status_code == 201
    assert await network.holds("awa") == {"RAF": 4200, "TEMPS": 30}

    # Buy a membership and a concert ticket for tomorrow at another, with what is left.
    assert "vous êtes membre" in await joins(network, of.membership)
    assert "Votre billet est là" in await buys_ticket(network, of.concert, "Adhérents")
    assert await network.holds("awa") == {"RAF": 1900, "TEMPS": 30}
    calendar.turn_to(of.concert.starts_at_us - 30 * MINUTE_US)
    door = await network.terminal("canal", "Porte")
    assert await at_the_door(door, of.concert) == "in"
    assert await at_the_door(door, of.concert) == "inside", "nobody comes in twice on one ticket"

    # Go on to the festival next month.
    calendar.turn_to(of.festival.starts_at_us - 30 * MINUTE_US)
    assert "Votre billet est là" in await buys_ticket(network, of.festival, "Entrée")
    gate, stand = await network.terminal("friche", "Entrée"), await network.terminal("friche", "Buvette")
    assert await at_the_door(gate, of.festival) == "in"
    await stand.deliver(stand.sale_row("awa", {"Citronnade": 2}))
    await agrees(network)


class Terminals:
    """Each venue's terminal as a real agent with its pages; one card is laid down at whichever stands there."""

    def __init__(self, network: Network, browser: Browser, field: UdpCardField, folder: Path) -> None:
        self._network, self._browser, self._field, self._folder = network, browser, field, folder
        self._codes: dict[str, str] = {}

    @asynccontextmanager
    async def at(self, slug: str, *, offline: bool = False) -> AsyncIterator[Page]:
        """Somebody is signed in at it. In the end it has delivered everything, unless it is `offline`."""
        if slug not in self._codes:
            async with self._network.engine.begin() as connection:
                self._codes[slug] = await make_pairing_code(connection, self._network.venues[slug].id, "Terminal")
        config = AgentConfig(
            data=self._folder / slug,
            server=NOWHERE if offline else self._network.settings.base_url,
            reader=lambda presence: open_driver(self._field.path, presence),
            kiosk_port=0,
            pair=self._codes[slug],
        )
        async with agent(config) as running:
            await until(running, lambda now: now.catalogue_version)
            await running.till.sign_in(PIN)
            page = await self._browser.new_page(viewport={"width": 1024, "height": 600}, locale="fr-FR")
            page.set_default_timeout(PATIENCE_MS)
            await page.goto(running.kiosk_url)
            yield page
            await page.close()
            if not offline:
                await until(running, lambda now: not now.waiting)

    async def sell(self, page: Page, *products: str) -> None:
        for name in products:
            await page.locator(".tile", has_text=name).first.click()
        await page.locator("#pay").click()
        await expect(page.locator("#state[data-phase=present_card]:visible")).to_be_visible()
        self._field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        await expect(page.locator("#state[data-phase=paid]:visible")).to_be_visible()
        self._field.remove()
        await page.keyboard.press("Escape")

    async def let_in(self, page: Page) -> None:
        await page.locator("#open-door").click()
        await expect(page.locator("#ask")).to_be_visible()
        self._field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        await expect(page.locator("#state")).to_have_attribute("data-answer", "in")
        self._field.remove()


async def until(running: Running, holds: Callable[[Screen], object]) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not holds(running.till.screen()):
            await asyncio.sleep(0.02)


class Phone:
    """Awa's, at her card's page."""

    def __init__(self, network: Network, page: Page) -> None:
        self._network, self.page = network, page
        self._home = f"{network.settings.base_url}/c/{network.cards['awa'].token}"

    async def shows(self, text: str) -> None:
        await self.page.goto(self._home)
        await expect(self.page.locator(".balances .figure-value").first).to_have_text(re.compile(spaced(text)))

    async def top_up(self, amount: str) -> None:
        await self.page.goto(self._home)
        await self.page.get_by_role("link", name="Recharger").click()
        await self.page.get_by_label(re.compile(spaced(amount))).check()
        await self.page.get_by_role("button", name="Aller au paiement").click()
        await self.page.get_by_role("button", name="Payer", exact=True).click()
        await expect(self.page.get_by_text("sont sur votre carte")).to_be_visible()

    async def join(self) -> None:
        await self.page.goto(self._home)
        await self.page.get_by_role("link", name="Adhésions").click()
        await self.page.get_by_role("link", name="Adhérer").click()
        await self.page.locator("[name=name]").fill("Awa Payet")
        await self.page.locator("[name=code]").fill(code_on_the_back(self._network))
        await self.page.get_by_role("button", name=re.compile("^Payer")).click()
        await expect(self.page.get_by_text("vous êtes membre")).to_be_visible()

    async def buy(self, event: str, price: str) -> None:
        await self.page.goto(self._home)
        await self.page.get_by_role("link", name="Événements et mes billets").click()
        await self.page.get_by_role("link", name=event).click()
        await self.page.get_by_label(price).select_option("1")
        await self.page.get_by_role("button", name="Payer avec la carte").click()
        await expect(self.page.get_by_text("Votre billet est là")).to_be_visible()


def spaced(text: str) -> str:
    """A pattern of it, whatever the spaces are."""
    return text.replace(" ", r"\s")


@pytest.mark.browser
async def test_the_sentence_on_a_phone_and_at_three_terminals(
    served_network: Network, chromium: Browser, calendar: Calendar, tmp_path: Path
) -> None:
    network = served_network
    of = await founding(network)
    for login in ("lucas", "yann"):
        await network.hired(login)
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR")
    context.set_default_timeout(PATIENCE_MS)
    phone = Phone(network, await context.new_page())
    with UdpCardField() as field:
        terminals = Terminals(network, chromium, field, tmp_path / "terminals")

        # Top up your card.
        await phone.top_up("50,00 €")
        await network.shift("awa", 60)

        # Spend an evening at one venue; the network goes down in the middle of it.
        async with terminals.at("raffinerie") as bar:
            await terminals.sell(bar, "Demi", "Eau")
        async with terminals.at("raffinerie", offline=True) as bar:
            await terminals.sell(bar, "Demi")
        async with terminals.at("raffinerie") as bar:
            await bar.locator("#currencies").get_by_text("Heures").click()
            await terminals.sell(bar, "Demi")
        await phone.shows("42,00 €")

        # Buy a membership and a concert ticket for tomorrow at another, with what is left.
        await phone.join()
        await phone.buy("Concert", "Adhérents")
        await phone.shows("19,00 €")
        await calendar.seen_to_turn(of.concert.starts_at_us - 30 * MINUTE_US)
        async with terminals.at("canal") as door:
            await terminals.let_in(door)

        # Go on to the festival next month.
        await calendar.seen_to_turn(of.festival.starts_at_us - 30 * MINUTE_US)
        await phone.buy("Festival", "Entrée")
        async with terminals.at("friche") as stand:
            await terminals.let_in(stand)
            await stand.locator("#leave").click()
            await terminals.sell(stand, "Citronnade", "Citronnade")
        await phone.shows("1,00 €")
    await context.close()
    await agrees(network)
    await owed(network, chromium)


async def owed(network: Network, chromium: Browser) -> None:
    """What the network's admin reads of it."""
    await network.hired("nadia")
    page = await chromium.new_page(locale="fr-FR")
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(f"{network.settings.base_url}/admin")
    await page.get_by_label("Identifiant").fill("nadia")
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.get_by_role("button", name="Se connecter").click()
    for venue, claim in (("Raffinerie", "8,00"), ("Canal", "23,00"), ("La Friche", "18,00")):
        row = page.get_by_role("row", name=re.compile(venue))
        await expect(row.get_by_text(claim).first).to_be_visible()
    await page.close()
