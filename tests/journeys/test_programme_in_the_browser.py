"""The public programme on a phone, without scripts: from the list to an artist and back, and what programs read."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, expect

from app.artists.pictures import picture_of
from app.artists.service import Artist, add_artist, add_photo
from app.cli.demo.artists import ARTISTS, drawn
from app.events.tables import event, event_artist, event_price
from app.platform.clock import now_us
from app.rules.ids import uuid7
from tests.support.network import Network

pytestmark = pytest.mark.browser

HOUR_US = 3600 * 1_000_000


async def announced(network: Network) -> None:
    now, id_ = now_us(), uuid7()
    async with network.context.engine.begin() as connection:
        artist = await add_artist(connection, "test", Artist(uuid7(), "", "Les Zincs", "Chanson de comptoir"))
        await add_photo(connection, "test", artist.id, picture_of(drawn("zincs", ARTISTS[0][4])), "Comptoir")
        row = {"id": id_, "slug": "bal", "venue": network.venues["raffinerie"].id, "title_fr": "Le bal", "title_en": ""}
        row |= {"summary_fr": "On danse.", "summary_en": "", "capacity": 50, "status": "published"}
        row |= {"doors_at_us": now + HOUR_US, "starts_at_us": now + 2 * HOUR_US, "ends_at_us": now + 5 * HOUR_US}
        await connection.execute(sa.insert(event).values(**row, created_at_us=now, changed_at_us=now))
        await connection.execute(sa.insert(event_artist).values(event=id_, artist=artist.id, position=0))
        price = {
            "id": uuid7(),
            "event": id_,
            "name_fr": "Plein tarif",
            "name_en": "",
            "currency": "RAF",
            "amount": 1200,
        }
        price |= {"amount": 1200, "condition": "none", "vat": 550, "channel": "any", "position": 0}
        await connection.execute(sa.insert(event_price).values(price))


async def test_the_programme_on_a_phone_without_scripts(chromium: Browser, served_network: Network) -> None:
    await announced(served_network)
    base = served_network.settings.base_url
    phone = await chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="fr-FR", java_script_enabled=False
    )
    page = await phone.new_page()
    wrong: list[str] = []
    page.on("console", lambda it: wrong.append(it.text) if it.type == "error" else None)
    page.on("requestfailed", lambda it: wrong.append(it.url))
    asked: set[str] = set()
    page.on("request", lambda it: asked.add(it.url))
    await page.goto(f"{base}/programme")
    await page.get_by_role("link", name="Le bal").click()
    await expect(page.get_by_role("heading", name="Le bal")).to_be_visible()
    await expect(page.get_by_text("12,00 €")).to_be_visible()
    await expect(page.get_by_role("link", name="Prendre un billet")).to_be_visible()
    picture = page.locator("img.event-picture")
    assert await picture.evaluate("it => it.naturalWidth") == 1200
    data = json.loads(await page.locator('script[type="application/ld+json"]').text_content() or "")
    assert (data["name"], data["offers"][0]["price"]) == ("Le bal", "12.00")
    await page.get_by_role("link", name="Les Zincs").click()
    await expect(page.get_by_role("heading", name="Les Zincs")).to_be_visible()
    await page.get_by_role("link", name="Le bal").click()
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_text("Full price").or_(page.get_by_text("Plein tarif"))).to_be_visible()
    # Nothing is wider than the phone.
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert wrong == []
    assert all(it.startswith((base, "data:")) for it in asked), "nobody else is told who reads"
    assert all(it["name"] == "comptoir_lang" for it in await phone.cookies())
    await phone.close()
