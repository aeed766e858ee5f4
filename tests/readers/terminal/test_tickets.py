"""What a terminal may sell of the tickets that it was lent."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.rules.ids import uuid7
from app.wire import LeasedPrice, LeasedTicket, Rest, Sale, SaleRow, Tender, TicketsBackRow, TicketStock
from readers.terminal.commands import TillError
from readers.terminal.tickets import TicketBook

PRICE = uuid7()


def lent(ids: list[UUID], keep: int) -> TicketStock:
    price = LeasedPrice(
        id=PRICE,
        event=uuid7(),
        titles={"fr": "Bal", "en": "Ball"},
        names={"fr": "Plein tarif", "en": "Full"},
        starts_at_us=10,
        ends_at_us=20,
        currency="RAF",
        amount=1200,
        vat=550,
        keep=keep,
        tickets=tuple(LeasedTicket(id=it, code=f"code {it}") for it in ids),
    )
    return TicketStock(device=uuid7(), epoch=1, prices=(price,))


def test_what_a_row_names_is_never_sold_again_whatever_a_list_says() -> None:
    ids, book = [uuid7() for _ in range(4)], TicketBook()
    book.take(lent(ids, 4))
    line = book.line(PRICE, 2, 1200, 5)
    assert (line.tickets, line.name, line.vat) == (tuple(ids[:2]), "Bal · Plein tarif", 550)
    assert len(book.left(PRICE)) == 4, "a basket that is not paid takes nothing"
    paid = (Tender(currency="RAF", amount=2400),)
    sale = Sale(id=uuid7(), card="04A0000000A001", lines=(line,), tenders=paid, occurred_at_us=5)
    book.add(SaleRow(mode="offline", sale=sale))
    book.take(lent(ids, 4))
    assert book.left(PRICE) == ids[2:]
    with pytest.raises(TillError, match="no_tickets"):
        book.line(PRICE, 3, None, 5)
    with pytest.raises(TillError, match="price_changed"):
        book.line(PRICE, 1, 1000, 5)
    with pytest.raises(TillError, match="no_tickets"):
        book.line(PRICE, 1, None, 20)


def test_what_it_has_too_many_is_given_back_and_not_sold_meanwhile() -> None:
    ids, book = [uuid7() for _ in range(4)], TicketBook()
    book.take(lent(ids, 1))
    assert (book.left(PRICE), book.spare()) == (ids[:1], ids[1:])
    book.add(TicketsBackRow(id=uuid7(), tickets=tuple(ids[1:]), at_us=5))
    assert (book.left(PRICE), book.spare()) == (ids[:1], [])
    book.take(lent(ids, 0))
    assert (book.left(PRICE), book.spare()) == ([], ids[:1])


def test_the_grid_says_how_many_are_left_and_its_version_changes_with_it() -> None:
    ids, book = [uuid7()], TicketBook()
    drawn: dict[str, object] = {"version": "1", "products": []}
    assert book.beside(drawn, {"RAF"}) is drawn
    book.take(lent(ids, 1))
    before = book.beside(drawn, {"RAF"})
    tile = before["products"][0]  # type: ignore[index]
    assert (tile["names"]["en"], tile["sold_out"]) == ("Ball · Full (1)", False)
    book.withdraw(ids)
    after = book.beside(drawn, {"RAF"})
    assert after["products"][0]["sold_out"]  # type: ignore[index]
    assert before["version"] != after["version"] != drawn["version"]
    assert book.beside(drawn, {"TEMPS"}) is drawn, "not taken here"


def test_the_codes_of_what_no_card_paid_are_handed_over_also_once_the_list_left_them_out() -> None:
    ids, book = [uuid7() for _ in range(3)], TicketBook()
    book.take(lent(ids, 3))
    line = book.line(PRICE, 2, 1200, 5)
    rest = (Rest(means="cash", covers="RAF", amount=2400),)
    cash = Sale(id=uuid7(), lines=(line,), tenders=(), rest=rest, occurred_at_us=5)
    book.add(SaleRow(mode="offline", sale=cash))
    book.take(lent(ids[2:], 1))
    assert [(it.name, it.code) for it in book.codes(cash)] == [("Bal · Plein tarif", f"code {id_}") for id_ in ids[:2]]
    paid = (Tender(currency="RAF", amount=2400),)
    by_card = Sale(id=uuid7(), card="04A0000000A001", lines=(line,), tenders=paid, occurred_at_us=5)
    assert book.codes(by_card) == [], "the card has them"
