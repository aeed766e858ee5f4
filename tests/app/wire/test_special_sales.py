"""What a basket can hold beside plain products, and what can pay it beside a card, as it travels."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from app.rules.lines import NO_PRODUCT
from app.wire import Sale

BEER, CUP, BOTTLE = (str(UUID(int=number)) for number in (1, 2, 3))
CARD = "04A0000000A001"
CASHIER = str(UUID(int=7))


def line(product: str, price: int, **more: Any) -> dict[str, Any]:
    return {"product": product, "name": "x", "quantity": 1, "unit_price": price, "currency": "RAF", **more}


def rest(means: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"means": means, "covers": "RAF", "amount": amount, **more}


def body(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": str(UUID(int=9)), "lines": lines, "tenders": [], "occurred_at_us": 1, **more}


def read(content: dict[str, Any]) -> Sale:
    return Sale.model_validate_json(json.dumps(content))


OUT, BACK = line(CUP, 100, kind="deposit"), line(CUP, -100, kind="deposit")
TIP = line(str(NO_PRODUCT), 50, kind="tip")
SHARE = line(BEER, 334, share={"parts": 3, "quantity": 2, "unit_price": 500})

PART = [{"currency": "RAF", "amount": 300}]
GIVEN = {"rest": [rest("house", 200)], "cashier": CASHIER, "reason": "Anniversaire"}
RIGHT = {
    "the rest is given": body(line(BEER, 500), card=CARD, tenders=PART, **GIVEN),
    "all in cash, with change": body(line(BEER, 500), rest=[rest("cash", 500, given=2000)]),
    "meal voucher and cheque": body(line(BEER, 500), rest=[rest("meal_voucher", 300), rest("cheque", 200)]),
    "a gift of the house": body(line(BEER, 500), rest=[rest("house", 500)], cashier=CASHIER, reason="Anniversaire"),
    "a cup out on a card": body(line(BEER, 500), OUT, card=CARD, tenders=[{"currency": "RAF", "amount": 600}]),
    "cups back on a card": body(BACK, card=CARD, tenders=[{"currency": "RAF", "amount": -100}]),
    "cups back in cash": body(BACK, rest=[rest("cash", -100)]),
    "a cup that pays a coffee": body(line(BEER, 100), BACK, card=CARD),
    "a bottle and a tip": body(
        line(BEER, 500), line(BOTTLE, -20, kind="return"), TIP, card=CARD, tenders=[{"currency": "RAF", "amount": 530}]
    ),
    "one of three parts": body(SHARE, rest=[rest("bank_card", 334)], bill={"id": CASHIER, "part": 1, "parts": 3}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_travels_arrives_as_it_was(name: str) -> None:
    sale = read(RIGHT[name])
    again = Sale.model_validate_json(sale.model_dump_json())
    assert again == sale
    assert again.fingerprint() == sale.fingerprint()


CENT = [rest("cash", 500)]
WRONG = {
    "a price below 0": (body(line(BEER, 500), line(BEER, -500), rest=[]), "sign"),
    "a return that costs": (body(line(BOTTLE, 20, kind="return"), rest=[rest("cash", 20)]), "sign"),
    "more back than sold": (body(line(BEER, 100), BACK, BACK, rest=[rest("cash", -100)]), "below-zero"),
    "a tip that is a product": (body(line(BEER, 500, kind="tip"), rest=CENT), "a tip is no product"),
    "a product that is none": (body(line(str(NO_PRODUCT), 500), line(BEER, 0, kind="open"), rest=CENT), "only a tip"),
    "a card that pays nothing": (body(line(BEER, 0), card=CARD), "pays something"),
    "money of no card": (body(line(BEER, 500), tenders=[{"currency": "RAF", "amount": 500}]), "without a card"),
    "change from a voucher": (body(line(BEER, 500), rest=[rest("meal_voucher", 500, given=800)]), "only cash"),
    "less given than due": (body(line(BEER, 500), rest=[rest("cash", 500, given=400)]), "only cash"),
    "a cheque given back": (body(BACK, rest=[rest("cheque", -100)]), "only cash is given back"),
    "a gift without a reason": (body(line(BEER, 500), rest=[rest("house", 500)], cashier=CASHIER), "with a reason"),
    "a gift by nobody": (body(line(BEER, 500), rest=[rest("house", 500)], reason="x"), "by somebody"),
    "a gift in part": (
        body(line(BEER, 500), rest=[rest("house", 100), rest("cash", 400)], cashier=CASHIER, reason="x"),
        "nobody pays that part",
    ),
    "a gift from a card": (
        body(line(BEER, 500), rest=[rest("house", 500)], cashier=CASHIER, reason="x", card=CARD),
        "pays something",
    ),
    "a cup from the house": (body(OUT, rest=[rest("house", 100)], cashier=CASHIER, reason="x"), "no deposits"),
    "a reason for nothing": (body(line(BEER, 500), rest=CENT, cashier=CASHIER, reason="x"), "nobody pays that part"),
    "an open price given beside a card": (
        body(
            line(BEER, 500, kind="open"),
            rest=[rest("house", 200)],
            cashier=CASHIER,
            reason="x",
            card=CARD,
            tenders=PART,
        ),
        "plain products",
    ),
    "a part given by nobody": (
        body(line(BEER, 500), rest=[rest("house", 200)], reason="x", card=CARD, tenders=PART),
        "by somebody",
    ),
    "a share of too much": (body(line(BEER, 335, share=SHARE["share"]), rest=[rest("cash", 335)]), "to the unit"),
    "part four of three": (body(line(BEER, 500), rest=CENT, bill={"id": CASHIER, "part": 4, "parts": 3}), "one of"),
    "a tender of nothing": (body(OUT, card=CARD, tenders=[{"currency": "RAF", "amount": 0}]), "takes something"),
    "not what it costs": (body(line(BEER, 500), rest=[rest("cash", 400)]), "what is paid"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_no_sale(name: str) -> None:
    content, why = WRONG[name]
    with pytest.raises(ValidationError, match=why):
        read(content)


def test_a_plain_sale_says_nothing_of_all_this() -> None:
    sale = read(body(line(BEER, 500), card=CARD, tenders=[{"currency": "RAF", "amount": 500}]))
    assert sale.plain
    assert json.loads(sale.model_dump_json()).keys() == {
        *("id", "card", "assurance", "cashier", "lines", "tenders", "occurred_at_us")
    }
    assert json.loads(sale.model_dump_json())["lines"][0].keys() == {
        *("product", "name", "quantity", "unit_price", "currency")
    }


def test_without_a_card_none_is_named() -> None:
    sale = read(body(line(BEER, 500), rest=CENT))
    assert sale.card == ""
    assert sale.cards == ()
    assert "card" not in json.loads(sale.model_dump_json())
