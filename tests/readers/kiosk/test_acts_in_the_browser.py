"""The sheet of acts in a real Chromium: what staff can do beside selling, and why they can't."""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.wire.tabs import Tab, TabItem
from readers.terminal.view import Amount, BasketItem, Credited
from tests.readers.kiosk.fake_till import CARD, EVENING_US, MENU
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
    window,
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
    kiosk.till.credited = (Credited("TEMPS", 150, EVENING_US, "Bénévolat"),)
    kiosk.do(kiosk.till.act_ends())
    shown = state(page, "paid")
    expect(shown).to_contain_text("Sur la carte")
    text = plain(shown.inner_text())
    assert text.startswith(
        "Sur la carte Heures 2 h 30 à dépenser ici Argent Raf 20,00 € pas dans ce lieu"
        " Cadeaux et points Bon cadeau 5,00 € ici pour Bar, Cuisine seulement Dernier crédit ici "
    )
    assert " 2 h 30 Bénévolat " in text
    hours, money = (
        page.locator(f"{where} strong").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        for where in (".told-hours", ".told-groups section:first-child")
    )
    assert hours > 2 * money
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
    expect(state(page, "paid")).to_contain_text("Dernier solde connu, il y a 12 min")
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


def test_a_top_up_from_chips_and_keys_to_green(kiosk: RunningKiosk, page: Page) -> None:
    kiosk.do(kiosk.till.show(rights=ALL))
    act(page, "top_up").click()
    cash = page.get_by_role("button", name="Espèces reçues")
    expect(cash).to_be_disabled()
    page.locator("[data-key=chip-2000]").click()
    assert plain(page.locator(".amount-shown").inner_text()) == "20,00 €"
    page.get_by_role("button", name="Effacer un chiffre").last.click()
    page.locator(".amount-keys [data-key='5']").click()
    assert plain(page.locator(".amount-shown").inner_text()) == "20,05 €"
    kiosk.till.about = (Amount("RAF", 2005),)
    cash.click()
    expect(state(page, "present_card")).to_contain_text("à recharger")
    assert kiosk.till.calls == [("act", "top_up", {"currency": "RAF", "amount": 2005, "means": "cash"})]
    kiosk.do(kiosk.till.act_ends())
    expect(state(page, "paid")).to_contain_text("Rechargée")
    assert plain(state(page, "paid").locator(".state-amount").inner_text()) == "20,05 €"


def test_a_top_up_without_an_answer_says_to_give_the_money_back(kiosk: RunningKiosk, page: Page) -> None:
    kiosk.do(kiosk.till.show(rights=ALL))
    act(page, "top_up").click()
    page.locator("[data-key=chip-500]").click()
    kiosk.till.about = (Amount("RAF", 500),)
    page.get_by_role("button", name="Carte bancaire payée").click()
    expect(state(page, "present_card")).to_be_visible()
    kiosk.do(kiosk.till.act_ends(Refusal.NO_ANSWER))
    expect(state(page, "refused")).to_contain_text("Le réseau n’a pas répondu")
    expect(state(page, "refused")).to_contain_text("Rendez l’argent")


def test_hours_are_credited_with_a_reason(kiosk: RunningKiosk, page: Page) -> None:
    kiosk.do(kiosk.till.show(rights=ALL))
    act(page, "credit").click()
    page.locator("#sheet-body").get_by_role("button", name="Heures").click()
    for _ in range(2):
        page.locator("[data-key=chip-60]").click()
    page.locator("[data-key=chip-30]").click()
    page.get_by_role("button", name="Bénévolat").click()
    kiosk.was_asked("act", "credit", {"currency": "TEMPS", "amount": 150, "reason": "Bénévolat"})


def test_acts_are_greyed_with_their_reason(kiosk: RunningKiosk, page: Page) -> None:
    kiosk.do(kiosk.till.show(rights=("sell", "top_up")))
    expect(act(page, "credit")).to_contain_text("Demande le droit : créditer")
    top_up = page.locator(".act[data-key=act-top_up]")
    expect(top_up).to_be_enabled()
    kiosk.do(kiosk.till.show(online=False))
    expect(top_up).to_be_disabled()
    expect(top_up).to_contain_text("Pas sans réseau")
    kiosk.do(kiosk.till.show(online=True, rights=ALL))
    expect(page.locator(".act[data-key=act-refund]")).to_contain_text("Aucune monnaie n’est remboursée ici")


def test_a_tab_is_opened_added_to_and_paid(kiosk: RunningKiosk, page: Page) -> None:
    pint = MENU[1]["id"]
    shared = {"card": CARD, "currency": "RAF", "opened_at_us": EVENING_US}
    drunk = (TabItem(product=pint, name="Pinte", quantity=2, unit_price=550),)
    much = (TabItem(product=pint, name="Pinte", quantity=4, unit_price=550),)
    later_us = 4_000_000_000_000_000
    kiosk.till.open_tabs = [
        Tab(id=uuid7(), name="Table 4", held=2000, expires_at_us=later_us, items=drunk, **shared),
        Tab(id=uuid7(), name="", held=2000, expires_at_us=EVENING_US, items=much, **shared),
    ]
    table, nameless = kiosk.till.open_tabs
    kiosk.do(kiosk.till.show(rights=("sell",)))
    page.locator(".tile", has_text="Pinte").click()
    page.locator("#open-more").click()
    page.locator("#sheet .act", has_text="Ardoises").click()
    row = page.locator(".tab-row").first
    expect(row).to_contain_text("Table 4")
    expect(row).to_contain_text("2 Pinte")
    row.get_by_role("button", name="Ajouter le panier").click()
    kiosk.was_asked("add_to_tab", table.id, (BasketItem(pint, 1, "RAF", 550),))
    expect(page.locator("#toast")).to_contain_text("sur l’ardoise")
    beyond = page.locator(".tab-row").last
    expect(beyond).to_contain_text("de nouveau libre à")
    expect(beyond.get_by_role("button", name="Reste de 2,00 € par carte")).to_be_visible()
    expect(beyond.get_by_role("button", name="Reste en espèces")).to_be_visible()
    expect(beyond.get_by_role("button", name="Reste offert")).to_be_hidden()
    kiosk.do(kiosk.till.show(rights=("sell", "gift_house")))
    beyond.get_by_role("button", name="Reste offert").click()
    expect(beyond).to_contain_text("Pourquoi la maison offre-t-elle 2,00 €")
    beyond.get_by_role("button", name="Bénévole").click()
    kiosk.was_asked("close_tab", nameless.id, "house", "Bénévole")
    expect(page.locator("#toast")).to_contain_text("La maison en offre 2,00 €")
    kiosk.till.open_tabs = [table, nameless]
    page.get_by_role("button", name="Regarder").click()
    beyond.get_by_role("button", name="Reste par chèque").click()
    kiosk.was_asked("close_tab", nameless.id, "cheque")
    expect(page.locator("#toast")).to_contain_text("Encaissez 2,00 €")
    page.locator(".tab-row").get_by_role("button", name="Encaisser 11,00 €").click()
    kiosk.was_asked("close_tab", table.id, None)
    expect(page.locator("#open-tabs")).to_contain_text("Aucune ardoise ouverte")
    page.locator(".tabs-new .other").fill("Awa")
    page.locator(".tabs-new .chip", has_text="20,00").click()
    kiosk.was_asked("act", "tab_open", {"currency": "RAF", "amount": 2000, "name": "Awa"})


def test_without_network_tabs_are_greyed_and_say_why(kiosk: RunningKiosk, page: Page) -> None:
    kiosk.do(kiosk.till.show(online=False, rights=("sell",)))
    page.locator("#open-more").click()
    tile_ = page.locator("#sheet .act", has_text="Ardoises")
    expect(tile_).to_be_disabled()
    expect(tile_).to_contain_text("sans réseau")
