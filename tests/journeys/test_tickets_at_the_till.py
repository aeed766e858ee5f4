"""Tickets at the real terminal and the real server: lent while there is network, sold without it to the last one, also
after a restart; then all of them are issued, the card passes the door, and the ledger agrees."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from app.events import proof as events_proof
from app.events.tickets import tickets_of
from app.leases.proof import wrong
from app.ledger.verify import verify
from app.terminals.service import make_pairing_code
from readers.agent import AgentConfig, Running, agent
from readers.drivers import open_driver
from readers.emulator import Ntag213, UdpCardField
from tests.app.leases.test_leases import ball
from tests.journeys.conftest import CHROMIUM
from tests.support.network import CARDS, PIN, Network

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

NOWHERE = "http://127.0.0.1:9"


async def until(running: Running, what: str) -> None:
    async with asyncio.timeout(30):
        while True:
            screen, products = running.till.screen(), running.till.catalogue()["products"]
            lent = "Billets" in str(products)
            if {"snapshot": screen.catalogue_version, "lent": lent, "sent": not screen.waiting, "door": screen.door}[
                what
            ]:
                return
            await asyncio.sleep(0.02)


async def kiosk(chromium: Browser, running: Running) -> Page:
    await running.till.sign_in(PIN)
    page = await chromium.new_page(viewport={"width": 1024, "height": 600}, locale="fr-FR")
    await page.goto(running.kiosk_url)
    return page


async def sell(page: Page, field: UdpCardField, tile: str, beer: bool = False) -> None:
    await page.locator(f'.tile[data-product="{tile}"]').click()
    if beer:
        await page.locator(".tile", has_text="Demi").click()
    await page.locator("#pay").click()
    field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
    await expect(page.locator("body")).to_contain_text("Payé", timeout=10_000)
    field.remove()


async def test_a_terminal_sells_what_it_was_lent_without_network_and_no_more(
    served_network: Network, chromium: Browser, tmp_path: Path
) -> None:
    network = served_network
    await network.hired("lucas")
    await network.top_up("awa", 9000)
    at, price = await ball(network, 4), ""
    async with network.engine.begin() as connection:
        code = await make_pairing_code(connection, network.venues["raffinerie"].id, "Bar")
    price = str(at.prices[0].id)
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
            device = running.journal.pairing.device
            path = f"/api/v1/events/{at.id}/leases/{device}"
            lent = await (await network.person("marie")).put(path, json={"keep": {price: 2}})
            assert lent.status_code == 200, lent.text
            await until(running, "lent")
            while not (tmp_path / "terminal" / "tickets").exists():
                await asyncio.sleep(0.02)
        async with agent(config(NOWHERE)) as running:
            page = await kiosk(chromium, running)
            tile = page.locator(f'.tile[data-product="{price}"]')
            await expect(tile).to_contain_text("Bal · Plein tarif (2)")
            await page.screenshot(path=tmp_path / "tiles.png")
            await sell(page, field, price, beer=True)
            await expect(tile).to_contain_text("(1)")
            await page.close()
        async with agent(config(NOWHERE)) as running:
            page = await kiosk(chromium, running)
            tile = page.locator(f'.tile[data-product="{price}"]')
            await expect(tile).to_contain_text("(1)")
            await sell(page, field, price)
            await expect(tile).to_be_disabled()
            await expect(tile).to_contain_text("(0)")
            await page.screenshot(path=tmp_path / "sold.png")
            await page.close()
        async with agent(config(network.settings.base_url)) as running:
            await until(running, "sent")
            async with network.engine.connect() as connection:
                found = await tickets_of(connection, network.cards["awa"].wallet)
            assert [it.serial for it in found] == [1, 2]
        # Begun again, it asks for the door's list at once.
        async with agent(config(network.settings.base_url)) as running:
            await until(running, "door")
            page = await kiosk(chromium, running)
            await page.locator("#open-door").click()
            await expect(page.locator("#count")).to_have_text("0 à l’intérieur sur 2")
            field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
            await expect(page.locator("#state")).to_have_attribute("data-answer", "in")
            await expect(page.locator("#state")).to_contain_text("Encore 1 place sur cette carte")
            await page.close()
    assert (await network.holds("awa"))["RAF"] == 9000 - 2 * 1200 - 350
    assert await wrong(network.engine) + await events_proof.wrong(network.engine) == []
    assert (await verify(network.engine)).ok


async def test_cash_pays_a_ticket_without_network_and_its_code_opens_the_door(
    served_network: Network, chromium: Browser, tmp_path: Path
) -> None:
    network, paper = served_network, tmp_path / "paper"
    await network.hired("lucas")
    at = await ball(network, 4)
    price = str(at.prices[0].id)
    async with network.engine.begin() as connection:
        code = await make_pairing_code(connection, network.venues["raffinerie"].id, "Bar")
    with UdpCardField() as field:

        def config(server: str) -> AgentConfig:
            return AgentConfig(
                data=tmp_path / "terminal",
                server=server,
                reader=lambda presence: open_driver(field.path, presence),
                kiosk_port=0,
                pair=code,
                printer=f"file:{paper}",
            )

        async with agent(config(network.settings.base_url)) as running:
            await until(running, "snapshot")
            path = f"/api/v1/events/{at.id}/leases/{running.journal.pairing.device}"
            lent = await (await network.person("marie")).put(path, json={"keep": {price: 2}})
            assert lent.status_code == 200, lent.text
            await until(running, "lent")
            while not (tmp_path / "terminal" / "tickets").exists():
                await asyncio.sleep(0.02)
        async with agent(config(NOWHERE)) as running:
            page = await kiosk(chromium, running)
            tile = page.locator(f'.tile[data-product="{price}"]')
            await tile.click()
            await tile.click()
            await page.locator("#pay-cash").click()
            await page.locator("[data-key=take-cash]").click()
            await expect(page.locator("#state")).to_contain_text("Payé")
            await page.locator("#state").get_by_role("button", name="Billets").click()
            await expect(page.locator("#receipt-body")).to_contain_text("Billet 1 sur 2")
            await page.locator("[data-key=next-ticket]").click()
            await expect(page.locator("#receipt-body")).to_contain_text("Billet 2 sur 2")
            await page.screenshot(path=tmp_path / "code.png")
            shown = running.till.receipt(running.till.screen().last_sales[0].sale, "fr").tickets
            await page.close()
            printed = paper.read_bytes()
            assert all(it.code.encode() in printed for it in shown), "each on paper, by itself"
        async with agent(config(network.settings.base_url)) as running:
            await until(running, "sent")
        async with agent(config(network.settings.base_url)) as running:
            await until(running, "door")
            page = await kiosk(chromium, running)
            await page.locator("#open-door").click()
            await expect(page.locator("#count")).to_have_text("0 à l’intérieur sur 2")
            for n, answer in ((0, "in"), (0, "inside"), (1, "in")):
                await page.keyboard.type(shown[n].code)
                await page.keyboard.press("Enter")
                await expect(page.locator("#state")).to_have_attribute("data-answer", answer)
                await page.keyboard.press("Escape")
            await page.close()
    assert await network.claims("raffinerie") == {}
    assert await wrong(network.engine) + await events_proof.wrong(network.engine) == []
    assert (await verify(network.engine)).ok
