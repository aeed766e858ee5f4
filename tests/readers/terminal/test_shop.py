"""Baskets priced as on the screen."""

from __future__ import annotations

from typing import Any

import pytest

from app.rules.ids import uuid7
from readers.terminal.shop import Shop
from readers.terminal.view import BasketItem, TillError
from tests.readers.sync.fake_server import FakeServer


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


def shop(server: FakeServer, **changes: object) -> Shop:
    return Shop(server.snapshot_now().model_copy(update=changes), {})


def test_a_basket_has_names_and_prices_as_shown(server: FakeServer) -> None:
    basket = shop(server).basket([BasketItem(server.beer, 3)], "RAF")
    assert basket.price == {"RAF": 1350}
    assert [(line.name, line.quantity, line.unit_price) for line in basket.lines] == [("Bière", 3, 450)]
    assert shop(server).basket([BasketItem(server.beer, 2)], "TIME").price == {"TIME": 60}


def test_a_line_keeps_the_price_it_was_shown_with(server: FakeServer) -> None:
    basket = shop(server).basket([BasketItem(server.beer, 1, "TIME"), BasketItem(server.beer, 2)], "RAF")
    assert basket.price == {"TIME": 30, "RAF": 900}
    assert [dict(item.prices) for item in basket.items] == [{"TIME": 30}, {"RAF": 450}]


def test_what_is_priced_in_euros_comes_first_in_the_catalogue(server: FakeServer) -> None:
    turned = tuple(reversed(server.snapshot_now().currencies))
    shown: Any = shop(server, currencies=turned).catalogue["currencies"]
    assert [one["code"] for one in shown] == ["GIFT", "RAF", "TIME"]
    assert set(shown[0]) == {"code", "names", "symbol", "unit", "kind", "paid_out"}


@pytest.mark.parametrize("quantity", [0, -1, 1000])
def test_a_quantity_that_is_none_is_refused(server: FakeServer, quantity: int) -> None:
    with pytest.raises(TillError, match="empty_basket"):
        shop(server).basket([BasketItem(server.beer, quantity)], "RAF")


def test_what_cannot_be_sold_is_named(server: FakeServer) -> None:
    for items, currency, reason in (
        ([], "RAF", "empty_basket"),
        ([BasketItem(uuid7(), 1)], "RAF", "unknown_product"),
        ([BasketItem(server.beer, 1)], "GIFT", "no_price"),
    ):
        with pytest.raises(TillError, match=reason):
            shop(server).basket(items, currency)


def test_a_price_in_a_currency_that_is_not_taken_here_is_neither_shown_nor_sold(server: FakeServer) -> None:
    ours = shop(server, accepted=("RAF",))
    assert [product["prices"] for product in ours.catalogue["products"]] == [{"RAF": 450}]  # type: ignore[attr-defined]
    with pytest.raises(TillError, match="no_price"):
        ours.basket([BasketItem(server.beer, 1)], "TIME")


def test_the_catalogue_s_version_changes_with_what_is_shown_and_with_nothing_else(server: FakeServer) -> None:
    before = shop(server).catalogue_version
    server.balances.clear()
    assert shop(server).catalogue_version == before
    server.prices["RAF"] = 500
    assert shop(server).catalogue_version != before


def test_a_free_basket_has_nothing_to_charge(server: FakeServer) -> None:
    server.prices["RAF"] = 0
    with pytest.raises(TillError, match="no_price"):
        shop(server).basket([BasketItem(server.beer, 1)], "RAF")
