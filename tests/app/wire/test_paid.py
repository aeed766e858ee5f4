"""What pays a sale: tenders, of one card or two, and the rest in cash or by bank card."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.wire import Sale

CARD, OTHER = "04A0000000A001", "04A0000000A002"

# (currency, amount, covers, covered, card) of a tender; what is None is left out.
Given = tuple[str, int, str | None, int | None, str | None]


def body(
    prices: dict[str, int], tenders: list[Given], rest: list[tuple[str, str, int]] | None = None
) -> dict[str, Any]:
    """A sale of one line in each price currency."""
    names = ("currency", "amount", "covers", "covered", "card")
    it: dict[str, Any] = {
        "id": "01890000-0000-7000-8000-000000000001",
        "card": CARD,
        "lines": [
            {"product": "0" * 32, "name": "Demi", "quantity": 1, "unit_price": price, "currency": code}
            for code, price in prices.items()
        ],
        "tenders": [
            {name: value for name, value in zip(names, tender, strict=True) if value is not None} for tender in tenders
        ],
        "occurred_at_us": 1,
    }
    if rest is not None:
        it["rest"] = [{"means": means, "covers": covers, "amount": amount} for means, covers, amount in rest]
    return it


def test_gift_and_local_money_pay_one_price_together() -> None:
    sale = Sale.model_validate(body({"RAF": 1200}, [("GIFT", 500, "RAF", 500, None), ("RAF", 700, None, None, None)]))
    assert [(it.price_currency, it.price_amount) for it in sale.tenders] == [("RAF", 500), ("RAF", 700)]
    assert sale.cards == (CARD,)


def test_two_cards_and_cash_pay_one_price_together() -> None:
    tenders: list[Given] = [("RAF", 500, None, None, None), ("RAF", 300, None, None, OTHER)]
    sale = Sale.model_validate(body({"RAF": 1200}, tenders, [("cash", "RAF", 250), ("bank_card", "RAF", 150)]))
    assert sale.cards == (CARD, OTHER)


def test_a_sale_in_one_currency_reads_as_it_always_did() -> None:
    """Its text is what terminals kept and what fingerprints were made of before there was more than one currency."""
    sale = Sale.model_validate(body({"RAF": 350}, [("RAF", 350, None, None, None)]))
    assert sale.model_dump_json() == (
        '{"id":"01890000-0000-7000-8000-000000000001","card":"04A0000000A001","assurance":"C","cashier":null,'
        '"lines":[{"product":"00000000-0000-0000-0000-000000000000","name":"Demi","quantity":1,"unit_price":350,'
        '"currency":"RAF"}],"tenders":[{"currency":"RAF","amount":350}],"occurred_at_us":1}'
    )


@pytest.mark.parametrize(
    ("tenders", "rest"),
    [
        pytest.param([("GIFT", 1200, "RAF", 1199, None)], None, id="too little"),
        pytest.param([("GIFT", 1200, "RAF", 1201, None)], None, id="too much"),
        pytest.param([("RAF", 1200, None, None, None)], [("cash", "RAF", 1)], id="cash on top"),
        pytest.param([("RAF", 1000, None, None, None)], [("cash", "TEMPS", 200)], id="cash for nothing"),
        pytest.param([("RAF", 1000, None, None, None)], [("cash", "RAF", 100)] * 2, id="cash twice"),
        pytest.param([("RAF", 600, None, None, None)] * 2, None, id="one card, one currency, twice"),
        pytest.param([("RAF", 600, None, None, None), ("RAF", 600, None, None, CARD)], None, id="its own card, named"),
        pytest.param([("RAF", 600, None, None, None), ("RAF", 600, "RAF", 600, None)], None, id="its own price, named"),
        pytest.param([("GIFT", 1200, "RAF", None, None)], None, id="covers no amount"),
        pytest.param([("GIFT", 1200, None, 1200, None)], None, id="covers nothing"),
        pytest.param([("RAF", 600, "RAF", 1200, None)], None, id="worth more than itself"),
        pytest.param([("GIFT", 1200, "RAF", 0, None), ("RAF", 1200, None, None, None)], None, id="taken for nothing"),
    ],
)
def test_what_does_not_pay_the_lines_exactly_is_no_sale(
    tenders: list[Given], rest: list[tuple[str, str, int]] | None
) -> None:
    with pytest.raises(ValidationError):
        Sale.model_validate(body({"RAF": 1200}, tenders, rest))


parts = st.lists(st.integers(1, 10**6), min_size=1, max_size=5)


@given(st.dictionaries(st.sampled_from(["RAF", "TEMPS", "ECU"]), parts, min_size=1), st.data())
def test_however_it_is_split_it_pays_exactly_or_is_no_sale(split: dict[str, list[int]], data: st.DataObject) -> None:
    """Each price in up to five parts: its own money from each card, gift from each, and the last in cash."""
    ways: list[tuple[str | None, str | None]] = [(None, None), (None, OTHER), ("GIFT", None), ("GIFT", OTHER)]
    tenders: list[Given] = []
    rest: list[tuple[str, str, int]] = []
    for code, amounts in split.items():
        for place, amount in enumerate(amounts):
            if place == len(ways):
                rest.append(("cash", code, amount))
                continue
            other, card = ways[place]
            covering = (other, amount * 3, code, amount) if other else (code, amount, None, None)
            tenders.append((*covering, card))
    prices = {code: sum(amounts) for code, amounts in split.items()}
    sale = Sale.model_validate(body(prices, tenders, rest))
    assert Sale.model_validate_json(sale.model_dump_json()) == sale
    wrong = data.draw(st.sampled_from(sorted(prices)))
    off_by = data.draw(st.integers(1, 10))
    with pytest.raises(ValidationError):
        Sale.model_validate(body({**prices, wrong: prices[wrong] + off_by}, tenders, rest))
