"""The door's page in a real Chromium, without network: a card, a scanner that types, a name, and the way out."""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from readers.terminal.view import Screen
from tests.readers.kiosk.fake_till import STAFF, FakeTill
from tests.readers.kiosk.running import RunningKiosk
from tests.readers.kiosk.test_browser import CHROMIUM, browser, faults, opened  # noqa: F401
from tests.support.door import AWA, AtTheDoor, at_the_door

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


class DoorTill(FakeTill):
    """Its door is a real one, over a journal on the disk."""

    at: AtTheDoor

    def screen(self) -> Screen:
        return replace(self.now, door=self.at.desk.shown())


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[RunningKiosk]:
    till = DoorTill()
    tasks: set[asyncio.Task[None]] = set()

    def changed() -> None:
        tasks.add(asyncio.get_running_loop().create_task(till.show()))

    async def prepare() -> None:
        till.at = await at_the_door(tmp_path, changed)
        till.door = till.at.desk

    running = RunningKiosk(till)
    running.do(prepare())
    with running:
        running.do(till.show(signed_in=STAFF, online=False, offline_since_us=1))
        yield running
        running.do(till.at.journal.close())


def test_an_evening_at_the_door(browser: Browser, kiosk: RunningKiosk, faults: list[str]) -> None:
    page = opened(browser, kiosk, faults, viewport={"width": 1024, "height": 600})
    at: AtTheDoor = kiosk.till.door and kiosk.till.at  # type: ignore[attr-defined]
    state, pictures = page.locator("#state"), os.environ.get("COMPTOIR_PICTURES")

    def picture(name: str) -> None:
        if pictures:
            page.screenshot(path=f"{pictures}/door-{name}.png")

    page.locator("#open-door").click()
    expect(page.locator("#ask")).to_have_text("Présentez une carte ou scannez un code")
    expect(page.locator("#event option:checked")).to_contain_text("Bal folk")
    expect(page.locator(".door-one")).to_have_count(4)
    picture("open")

    kiosk.do(at.desk.card(AWA))
    expect(state).to_have_attribute("data-tone", "good")
    expect(state).to_contain_text("Plein tarif · 1 place")
    expect(state.locator(".member")).to_contain_text("Adhésion")
    picture("in")
    page.get_by_role("button", name="Une de plus").click()
    expect(state).to_contain_text("Tarif réduit")
    page.keyboard.press("Escape")
    expect(state).to_be_hidden()
    expect(page.locator("#count")).to_have_text("2 à l’intérieur sur 3")

    # A scanner types, over whatever is shown.
    kiosk.do(at.desk.card(AWA))
    expect(state).to_contain_text("Déjà à l’intérieur")
    expect(state).to_contain_text("Porte A")
    picture("inside")
    page.keyboard.type(at.code(3))
    page.keyboard.press("Enter")
    expect(state).to_contain_text("Chloé Grondin")
    expect(state).to_have_attribute("data-answer", "in")
    page.keyboard.press("Escape")

    page.locator("[data-direction=out]").click()
    page.locator("#text").fill("chlo")
    expect(page.locator(".door-one")).to_have_count(1)
    expect(page.locator(".door-one")).to_contain_text("À l’intérieur")
    page.keyboard.press("Enter")
    expect(state).to_have_attribute("data-answer", "out")
    page.keyboard.press("Escape")
    expect(page.locator("#count")).to_have_text("2 à l’intérieur sur 3")
    if pictures:
        page.set_viewport_size({"width": 390, "height": 844})
        picture("phone")
        kiosk.do(at.desk.code(at.code(2)))
        picture("phone-refused")
        page.keyboard.press("Escape")
    page.locator("#leave").click()
    expect(page.locator(".tile").first).to_be_visible()
    assert kiosk.do(at.journal.count("passage")) >= 5
    page.context.close()
    assert faults == []
