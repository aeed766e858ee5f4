"""Baskets priced as on the screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.ids import uuid7
from app.rules.lines import NO_PRODUCT
from app.rules.prices import GRACE_US, MINUTE_US
from app.wire import Bill, SnapshotProduct, SnapshotWindow
from readers.terminal.commands import TillError
from readers.terminal.shop import Shop
from readers.terminal.view import BasketItem
from tests.readers.sync.fake_server import FakeServer

CUP, BOTTLE, BULK, HAPPY = (UUID(int=number) for number in range(1, 5))
# A Wednesday, 17:59 in Paris.
BEFORE = int(datetime(2026, 11, 25, 16, 59, tzinfo=UTC).timestamp()) * 1_000_000
NOW = BEFORE


def product(id_: UUID, name: str, **more: Any) -> SnapshotProduct:
    return SnapshotProduct(**{"id": id_, "names": {"fr": name}, "category": "bar", "colour": "", "prices": {}, **more})


SPECIAL = (
    product(CUP, "Gobelet", prices={"RAF": 100}, kind="deposit"),
    product(BOTTLE, "Bouteille", prices={"RAF": 20}, kind="return"),
    product(BULK, "Vrac", open_price=True),
    product(
        HAPPY,
        "Pinte",
        prices={"RAF": 550},
        windows=(SnapshotWindow(weekdays=(2,), begins=time(18), ends=time(19), prices={"RAF": 400}),),
    ),
)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer(more=SPECIAL)


def version(shop: Shop, now_us: int = NOW, changed: dict[UUID, bool] | None = None) -> object:
    return shop.catalogue(now_us, changed)["version"]


def shop(server: FakeServer, **changes: object) -> Shop:
    return Shop(server.snapshot_now().model_copy(update=changes), {})


def test_a_basket_has_names_and_prices_as_shown(server: FakeServer) -> None:
    basket = shop(server).basket([BasketItem(server.beer, 3)], "RAF", NOW)
    assert basket.price == {"RAF": 1350}
    assert [(line.name, line.quantity, line.unit_price) for line in basket.lines] == [("Bière", 3, 450)]
    assert shop(server).basket([BasketItem(server.beer, 2)], "TIME", NOW).price == {"TIME": 60}


def test_a_line_says_the_vat_that_its_price_holds(server: FakeServer) -> None:
    taxed = product(uuid7(), "Cidre", prices={"RAF": 350}, vat=2000)
    server.more = (taxed, product(BULK, "Vrac", open_price=True, vat=550))
    items = [BasketItem(taxed.id, 1), BasketItem(BULK, 1, "RAF", 120, "open"), BasketItem(server.beer, 1)]
    basket = shop(server).basket(items, "RAF", NOW)
    assert [line.vat for line in basket.lines] == [2000, 550, None]
    halves = shop(server).basket(items, "RAF", NOW, Bill(id=uuid7(), part=1, parts=2))
    assert [line.vat for line in halves.lines] == [2000, 550, None]


def test_a_line_keeps_the_price_it_was_shown_with(server: FakeServer) -> None:
    basket = shop(server).basket([BasketItem(server.beer, 1, "TIME"), BasketItem(server.beer, 2)], "RAF", NOW)
    assert basket.price == {"TIME": 30, "RAF": 900}
    assert [dict(item.prices) for item in basket.items] == [{"TIME": 30}, {"RAF": 450}]


def test_what_is_priced_in_euros_comes_first_in_the_catalogue(server: FakeServer) -> None:
    turned = tuple(reversed(server.snapshot_now().currencies))
    shown: Any = shop(server, currencies=turned).catalogue(NOW)["currencies"]
    assert [one["code"] for one in shown] == ["GIFT", "RAF", "TIME"]
    assert set(shown[0]) == {"code", "names", "symbol", "unit", "kind", "cents", "paid_out"}


@pytest.mark.parametrize("quantity", [0, -1, 1000])
def test_a_quantity_that_is_none_is_refused(server: FakeServer, quantity: int) -> None:
    with pytest.raises(TillError, match="empty_basket"):
        shop(server).basket([BasketItem(server.beer, quantity)], "RAF", NOW)


def test_what_cannot_be_sold_is_named(server: FakeServer) -> None:
    for items, currency, reason in (
        ([], "RAF", "empty_basket"),
        ([BasketItem(uuid7(), 1)], "RAF", "unknown_product"),
        ([BasketItem(server.beer, 1)], "GIFT", "no_price"),
    ):
        with pytest.raises(TillError, match=reason):
            shop(server).basket(items, currency, NOW)


def test_a_price_in_a_currency_that_is_not_taken_here_is_neither_shown_nor_sold(server: FakeServer) -> None:
    ours = shop(server, accepted=("RAF",))
    drawn: Any = ours.catalogue(NOW)["products"]
    assert drawn[0]["prices"] == {"RAF": 450}
    with pytest.raises(TillError, match="no_price"):
        ours.basket([BasketItem(server.beer, 1)], "TIME", NOW)


def test_the_catalogue_s_version_changes_with_what_is_shown_and_with_nothing_else(server: FakeServer) -> None:
    before = version(shop(server))
    server.balances.clear()
    assert version(shop(server)) == before
    server.prices["RAF"] = 500
    assert version(shop(server)) != before


def test_a_free_basket_has_nothing_to_charge(server: FakeServer) -> None:
    server.prices["RAF"] = 0
    with pytest.raises(TillError, match="no_price"):
        shop(server).basket([BasketItem(server.beer, 1)], "RAF", NOW)


def test_cups_go_out_and_come_back_and_bottles_lower_the_total(server: FakeServer) -> None:
    items = [BasketItem(server.beer, 2), BasketItem(CUP, 2), BasketItem(CUP, 1, kind="back"), BasketItem(BOTTLE, 3)]
    basket = shop(server).basket(items, "RAF", NOW)
    assert [(it.kind, it.quantity, it.unit_price) for it in basket.lines] == [
        (None, 2, 450),
        ("deposit", 2, 100),
        ("deposit", 1, -100),
        ("return", 3, -20),
    ]
    assert basket.price == {"RAF": 900 + 200 - 100 - 60}
    assert [it.kind for it in basket.items] == [None, "deposit", "deposit", "return"]
    assert shop(server).basket([BasketItem(CUP, 3, kind="back")], "RAF", NOW).price == {"RAF": -300}
    assert shop(server).basket([BasketItem(CUP, 1), BasketItem(CUP, 1, kind="back")], "RAF", NOW).price == {}


def test_a_typed_price_and_a_tip(server: FakeServer) -> None:
    items = [BasketItem(BULK, 1, price=315, kind="open"), BasketItem(NO_PRODUCT, 1, price=200, kind="tip")]
    basket = shop(server).basket(items, "RAF", NOW)
    assert [(it.kind, it.name, it.unit_price, it.category) for it in basket.lines] == [
        ("open", "Vrac", 315, "bar"),
        ("tip", "Pourboire", 200, None),
    ]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (BasketItem(BOTTLE, 1), "below_zero"),
        (BasketItem(HAPPY, 1, kind="back"), "not_allowed"),
        (BasketItem(HAPPY, 1, price=1, kind="open"), "not_allowed"),
        (BasketItem(BULK, 1, kind="open"), "wrong_amount"),
        (BasketItem(BULK, 1), "no_price"),
        (BasketItem(NO_PRODUCT, 1, price=0, kind="tip"), "wrong_amount"),
        (BasketItem(HAPPY, 1, price=550, kind="tip"), "not_allowed"),
        (BasketItem(NO_PRODUCT, 1, price=100), "not_allowed"),
    ],
)
def test_what_no_basket_holds_is_refused(server: FakeServer, item: BasketItem, reason: str) -> None:
    with pytest.raises(TillError, match=reason):
        shop(server).basket([item], "RAF", NOW)


def test_prices_by_the_hour_are_drawn_anew_and_the_old_one_is_sold_for_some_minutes(server: FakeServer) -> None:
    ours = shop(server)
    before, happy = BEFORE, BEFORE + MINUTE_US

    def price(now_us: int, shown: int | None = None) -> dict[str, int]:
        return dict(ours.basket([BasketItem(HAPPY, 1, price=shown)], "RAF", now_us).price)

    drawn: Any = ours.catalogue(happy)["products"]
    assert drawn[-1]["prices"] == {"RAF": 400}
    assert "windows" not in drawn[-1]
    assert version(ours, before) != version(ours, happy)
    assert version(ours, happy) == version(ours, happy + 30 * MINUTE_US)
    assert (price(before), price(happy), price(happy, 550)) == ({"RAF": 550}, {"RAF": 400}, {"RAF": 550})
    assert price(happy + GRACE_US - 1, 550) == {"RAF": 550}
    for now_us, shown in ((before, 400), (happy + GRACE_US + MINUTE_US, 550), (before, 500)):
        with pytest.raises(TillError, match="price_changed"):
            price(now_us, shown)


def test_what_is_sold_out_is_drawn_and_sold_all_the_same(server: FakeServer) -> None:
    ours = shop(server)
    drawn: Any = ours.catalogue(NOW, {server.beer: True})["products"]
    assert [it["sold_out"] for it in drawn] == [True, False, False, False, False]
    assert version(ours) != version(ours, NOW, {server.beer: True})
    assert version(ours) == version(ours, NOW, {server.beer: False})
    assert ours.basket([BasketItem(server.beer, 1)], "RAF", NOW).price == {"RAF": 450}


COSTS = {"beer": 450, "happy": 550, "out": 100, "back": -100, "bottle": -20, "bulk": 333, "tip": 101}
CHOSEN = st.lists(
    st.tuples(st.sampled_from(sorted(COSTS)), st.integers(1, 9)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(CHOSEN, st.integers(2, 12))
def test_the_parts_of_a_bill_are_the_bill(chosen: list[tuple[str, int]], parts: int) -> None:
    server = FakeServer(more=SPECIAL)
    ours = shop(server)
    items = {
        "beer": BasketItem(server.beer, 1),
        "happy": BasketItem(HAPPY, 1),
        "out": BasketItem(CUP, 1),
        "back": BasketItem(CUP, 1, kind="back"),
        "bottle": BasketItem(BOTTLE, 1),
        "bulk": BasketItem(BULK, 1, price=333, kind="open"),
        "tip": BasketItem(NO_PRODUCT, 1, price=101, kind="tip"),
    }
    asked = [replace(items[name], quantity=quantity) for name, quantity in chosen]
    if sum(COSTS[name] * quantity for name, quantity in chosen) < 0 and {name for name, _ in chosen} != {"back"}:
        with pytest.raises(TillError, match="below_zero"):
            ours.basket(asked, "RAF", NOW)
        return
    whole, bill = ours.basket(asked, "RAF", NOW), uuid7()
    paid = [ours.basket(asked, "RAF", NOW, Bill(id=bill, part=part, parts=parts)) for part in range(1, parts + 1)]
    due = [it.price.get("RAF", 0) for it in paid]
    assert sum(due) == whole.price.get("RAF", 0)
    assert max(due) - min(due) <= 1
    assert {line.share.parts for it in paid for line in it.lines if line.share} == {parts}
