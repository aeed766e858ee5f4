"""The sheet of acts in a real Chromium: what staff can do beside selling, and why they can't."""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.rules.offline import Refusal
from tests.readers.kiosk.running import RunningKiosk
from tests.readers.kiosk.test_browser import (  # noqa: F401
    CHROMIUM,
    browser,
    faults,
    kiosk,
    page,
    plain,
    state,
    tile,
)

ALL = ("sell", "top_up", "refund", "credit", "void", "close")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


def act(page: Page, name: str) -> Page:
    page.locator("#open-more").click()
    return page.locator(f".act[data-key=act-{name}]")  # type: ignore[return-value]


def test_a_balance_is_read_from_the_sheet(kiosk: RunningKiosk, page: Page) -> None:
    act(page, "balance").click()
    expect(state(page, "present_card")).to_contain_text("pour lire son solde")
    assert kiosk.till.calls == [("act", "balance", {})]
    kiosk.do(kiosk.till.act_ends())
    shown = state(page, "paid")
    expect(shown).to_contain_text("Sur la carte")
    assert plain(shown.inner_text()).startswith("Sur la carte Raf 20,00 € Heures 2 h 30")
    assert shown.get_attribute("data-tone") == "wait", "green is for what was paid"


def test_a_card_laid_down_without_a_basket_tells_its_balance(kiosk: RunningKiosk, page: Page) -> None:
    tile(page, "Pinte").click()
    kiosk.do(kiosk.till.show(card=True))
    kiosk.do(kiosk.till.show(card=False))
    page.locator("#clear").click()
    kiosk.do(kiosk.till.show(card=True))
    expect(state(page, "present_card")).to_be_visible()
    assert kiosk.till.calls == [("act", "balance", {})], "not while there was a basket"
    kiosk.do(kiosk.till.act_ends(offline=True))
    expect(state(page, "paid")).to_contain_text("Dernier solde connu, sans réseau")
    kiosk.do(kiosk.till.dismiss())
    expect(page.locator("#state")).to_be_hidden()
    assert len(kiosk.till.calls) == 2, "once for each time that it is laid down"


def test_an_act_that_cannot_be_done_says_why(kiosk: RunningKiosk, page: Page) -> None:
    kiosk.do(kiosk.till.show(reader="lost"))
    balance = act(page, "balance")
    expect(balance).to_be_disabled()
    expect(balance).to_contain_text("Pas de lecteur")
    kiosk.do(kiosk.till.show(reader="ok"))
    expect(balance).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()


def test_a_refused_act_says_what_it_means(kiosk: RunningKiosk, page: Page) -> None:
    act(page, "balance").click()
    expect(state(page, "present_card")).to_be_visible()
    kiosk.do(kiosk.till.act_ends(Refusal.CARD_UNKNOWN))
    expect(state(page, "refused")).to_contain_text("Carte inconnue")
    expect(state(page, "refused")).to_contain_text("Rien n’est débité.")
