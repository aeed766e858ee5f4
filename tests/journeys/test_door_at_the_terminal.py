"""The door at the real terminal and the real server: told while there is network, decided without it, after a restart
too, by a card over the real reader's driver and by a code that a scanner types; then the venue sees who is inside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from app.events.tickets import tickets_of
from app.platform.clock import now_us
from app.rules.tickets import encode
from app.terminals.service import make_pairing_code
from readers.agent import AgentConfig, Running, agent
from readers.drivers import open_driver
from readers.emulator import Ntag213, UdpCardField
from tests.app.door.test_door import ball
from tests.journeys.conftest import CHROMIUM
from tests.support.network import CARDS, PIN, Network
from tests.support.pages import look, words

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

NOWHERE = "http://127.0.0.1:9"


async def until(running: Running, what: str) -> None:
    async with asyncio.timeout(20):
        while True:
            screen = running.till.screen()
            if {"snapshot": screen.catalogue_version, "door": screen.door, "sent": not screen.waiting}[what]:
                return
            await asyncio.sleep(0.02)


async def test_a_card_and_a_code_pass_without_network(
    served_network: Network, chromium: Browser, tmp_path: Path
) -> None:
    network = served_network
    await network.hired("lucas")
    at = await ball(network, now_us())
    async with network.engine.begin() as connection:
        code = await make_pairing_code(connection, network.venues["raffinerie"].id, "Porte A")
    kept = tmp_path / "terminal" / "door"
    with UdpCardField() as field:

        def config(server: str) -> AgentConfig:
            return AgentConfig(
                data=tmp_path / "terminal",
                server=server,
                reader=lambda presence: open_driver(field.path, presence),
                kiosk_port=0,
                pair=code,
            )

        async with agent(config(network.settings.base_url)) as running:
            await until(running, "snapshot")
            await until(running, "door")
            while not kept.exists():
                await asyncio.sleep(0.02)
        assert CARDS["awa"] in kept.read_text()
        async with agent(config(NOWHERE)) as running:
            await running.till.sign_in(PIN)
            page = await chromium.new_page(viewport={"width": 1024, "height": 600}, locale="fr-FR")
            await page.goto(running.kiosk_url)
            await page.locator("#open-door").click()
            await expect(page.locator("#ask")).to_be_visible()
            await expect(page.locator("#signs")).to_contain_text("Hors ligne")
            state = page.locator("#state")
            field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
            await expect(state).to_have_attribute("data-answer", "in")
            await expect(state).to_contain_text("Encore 1 place sur cette carte")
            field.remove()
            async with network.engine.connect() as connection:
                _, second = await tickets_of(connection, network.cards["awa"].wallet)
            await page.keyboard.type(encode(at.id, second.id, network.context.keys.signing))
            await page.keyboard.press("Enter")
            await expect(state).to_contain_text("N° 2")
            await expect(page.locator("#count")).to_have_text("2 à l’intérieur sur 2")
            field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
            await expect(state).to_have_attribute("data-answer", "inside")
            await page.close()
        async with agent(config(network.settings.base_url)) as running:
            await until(running, "sent")
    seen = words(await look(await network.person("marie"), "/admin/doors"))
    assert "À l’intérieur 2" in seen
    assert "Refusé : déjà à l’intérieur" in seen
