"""Special baskets at the till: cups, typed prices, tips, sales without a card, parts of a bill, sold-out products."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.rules.ids import uuid7
from app.rules.lines import NO_PRODUCT
from app.rules.offline import Refusal
from app.wire import Bill, SaleRow, SoldOutRow, Tender, TrainingRow, VoidRow
from readers.terminal.commands import TillError
from readers.terminal.view import Amount, BasketItem, ByHand, Result, Taken
from tests.readers.sync.fake_server import AWA, STRONG, FakeServer
from tests.readers.terminal.test_shop import BULK, CUP, SPECIAL
from tests.readers.till.terminals import Terminal, a_terminal

pytestmark = pytest.mark.anyio

RIGHTS = ("sell", "void", "close", "open_price", "gift_house", "sold_out", "train")
BACK = BasketItem(CUP, 2, kind="back")


@pytest.fixture
def server() -> FakeServer:
    return FakeServer(more=SPECIAL, rights=RIGHTS, means=("cash", "bank_card", "cheque"))


@pytest.fixture
async def terminal(tmp_path: Path, server: FakeServer) -> AsyncIterator[Terminal]:
    async with a_terminal(tmp_path, server) as terminal:
        yield terminal


async def card(terminal: Terminal, *items: BasketItem, uid: str = AWA, bill: Bill | None = None) -> Result:
    await terminal.till.pay(list(items), "RAF", bill)
    terminal.lay(uid)
    await terminal.until(lambda: terminal.till.screen().phase in ("paid", "refused"))
    terminal.take(uid)
    result = terminal.till.screen().result
    assert result is not None
    return result


async def settled(terminal: Terminal) -> None:
    await terminal.until(lambda: terminal.link.online and not terminal.journal.waiting)


def beer(terminal: Terminal, quantity: int = 1) -> BasketItem:
    return BasketItem(terminal.server.beer, quantity)


@pytest.mark.parametrize("offline", [False, True])
async def test_cups_come_back_to_the_card_and_may_be_drunk_at_once(terminal: Terminal, offline: bool) -> None:
    if offline:
        await terminal.go_offline()
    result = await card(terminal, BACK)
    assert (result.reason, result.price) == (None, (Amount("RAF", -200),))
    assert result.taken == (Taken("card", "RAF", -200, 2200),)
    book = terminal.shelf.book
    assert book is not None
    view = book.card(AWA, "C")
    assert view is not None
    assert (view.available["RAF"], view.consecutive, dict(book.unbacked)) == (2200, 0, {})
    await terminal.go_online()
    await settled(terminal)
    assert terminal.server.balances[AWA]["RAF"] == 2200


async def test_cups_come_back_after_the_last_sale_that_a_card_may_make_offline(terminal: Terminal) -> None:
    await terminal.go_offline()
    while (await terminal.tap(AWA)).reason is None:
        pass
    assert (await card(terminal, BACK)).reason is None
    assert (await card(terminal, BACK, uid="04FFFFFFFFFFFF")).reason is Refusal.CARD_UNKNOWN


async def test_what_comes_back_can_be_worth_what_is_bought(terminal: Terminal) -> None:
    await terminal.go_offline()
    result = await card(terminal, BasketItem(CUP, 2), BACK)
    assert (result.reason, result.price, result.taken) == (None, (), ())
    unknown = await card(terminal, BasketItem(CUP, 2), BACK, uid="04FFFFFFFFFFFF")
    assert unknown.reason is Refusal.CARD_UNKNOWN


async def test_a_beer_a_cup_a_typed_price_and_a_tip_are_one_sale(terminal: Terminal) -> None:
    tip = BasketItem(NO_PRODUCT, 1, price=50, kind="tip")
    result = await card(terminal, beer(terminal), BasketItem(CUP, 1), BasketItem(BULK, 1, price=315, kind="open"), tip)
    assert result.price == (Amount("RAF", 450 + 100 + 315 + 50),)
    (sale,) = terminal.server.sold.values()
    assert sale.tenders == (Tender(currency="RAF", amount=915),)
    assert [line.kind for line in sale.lines] == [None, "deposit", "open", "tip"]


async def test_a_typed_price_and_a_gift_need_their_right(tmp_path: Path) -> None:
    async with a_terminal(tmp_path, FakeServer(more=SPECIAL)) as terminal:
        with pytest.raises(TillError, match="no_right"):
            await terminal.till.pay([BasketItem(BULK, 1, price=315, kind="open")], "RAF")
        with pytest.raises(TillError, match="no_right"):
            await terminal.till.take([beer(terminal)], "RAF", ByHand("house", reason="Merci"))
        with pytest.raises(TillError, match="no_right"):
            await terminal.till.set_sold_out(terminal.server.beer, True)


async def test_cash_is_green_at_once_and_nobody_is_asked(terminal: Terminal) -> None:
    await terminal.go_offline()
    sale = await terminal.till.take([beer(terminal, 2)], "RAF", ByHand("cash", given=2000))
    screen = terminal.till.screen()
    assert screen.phase == "paid"
    assert screen.result is not None
    assert (screen.result.card, screen.result.offline) == (None, False)
    assert screen.result.taken == (Taken("cash", "RAF", 900, given=2000),)
    (past,) = screen.last_sales
    assert (past.sale, past.card, past.offline, past.why_not) == (sale, "", False, None)
    told = terminal.till.receipt(sale, "fr").text
    assert "Reçu 20,00" in told
    assert "Monnaie 11,00" in told
    await terminal.go_online()
    assert terminal.server.balances[AWA]["RAF"] == 2000
    assert [row.mode for row in terminal.server.payloads() if isinstance(row, SaleRow)] == ["offline"]


async def test_a_sale_without_a_card_is_voided_and_counted(terminal: Terminal) -> None:
    sale = await terminal.till.take([beer(terminal, 2)], "RAF", ByHand("cash"))
    await terminal.till.take([BACK], "RAF", ByHand("cash"))
    await terminal.till.take([beer(terminal)], "RAF", ByHand("cheque"))
    await terminal.till.take([beer(terminal)], "RAF", ByHand("house", reason="Merci"))
    await terminal.till.void(sale, "Erreur")
    await terminal.till.session.count({100: 3})
    await terminal.till.session.close("il manque")
    row = terminal.till.session._desk.newest  # type: ignore[attr-defined]
    assert (row.figures.sales, row.figures.gifts, row.figures.voids) == (3, 1, 1)
    assert row.figures.means == {"cash": {"RAF": 700}, "cheque": {"RAF": 450}}
    assert (row.figures.deposits_back, row.figures.voided) == ({"RAF": 200}, {"RAF": 900})
    assert (row.expected_cents, row.difference_cents) == (-200, 500)
    await settled(terminal)
    assert [type(it) for it in terminal.server.payloads()].count(VoidRow) == 1


async def test_the_parts_of_a_bill_are_paid_in_any_way(terminal: Terminal) -> None:
    items, bill = [beer(terminal, 2), BasketItem(CUP, 1)], uuid7()
    first = await card(terminal, *items, bill=Bill(id=bill, part=1, parts=3))
    assert first.price == (Amount("RAF", 334),)
    await terminal.till.take(items, "RAF", ByHand("cheque"), Bill(id=bill, part=2, parts=3))
    await terminal.till.take(items, "RAF", ByHand("cash", given=500), Bill(id=bill, part=3, parts=3))
    await settled(terminal)
    paid = [row.sale for row in terminal.server.payloads() if isinstance(row, SaleRow)]
    assert [sale.bill and (sale.bill.id, sale.bill.part) for sale in paid] == [(bill, 1), (bill, 2), (bill, 3)]
    due = [sum(line.unit_price for line in sale.lines) for sale in paid]
    assert due == [334, 333, 333]


async def test_the_rest_by_cheque_where_the_venue_takes_them(terminal: Terminal) -> None:
    short = await card(terminal, beer(terminal, 5), uid=AWA)
    assert short.offers == ("cash", "bank_card", "cheque", "second_card")
    await terminal.till.complete("cheque")
    await terminal.until(lambda: terminal.till.screen().phase == "paid")
    assert terminal.till.screen().last_sales[0].rest == (Taken("cheque", "RAF", 250),)


async def test_nothing_without_a_card_while_a_card_is_asked_for_or_the_terminal_is_set_aside(
    terminal: Terminal,
) -> None:
    await terminal.ask()
    with pytest.raises(TillError, match="busy"):
        await terminal.till.take([beer(terminal)], "RAF", ByHand("cash"))
    await terminal.till.cancel()
    await terminal.journal.halt("quarantined")
    with pytest.raises(TillError, match="not_allowed"):
        await terminal.till.take([beer(terminal)], "RAF", ByHand("cash"))
    with pytest.raises(TillError, match="not_allowed"):
        await terminal.till.set_sold_out(terminal.server.beer, True)


async def test_it_can_be_practised(terminal: Terminal) -> None:
    await terminal.till.train(True)
    await terminal.till.take([beer(terminal)], "RAF", ByHand("house", reason="Merci"))
    assert (await card(terminal, BACK, uid=STRONG)).reason is None
    with pytest.raises(TillError, match="in_training"):
        await terminal.till.set_sold_out(terminal.server.beer, True)
    await settled(terminal)
    sold = [row.sale for row in terminal.server.payloads() if isinstance(row, TrainingRow) and row.sale]
    assert [sale.reason for sale in sold] == ["Merci", None]
    assert terminal.server.sold == {}


async def test_what_is_sold_out_is_seen_at_once_and_after_a_restart(tmp_path: Path, server: FakeServer) -> None:
    def gone(terminal: Terminal) -> list[bool]:
        products = terminal.till.catalogue()["products"]
        return [it["sold_out"] for it in products][:1]  # type: ignore[attr-defined]

    async with a_terminal(tmp_path, server) as terminal:
        await terminal.go_offline()
        before = terminal.till.screen().catalogue_version
        await terminal.till.set_sold_out(server.beer, True)
        assert gone(terminal) == [True]
        assert terminal.till.screen().catalogue_version != before
        with pytest.raises(TillError, match="unknown_product"):
            await terminal.till.set_sold_out(uuid7(), True)
    async with a_terminal(tmp_path, server) as terminal:
        assert gone(terminal) == [True]
        await terminal.till.set_sold_out(server.beer, False)
        assert gone(terminal) == [False]
        await terminal.go_online()
    told = [row.sold_out for row in server.payloads() if isinstance(row, SoldOutRow)]
    assert told == [True, False]
