from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.rules.ids import uuid7
from readers.kiosk import create_kiosk
from readers.terminal.commands import TillError
from readers.terminal.view import Amount, BasketItem, PastSale
from tests.readers.kiosk.asking import ask, post
from tests.readers.kiosk.fake_till import CARD, EVENING_US, MENU, PIN, STAFF, FakeTill

PINT = MENU[1]["id"]


ID = uuid7()


def past_sale() -> PastSale:
    price = (Amount("RAF", 550),)
    return PastSale(ID, ID, CARD, price, (), (("Pinte", 1),), EVENING_US, offline=False, voided=False)


def test_the_catalogue_is_what_the_till_sells() -> None:
    reply = ask(create_kiosk(FakeTill()), "GET", "/api/catalogue").json()
    assert reply["products"][1] == {**MENU[1], "id": str(PINT)}
    assert [currency["code"] for currency in reply["currencies"]] == ["RAF", "CADO", "TEMPS"]


def test_the_screen_is_told_whole() -> None:
    till = FakeTill()
    sale = past_sale()
    asyncio.run(till.show(signed_in=STAFF, last_sales=(sale,), online=False, offline_since_us=EVENING_US))
    reply = ask(create_kiosk(till), "GET", "/api/screen").json()
    assert (reply["venue"], reply["signed_in"], reply["offline_since_us"]) == ("La Raffinerie", str(STAFF), EVENING_US)
    assert reply["last_sales"][0] == {
        "sale": str(sale.sale),
        "asked": str(sale.asked),
        "card": CARD,
        "price": [{"currency": "RAF", "minor": 550}],
        "rest": [],
        "lines": [["Pinte", 1]],
        "at_us": EVENING_US,
        "offline": False,
        "voided": False,
        "why_not": None,
        "act": None,
    }


def test_each_command_reaches_the_till() -> None:
    till = FakeTill()
    kiosk = create_kiosk(till)
    sale = past_sale()
    asyncio.run(till.show(last_sales=(sale,)))
    assert post(kiosk, "/api/sign-in", {"pin": PIN}).json() == {}
    asked = post(kiosk, "/api/pay", {"items": [{"product": str(PINT), "quantity": 2}], "currency": "RAF"})
    assert asked.json() == {"sale": str(till.sale)}
    assert till.now.pending == (Amount("RAF", 1100),)
    for path, body in (
        ("/api/cancel", {}),
        ("/api/dismiss", {}),
        ("/api/void", {"sale": str(sale.sale), "reason": " Client parti "}),
        ("/api/sign-out", {}),
    ):
        assert post(kiosk, path, body).status_code == 200
    assert till.calls == [
        ("sign_in", PIN),
        ("pay", (BasketItem(PINT, 2),), "RAF"),
        ("cancel",),
        ("dismiss",),
        ("void", sale.sale, "Client parti"),
        ("sign_out",),
    ]


def test_a_line_may_be_priced_in_another_currency_than_the_basket() -> None:
    till = FakeTill()
    items = [{"product": str(PINT), "quantity": 1}, {"product": str(MENU[7]["id"]), "quantity": 1, "currency": "TEMPS"}]
    assert post(create_kiosk(till), "/api/pay", {"items": items, "currency": "RAF"}).status_code == 200
    assert till.calls == [("pay", (BasketItem(PINT, 1), BasketItem(MENU[7]["id"], 1, "TEMPS")), "RAF")]
    assert till.now.pending == (Amount("RAF", 550), Amount("TEMPS", 90))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/sign-in", {"pin": PIN}),
        ("/api/sign-out", {}),
        ("/api/pay", {"items": [], "currency": "RAF"}),
        ("/api/cancel", {}),
        ("/api/complete", {"offer": "cash"}),
        ("/api/dismiss", {}),
        ("/api/void", {"sale": str(PINT), "reason": "Client parti"}),
    ],
)
def test_what_the_till_cannot_do_is_a_conflict_with_its_reason(path: str, body: object) -> None:
    till = FakeTill()
    till.failing = TillError("journal_failed")
    reply = post(create_kiosk(till), path, body)
    assert reply.status_code == 409
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.json()["type"], reply.json()["reason"]) == ("/problems/journal-failed", "journal_failed")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/sign-in", {}),
        ("/api/sign-in", {"pin": "12x4"}),
        ("/api/sign-in", {"pin": 1234}),
        ("/api/sign-in", {"pin": PIN, "more": 1}),
        ("/api/sign-out", []),
        ("/api/pay", {"items": [{"product": str(PINT), "quantity": 0}], "currency": "RAF"}),
        ("/api/pay", {"items": [{"product": str(PINT), "quantity": 1.0}], "currency": "RAF"}),
        ("/api/pay", {"items": [{"product": str(PINT), "quantity": 1000}], "currency": "RAF"}),
        ("/api/pay", {"items": [{"product": "beer", "quantity": 1}], "currency": "RAF"}),
        ("/api/pay", {"items": [{"product": str(PINT), "quantity": 1}] * 201, "currency": "RAF"}),
        ("/api/pay", {"items": [], "currency": "raf"}),
        ("/api/pay", {"items": [{"product": str(PINT), "quantity": 1, "currency": "x"}], "currency": "RAF"}),
        ("/api/complete", {}),
        ("/api/complete", {"offer": "tomorrow"}),
        ("/api/void", {"sale": str(PINT), "reason": "   "}),
        ("/api/void", {"sale": str(PINT), "reason": "x" * 201}),
    ],
)
def test_a_malformed_command_is_refused_and_not_carried_out(path: str, body: Any) -> None:
    till = FakeTill()
    reply = post(create_kiosk(till), path, body)
    assert (reply.status_code, reply.json()["reason"]) == (422, "malformed")
    assert reply.json()["errors"]
    assert till.calls == []


def test_a_body_that_is_no_json_is_malformed() -> None:
    headers = {"content-type": "application/json"}
    reply = ask(create_kiosk(FakeTill()), "POST", "/api/cancel", content=b"{", headers=headers)
    assert reply.status_code == 422


def test_a_pin_is_never_sent_back() -> None:
    reply = post(create_kiosk(FakeTill()), "/api/sign-in", {"pin": "secret-7391"})
    assert reply.status_code == 422
    assert "7391" not in reply.text


def test_health_tells_that_the_agent_answers_and_how_it_is() -> None:
    till = FakeTill()
    asyncio.run(till.show(online=False, waiting=3, reader="lost"))
    reply = ask(create_kiosk(till), "GET", "/healthz")
    assert (reply.status_code, reply.json()) == (
        200,
        {"status": "ok", "online": False, "reader": "lost", "waiting": 3},
    )


@pytest.mark.parametrize(
    ("accepts", "cookie", "language"),
    [
        (None, None, "fr"),
        ("en-GB,en;q=0.9", None, "en"),
        ("de, en;q=0.5, fr;q=0.8", None, "fr"),
        ("fr;q=0", None, "fr"),
        ("en;q=high, fr", None, "fr"),
        ("fr", "en", "en"),
        ("en", "de", "en"),
    ],
)
def test_the_page_speaks_the_language_of_who_looks_at_it(
    accepts: str | None, cookie: str | None, language: str
) -> None:
    headers = {"accept-language": accepts} if accepts else {}
    if cookie:
        headers["cookie"] = f"comptoir_kiosk_language={cookie}"
    page = ask(create_kiosk(FakeTill()), "GET", "/", headers=headers)
    assert f'<html lang="{language}"' in page.text
    assert page.headers["content-language"] == language


def test_a_venue_may_have_another_language_than_french_by_default() -> None:
    assert '<html lang="en"' in ask(create_kiosk(FakeTill(), language_default="en"), "GET", "/").text


def test_choosing_a_language_is_kept_in_a_cookie() -> None:
    reply = ask(create_kiosk(FakeTill()), "GET", "/?lang=en")
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert reply.headers["set-cookie"].startswith("comptoir_kiosk_language=en;")


def test_nothing_on_the_page_is_inline_or_from_elsewhere() -> None:
    page = ask(create_kiosk(FakeTill()), "GET", "/")
    assert "style=" not in page.text
    assert "<style" not in page.text
    assert "onclick" not in page.text
    assert page.text.count("<script") == page.text.count('<script type="module" src="/kiosk/main.js"></script>') == 1
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
