"""Special baskets in a real Chromium: cups, bottles, typed prices, tips, every way to pay, and one bill for several."""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.rules.basket import Line
from app.rules.bill import equal_parts
from app.rules.lines import NO_PRODUCT
from readers.terminal.view import BasketItem, ByHand
from tests.readers.kiosk.fake_till import SPECIAL, STAFF, FakeTill
from tests.readers.kiosk.running import RunningKiosk
from tests.readers.kiosk.test_browser import (  # noqa: F401
    CHROMIUM,
    browser,
    faults,
    opened,
    plain,
    state,
    tile,
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

PINT, CUP, BOTTLE, BULK, SOUP, WORKSHOP = (one["id"] for one in SPECIAL)
RIGHTS = ("sell", "open_price", "gift_house", "sold_out")


@pytest.fixture
def kiosk() -> Iterator[RunningKiosk]:
    with RunningKiosk(FakeTill(SPECIAL)) as running:
        running.do(running.till.show(signed_in=STAFF, rights=RIGHTS))
        yield running


@pytest.fixture
def page(browser: Browser, kiosk: RunningKiosk, faults: list[str]) -> Iterator[Page]:
    page = opened(browser, kiosk, faults)
    expect(page.locator(".tile")).to_have_count(len(SPECIAL) + 1)
    yield page
    page.context.close()
    assert faults == []


def total(page: Page) -> str:
    return plain(page.locator("#total").inner_text())


def key(page: Page, name: str) -> None:
    page.locator(f"[data-key='{name}']").click()


def test_cups_bottles_typed_prices_and_tips_in_one_basket_for_cash_with_change(kiosk: RunningKiosk, page: Page) -> None:
    for name in ("Pinte", "Gobelet", "Gobelet, retour", "Bouteille", "Vrac"):
        tile(page, name).last.click() if name != "Gobelet" else key(page, str(CUP))
    for digit in "315":
        page.locator(f".amount-keys [data-key='{digit}']").click()
    key(page, "open-add")
    page.locator("#open-more").click()
    key(page, "act-tip")
    page.locator(".amount-keys [data-key='5']").click()
    page.locator(".amount-keys [data-key='00']").click()
    key(page, "tip-add")
    assert total(page) == "13,45 €"
    page.locator("#pay-cash").click()
    key(page, "chip-1000")
    expect(page.locator("[data-key=take-cash]")).to_be_disabled()
    expect(page.locator(".change.short")).to_contain_text("3,45")
    key(page, "chip-1000")
    key(page, "take-cash")
    paid = state(page, "paid")
    expect(paid).to_contain_text("Monnaie à rendre")
    assert plain(paid.locator(".state-amount").inner_text()) == "6,55 €"
    items = (
        BasketItem(PINT, 1, price=550),
        BasketItem(CUP, 1, price=100),
        BasketItem(CUP, 1, price=100, kind="back"),
        BasketItem(BOTTLE, 1, price=20),
        BasketItem(BULK, 1, price=315, kind="open"),
        BasketItem(NO_PRODUCT, 1, price=500, kind="tip"),
    )
    assert kiosk.till.calls == [("take", items, "RAF", ByHand("cash", 2000))]
    assert page.locator(".line").count() == 0
    kiosk.do(kiosk.till.dismiss())
    expect(page.locator("#notice")).to_contain_text("à rendre")
    page.locator("#open-past").click()
    expect(page.locator(".past-card").first).to_have_text("Espèces")


def test_cups_alone_are_given_out_in_cash(kiosk: RunningKiosk, page: Page) -> None:
    key(page, f"{CUP}:back")
    key(page, f"{CUP}:back")
    assert total(page) == "−2,00 €"
    page.locator("#pay-other").click()
    expect(page.locator("[data-key=way-cheque]")).to_contain_text("De l’argent sort")
    page.locator("#close-sheet").click()
    page.locator("#pay-cash").click()
    key(page, "take-cash")
    paid = state(page, "paid")
    expect(paid).to_contain_text("À rendre en espèces")
    assert plain(paid.locator(".state-amount").inner_text()) == "2,00 €"
    assert kiosk.till.calls == [("take", (BasketItem(CUP, 2, price=100, kind="back"),), "RAF", ByHand("cash"))]


def test_each_other_way_is_one_touch_and_greyed_with_its_reason(kiosk: RunningKiosk, page: Page) -> None:
    tile(page, "Atelier vélo").click()
    expect(page.locator("#pay-cash")).to_be_disabled()
    expect(page.locator("#pay-cash")).to_contain_text("Par carte seulement")
    page.locator("#clear").click()
    kiosk.do(kiosk.till.show(rights=("sell",)))
    expect(tile(page, "Vrac")).to_be_disabled()
    expect(tile(page, "Soupe")).to_contain_text("Épuisé")
    tile(page, "Pinte").click()
    page.locator("#pay-other").click()
    expect(page.locator("[data-key=way-house]")).to_contain_text("Demande le droit")
    key(page, "way-meal_voucher")
    expect(state(page, "paid")).to_contain_text("Titre-restaurant")
    assert kiosk.till.calls == [("take", (BasketItem(PINT, 1, price=550),), "RAF", ByHand("meal_voucher"))]


def test_the_house_gives_with_a_reason(kiosk: RunningKiosk, page: Page) -> None:
    tile(page, "Pinte").click()
    page.locator("#pay-other").click()
    key(page, "way-house")
    key(page, "house-volunteer")
    expect(state(page, "paid")).to_contain_text("Offert par la maison")
    assert kiosk.till.calls[-1][-1] == ByHand("house", reason="Bénévole")


def test_a_bill_is_paid_in_three_parts_each_in_its_way(kiosk: RunningKiosk, page: Page) -> None:
    for _ in range(2):
        tile(page, "Pinte").click()
    page.locator("#pay-other").click()
    expect(page.locator("[data-key=way-split]")).to_be_enabled()
    key(page, "way-split")
    expect(page.locator("[data-key=parts-3]")).to_contain_text("3,66")
    key(page, "parts-3")
    expect(page.locator("#split")).to_contain_text("Part 1 sur 3")
    tile(page, "Pinte").click()
    expect(page.locator("#toast")).to_contain_text("L’addition est partagée")
    assert total(page) == "3,67 €"
    page.locator("#pay-cash").click()
    key(page, "take-cash")
    expect(state(page, "paid")).to_be_visible()
    kiosk.do(kiosk.till.dismiss())
    expect(page.locator("#split")).to_contain_text("Part 2 sur 3")
    page.reload()
    expect(page.locator("#split")).to_contain_text("Part 2 sur 3")
    expect(page.locator("#together")).to_be_hidden()
    page.locator("#pay").click()
    expect(state(page, "present_card")).to_be_visible()
    kiosk.do(kiosk.till.card())
    kiosk.do(kiosk.till.dismiss())
    expect(page.locator("#split")).to_contain_text("Part 3 sur 3")
    assert total(page) == "3,66 €"
    page.locator("#pay-other").click()
    key(page, "way-cheque")
    expect(state(page, "paid")).to_be_visible()
    kiosk.do(kiosk.till.dismiss())
    expect(page.locator(".line")).to_have_count(0)
    bills = [call[-1] for call in kiosk.till.calls if call[0] in ("take", "pay")]
    assert [(bill.part, bill.parts) for bill in bills] == [(1, 3), (2, 3), (3, 3)]
    assert len({bill.id for bill in bills}) == 1


def test_a_bill_is_split_by_items(kiosk: RunningKiosk, page: Page) -> None:
    tile(page, "Pinte").click()
    tile(page, "Pinte").click()
    key(page, str(CUP))
    page.locator("#pay-other").click()
    key(page, "way-split_items")
    key(page, "pick-0-1")
    key(page, "split-charge")
    expect(page.locator("#split")).to_contain_text("Reste aux autres")
    assert (total(page), plain(page.locator("#split-what").inner_text())) == ("5,50 €", "Reste aux autres : 6,50 €")
    page.locator("#pay-other").click()
    key(page, "way-bank_card")
    expect(state(page, "paid")).to_be_visible()
    kiosk.do(kiosk.till.dismiss())
    assert total(page) == "6,50 €"
    expect(page.locator("#split")).to_be_hidden()


def test_a_press_counts_though_its_icon_is_drawn_anew_under_the_finger(page: Page) -> None:
    tile(page, "Pinte").click()
    box = page.locator(f"[data-key='more-{PINT}'] .icon").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.locator(f"[data-key='more-{PINT}'] use").evaluate("use => use.setAttribute('href', '/static/icons.svg#plus')")
    page.mouse.up()
    assert total(page) == "11,00 €"


def test_what_is_sold_out_is_said_with_one_touch(kiosk: RunningKiosk, page: Page) -> None:
    expect(tile(page, "Soupe")).to_be_disabled()
    page.locator("#open-more").click()
    key(page, "act-sold_out")
    key(page, f"sold-out-{SOUP}")
    kiosk.was_asked("set_sold_out", SOUP, False)
    page.locator("#close-sheet").click()
    expect(tile(page, "Soupe")).to_be_enabled()


def test_the_page_divides_a_bill_as_the_rules_do(page: Page) -> None:
    bills = [
        [(3, 550, "RAF"), (2, 100, "RAF"), (1, -100, "RAF"), (1, 7, "TEMPS")],
        [(1, 1, "RAF"), (1, 1, "RAF"), (5, 333, "RAF"), (3, -20, "RAF")],
    ]
    for bill in bills:
        for parts in (2, 3, 7, 12):
            shares = equal_parts([Line("", *line) for line in bill], parts)
            for part in range(parts):
                due: dict[str, int] = {}
                for share, (_, _, code) in zip(shares[part], bill, strict=True):
                    due[code] = due.get(code, 0) + share
                lines = [
                    {
                        "product": "",
                        "kind": "back" if minor < 0 else "tip",
                        "quantity": q,
                        "price": abs(minor),
                        "currency": code,
                    }
                    for q, minor, code in bill
                ]
                told = page.evaluate(
                    """async ([lines, part, parts]) => {
                      const { price } = await import("/kiosk/basket.js");
                      return price(lines, new Map(), ["RAF", "TEMPS"], "RAF", { part, parts });
                    }""",
                    [json.loads(json.dumps(lines)), part + 1, parts],
                )
                assert {it["currency"]: it["minor"] for it in told} == {code: it for code, it in due.items() if it}
