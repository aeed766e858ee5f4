"""Baskets that no card pays: cash and its change, other means, money that goes out, gifts of the house."""

from __future__ import annotations

import pytest

from app.rules.ids import uuid7
from app.rules.lines import NO_PRODUCT
from app.wire import Means, Rest
from readers.terminal.by_hand import sale_by_hand
from readers.terminal.commands import TillError
from readers.terminal.shop import Basket
from readers.terminal.view import BasketItem, ByHand
from tests.readers.sync.fake_server import FakeServer
from tests.readers.terminal.test_shop import BOTTLE, CUP, NOW, SPECIAL, shop

CASHIER = uuid7()
EVERY: tuple[Means, ...] = ("cash", "bank_card", "cheque", "meal_voucher")
SERVER = FakeServer(more=SPECIAL, means=EVERY)
BEER = BasketItem(SERVER.beer, 2)
BACK = BasketItem(CUP, 3, kind="back")
TIP = BasketItem(NO_PRODUCT, 1, price=100, kind="tip")


def basket(*items: BasketItem) -> Basket:
    return shop(SERVER).basket(list(items), "RAF", NOW)


@pytest.mark.parametrize("means", EVERY)
def test_every_means_of_the_venue_pays_all_of_it(means: Means) -> None:
    sale = sale_by_hand(basket(BEER, TIP), ByHand(means), uuid7(), CASHIER, NOW)
    assert (sale.card, sale.tenders, sale.rest) == ("", (), (Rest(means=means, covers="RAF", amount=1000),))


def test_change_is_told_by_what_was_handed_over() -> None:
    (rest,) = sale_by_hand(basket(BEER), ByHand("cash", given=2000), uuid7(), CASHIER, NOW).rest
    assert rest.given == 2000


def test_cups_that_come_back_are_paid_out_in_cash_alone() -> None:
    (rest,) = sale_by_hand(basket(BACK), ByHand("cash"), uuid7(), CASHIER, NOW).rest
    assert (rest.means, rest.amount) == ("cash", -300)
    even = sale_by_hand(basket(BACK, BasketItem(CUP, 3)), ByHand("cash"), uuid7(), CASHIER, NOW)
    assert even.rest == ()


def test_the_house_gives_with_a_reason() -> None:
    sale = sale_by_hand(basket(BEER), ByHand("house", reason=" Merci "), uuid7(), CASHIER, NOW)
    assert (sale.reason, sale.rest[0].means, sale.cashier) == ("Merci", "house", CASHIER)


@pytest.mark.parametrize(
    ("items", "how", "reason"),
    [
        ((BEER,), ByHand("cash", given=899), "wrong_amount"),
        ((BACK,), ByHand("bank_card"), "only_cash"),
        ((BACK,), ByHand("house", reason="Merci"), "not_a_gift"),
        ((BACK,), ByHand("cash", given=100), "wrong_amount"),
        ((BEER, TIP), ByHand("house", reason="Merci"), "not_a_gift"),
        ((BEER, BasketItem(CUP, 1)), ByHand("house", reason="Merci"), "not_a_gift"),
        ((BEER,), ByHand("house", reason=" "), "reason_needed"),
        ((BEER,), ByHand("house"), "reason_needed"),
        ((BasketItem(SERVER.beer, 1, "TIME"),), ByHand("cash"), "card_only"),
        ((BEER, BasketItem(BOTTLE, 1), BasketItem(SERVER.beer, 1, "TIME")), ByHand("cash"), "card_only"),
    ],
)
def test_what_cannot_be_taken_is_refused(items: tuple[BasketItem, ...], how: ByHand, reason: str) -> None:
    with pytest.raises(TillError, match=reason):
        sale_by_hand(basket(*items), how, uuid7(), CASHIER, NOW)


def test_a_means_that_the_venue_does_not_take_is_refused() -> None:
    only = shop(FakeServer(more=SPECIAL)).basket([BasketItem(CUP, 1)], "RAF", NOW)
    with pytest.raises(TillError, match="not_offered"):
        sale_by_hand(only, ByHand("cheque"), uuid7(), CASHIER, NOW)
