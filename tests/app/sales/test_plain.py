"""The short way of reading and booking a plain sale comes to the same as the long one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.ledger.rules.operations import Operation
from app.platform.clock import now_us
from app.rules.basket import Line, totals
from app.rules.ids import uuid7
from app.sales.booking import delivered_sales
from app.sales.directory import Directory
from app.sales.plain import PlainSaleRow, read_plain
from app.sales.plain_booking import PlainBooking
from app.wire import Rest, Sale, SaleLine, SaleRow, Tender, read_payload
from tests.support.network import UNKNOWN_UID, Network, both

lines: st.SearchStrategy[SaleLine] = st.builds(
    SaleLine,
    product=st.uuids(),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1, max_size=80),
    quantity=st.integers(1, 999),
    unit_price=st.integers(0, 10**6),
    currency=st.sampled_from(["RAF", "TIME"]),
    category=st.none() | st.just("Bar"),
    vat=st.none() | st.integers(0, 10_000),
)


@st.composite
def plain_rows(draw: st.DrawFn) -> SaleRow:
    basket = [draw(lines.filter(lambda it: it.unit_price > 0)), *draw(st.lists(lines, max_size=3))]
    owed = totals(Line(str(it.product), it.quantity, it.unit_price, it.currency) for it in basket)
    sale = Sale(
        id=draw(st.uuids()),
        card=draw(st.binary(min_size=7, max_size=7)).hex().upper(),
        assurance=draw(st.sampled_from(["A", "B", "C"])),
        cashier=draw(st.none() | st.uuids()),
        lines=tuple(basket),
        tenders=tuple(Tender(currency=code, amount=amount) for code, amount in owed.items()),
        occurred_at_us=draw(st.integers(0, 7_258_118_400_000_000)),
    )
    unbacked = draw(st.dictionaries(st.sampled_from(["RAF", "TIME"]), st.integers(1, 100)))
    return SaleRow(mode=draw(st.sampled_from(["online", "offline"])), sale=sale, unbacked=unbacked)


def same(plain: PlainSaleRow, row: Any) -> bool:
    whole = plain.sale.whole()
    return bool(whole == row.sale and plain.content == row.sale.fingerprint() and plain.mode == row.mode)


@given(plain_rows())
def test_a_plain_sale_is_read_and_means_the_same(row: SaleRow) -> None:
    plain = read_plain(row.model_dump_json())
    assert plain is not None
    assert same(plain, row)
    assert (plain.event, plain.sale.cards) == (row.event, row.sale.cards)


@given(plain_rows(), st.data())
def test_nothing_is_read_that_the_wire_refuses_or_reads_otherwise(row: SaleRow, data: st.DataObject) -> None:
    """The stored text with some of its signs changed, doubled or left out."""
    text = row.model_dump_json()
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "0", "1", "-", " ", "a", "A", "F", '"', "\\u0041", "é", ",", text[at] * 2]))
    changed = text[:at] + put + text[at + data.draw(st.integers(0, 2)) :]
    plain = read_plain(changed)
    try:
        whole = read_payload(changed)
    except ValidationError:
        whole = None
    assert plain is None or same(plain, whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"quantity":1', '"quantity":2'),  # not paid exactly
        ('"quantity":1', '"quantity":1.0'),
        ('"vat":2000', '"vat":2000,"kind":"deposit"'),
        ('"amount":5}', '"amount":5,"card":"04A0000000A001"}'),
        ('"occurred_at_us":7', '"reason":"x","occurred_at_us":7'),
        ('"name":"Demi"', '"name":"D\\u0065mi"'),
        ('"kind":"sale","mode":"offline"', '"mode":"offline","kind":"sale"'),
        ('"RAF","amount":5}]', '"RAF","amount":4},{"currency":"RAF","amount":1}]'),
    ],
)
def test_what_is_not_plain_takes_the_long_way(old: str, new: str) -> None:
    line = SaleLine(product=uuid7(), name="Demi", quantity=1, unit_price=5, currency="RAF", vat=2000)
    sale = Sale(
        id=uuid7(), card=UNKNOWN_UID, lines=(line,), tenders=(Tender(currency="RAF", amount=5),), occurred_at_us=7
    )
    text = SaleRow(mode="offline", sale=sale).model_dump_json()
    assert read_plain(text) is not None
    assert old in text
    assert read_plain(text.replace(old, new)) is None


@both
@pytest.mark.anyio
async def test_its_operation_is_the_same(network: Network) -> None:
    await network.top_up("awa", 10_000)
    bar = await network.terminal("raffinerie", 'Bar "du fond" é')
    await network.block("basile")
    days_us = 24 * 3600 * 1_000_000
    sales = [
        bar.sale("awa", {"Demi": 2, "Eau": 1}),
        bar.sale("awa", {"Demi": 2}, pay="TEMPS", at_us=now_us() - 3 * days_us),
        bar.sale("camille", {"Eau": 1}, at_us=now_us() - 90 * days_us),
        bar.sale("basile", {"Eau": 1}).model_copy(update={"cashier": uuid7()}),
        bar.sale(UNKNOWN_UID, {"Eau": 1}),
    ]
    hours = SaleLine(product=uuid7(), name="Atelier", quantity=1, unit_price=5, currency="TEMPS")
    both_moneys = {
        "lines": (*sales[0].lines, hours),
        "tenders": (*sales[0].tenders, Tender(currency="TEMPS", amount=5)),
    }
    sales.append(sales[0].model_copy(update={"id": uuid7(), **both_moneys}))
    directory = Directory(network.ledger)
    counter = await directory.counter(bar.id, bar.epoch)
    cards = {card.uid: card for card in network.cards.values()}
    cards[network.cards["basile"].uid] = replace(network.cards["basile"], status="blocked")
    expected = await delivered_sales(network.ledger, counter, sales, cards)

    rows = [read_plain(SaleRow(mode="offline", sale=sale).model_dump_json()) for sale in sales]
    plain = [row for row in rows if row is not None]
    for _ in range(2):  # looked up, and remembered
        payers = await directory.payers([(it.card, t.currency) for it in sales for t in it.tenders], counter.currencies)
        booking = await PlainBooking.of(network.ledger, counter, payers, ["RAF", "TEMPS"])
        made: list[Operation] = [booking.operation(row) for row in plain]
        assert made == list(expected.operations)
        assert booking.to_look_at.suspense == expected.suspense
        assert expected.overdrafts.items() <= booking.to_look_at.overdrafts.items()


@both
@pytest.mark.anyio
async def test_plain_and_other_sales_are_booked_in_their_order(network: Network) -> None:
    """Each takes what those before it have left."""
    await network.top_up("awa", 500)
    bar = await network.terminal("raffinerie")
    mixed = bar.sale("awa", {"Eau": 4})
    half = {"tenders": (Tender(currency="RAF", amount=150),), "rest": (Rest(means="cash", covers="RAF", amount=250),)}
    sales = [bar.sale("awa", {"Eau": 2}), mixed.model_copy(update=half), bar.sale("awa", {"Eau": 2})]
    reply = await bar.deliver(*(bar.sale_row(sale) for sale in sales))
    assert reply["acknowledged"] == 3
    booked = await network.ledger.booked([sale.id for sale in sales])
    assert [booked[sale.id].seq for sale in sales] == sorted(it.seq for it in booked.values())
    assert [len(booked[sale.id].transfers) for sale in sales] == [1, 1, 2]
    assert [kind for kind, _ in await network.exceptions()] == ["offline-overdraft"]
    assert await network.holds("awa") == {"RAF": -50, "TEMPS": 0}
