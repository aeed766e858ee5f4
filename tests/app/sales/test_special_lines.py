"""Cups, bottles, tips, typed prices, happy hours, sales without a card: from the wire to the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.lines import NO_PRODUCT, LineKind, ProductKind
from app.sales.records import records_of_day
from app.sales.tables import till_record
from app.venues.hours import Hours, add_hours
from app.venues.service import Product, add_product, products, set_paid
from app.wire import Bill, Rest, Sale, SaleLine, SaleRow, Share, SoldOutRow, Tender, TerminalSnapshot, VoidRow
from tests.support.network import CARDS, GIFT, UNKNOWN_UID, Network, Terminal, both

pytestmark = both
CUP, BOTTLE, BAG = uuid7(), uuid7(), uuid7()


@pytest.fixture
async def bar(network: Network) -> Terminal:
    venue = network.venues["raffinerie"]
    more: tuple[tuple[UUID, str, ProductKind, int, bool], ...] = (
        (CUP, "Gobelet", "deposit", 100, False),
        (BOTTLE, "Bouteille", "return", 20, False),
        (BAG, "Vrac", "goods", 0, True),
    )
    async with network.engine.begin() as connection:
        for id_, name, kind, price, open_ in more:
            prices = {"RAF": price} if price else {}
            await add_product(connection, venue.id, Product(id_, name, name, "Bar", "", prices, kind, open_price=open_))
    await network.top_up("awa", 2000)
    return await network.terminal("raffinerie")


def line(product: UUID, price: int, kind: LineKind | None = None, quantity: int = 1, **more: Any) -> SaleLine:
    return SaleLine(product=product, name="x", quantity=quantity, unit_price=price, currency="RAF", kind=kind, **more)


def cups(count: int, price: int = 100) -> SaleLine:
    return line(CUP, price if count > 0 else -price, "deposit", abs(count))


def beer(network: Network) -> SaleLine:
    return line(network.product("raffinerie", "Demi").id, 350)


def sale(*lines: SaleLine, card: str = "awa", amount: int | None = None, **more: Any) -> Sale:
    owed = sum(it.quantity * it.unit_price for it in lines) if amount is None else amount
    tenders = (Tender(currency="RAF", amount=owed),) if owed else ()
    uid = CARDS.get(card, card)
    return Sale(**{"id": uuid7(), "card": uid, "lines": lines, "tenders": tenders, "occurred_at_us": now_us(), **more})


def by_hand(*lines: SaleLine, means: str = "cash", **more: Any) -> Sale:
    owed = sum(it.quantity * it.unit_price for it in lines)
    rest = (Rest.model_validate({"means": means, "covers": "RAF", "amount": owed}),) if owed else ()
    return Sale(**{"id": uuid7(), "lines": lines, "tenders": (), "rest": rest, "occurred_at_us": now_us(), **more})


async def deliver(bar: Terminal, *rows: Any) -> Any:
    made = [SaleRow(mode="offline", sale=it) if isinstance(it, Sale) else it for it in rows]
    answer = await bar.sync(bar.journal.batch(bar.journal.add(*made)))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shelf(bar: Terminal) -> TerminalSnapshot:
    return TerminalSnapshot.model_validate_json((await bar.snapshot()).content)


async def balance(network: Network, kind: str) -> dict[str, int]:
    rows = await network.ledger.balances(kinds=[kind])
    return {row.key.book.currency: row.balance for row in rows if row.balance}


async def test_a_cup_out_is_set_aside_and_comes_back(network: Network, bar: Terminal) -> None:
    answer = await bar.sell(sale(beer(network), cups(1)))
    assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 1550})
    assert await balance(network, "deposit") == {"RAF": 100}
    assert await network.claims("raffinerie") == {"RAF": 350}
    back = sale(cups(-1))
    answer = await bar.sell(back)
    assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 1650})
    assert (await bar.sell(back)).json() == answer.json()
    assert await balance(network, "deposit") == {}
    assert await network.claims("raffinerie") == {"RAF": 350}


async def test_a_cup_that_comes_back_pays_part_of_the_next_beer(network: Network, bar: Terminal) -> None:
    await bar.sell(sale(cups(2)))
    assert (await bar.sell(sale(beer(network), cups(-1)))).json()["balances"] == {"RAF": 1550}
    assert await balance(network, "deposit") == {"RAF": 100}
    assert await network.claims("raffinerie") == {"RAF": 350}


async def test_a_cup_paid_in_cash_and_returned_to_a_card_is_a_top_up_in_cash(network: Network, bar: Terminal) -> None:
    await bar.sell(sale(cups(1)))
    answer = await bar.sell(sale(cups(-3)))
    assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 2200})
    assert await balance(network, "deposit") == {}
    # 2000 were topped up at this venue before.
    assert await balance(network, "due_from") == {"EUR": 2200}
    assert await network.claims("raffinerie") == {}


async def test_delivered_cups_see_those_that_went_out_before_them(network: Network, bar: Terminal) -> None:
    rows = [sale(cups(2)), sale(cups(-1)), sale(beer(network), cups(-2), amount=150)]
    await deliver(bar, *rows)
    await deliver(bar, *rows)
    assert (await network.holds("awa"))["RAF"] == 2000 - 200 + 100 - 150
    assert await balance(network, "deposit") == {}
    assert await network.claims("raffinerie") == {"RAF": 350}
    assert await network.exceptions() == []


async def test_cups_on_a_card_nobody_knows_wait_in_suspense(network: Network, bar: Terminal) -> None:
    await bar.sell(sale(cups(2)))
    await deliver(bar, sale(cups(-1), card=UNKNOWN_UID))
    assert await network.suspense() == {"RAF": 100}
    assert [kind for kind, _ in await network.exceptions()] == ["unknown-card"]


async def test_gift_money_pays_back_only_what_gift_money_left(network: Network, bar: Terminal) -> None:
    await network.define(GIFT, at=("raffinerie",))
    async with network.engine.begin() as connection:
        await add_product(
            connection,
            network.venues["raffinerie"].id,
            Product(mug := uuid7(), "Tasse", "Mug", "", "", {"GIFT": 50}, "deposit"),
        )
    await network.issue("awa", GIFT, 100)

    def mugs(price: int) -> Sale:
        one = SaleLine(product=mug, name="x", quantity=1, unit_price=price, currency="GIFT", kind="deposit")
        return sale(one, amount=0, tenders=(Tender(currency="GIFT", amount=price),))

    assert (await bar.sell(mugs(-50))).json()["type"].endswith("deposit-not-held")
    await bar.sell(mugs(50))
    assert (await bar.sell(mugs(-50))).json()["balances"] == {"GIFT": 100}
    # Offline it happened: the venue gives what nobody set aside.
    await deliver(bar, mugs(-50))
    assert (await network.holds("awa"))["GIFT"] == 150
    assert await network.claims("raffinerie") == {"GIFT": -50}


async def test_gifts_never_pay_a_cup(network: Network, bar: Terminal) -> None:
    await network.define(GIFT, at=("raffinerie",))
    await network.issue("awa", GIFT, 1000)
    tender = Tender(currency="GIFT", amount=100, covers="RAF", covered=100)
    answer = await bar.sell(sale(cups(1), tenders=(tender,)))
    assert answer.json()["reasons"] == ["category:GIFT"]


async def test_a_voided_cup_goes_back_where_it_came_from(network: Network, bar: Terminal) -> None:
    one = sale(beer(network), cups(1))
    await bar.sell(one)
    await deliver(bar, SaleRow(mode="online", sale=one), void(one))
    assert (await network.holds("awa"))["RAF"] == 2000
    assert await balance(network, "deposit") == {}


def void(of: Sale) -> VoidRow:
    return VoidRow(id=uuid7(), sale=of.id, reason="Erreur", at_us=now_us())


async def test_bottles_lower_the_total_and_tips_raise_it(network: Network, bar: Terminal) -> None:
    tip = line(NO_PRODUCT, 50, "tip")
    answer = await bar.sell(sale(beer(network), line(BOTTLE, -20, "return", 2), tip))
    assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 1640})
    assert await network.claims("raffinerie") == {"RAF": 360}


async def test_tips_go_where_the_venue_says(network: Network, bar: Terminal) -> None:
    async with network.engine.begin() as connection:
        await set_paid(connection, network.venues["raffinerie"].id, ("cash", "meal_voucher"), "Équipe du bar", None)
    assert (await bar.sell(sale(beer(network), cups(1), line(NO_PRODUCT, 50, "tip")))).status_code == 201
    assert await network.claims("raffinerie") == {"RAF": 350}
    assert await balance(network, "deposit") == {"RAF": 100}
    assert await balance(network, "fund") == {"RAF": 50}
    assert (await shelf(bar)).means == ("cash", "meal_voucher")


@pytest.mark.parametrize(
    "wrong",
    [
        cups(1, 90),
        line(CUP, 100),
        line(BOTTLE, -30, "return"),
        line(BAG, 777),
        line(uuid7(), 100, "open"),
        line(CUP, 50, "open"),
    ],
)
async def test_what_is_not_sold_so_is_refused(network: Network, bar: Terminal, wrong: SaleLine) -> None:
    answer = await bar.sell(sale(beer(network), beer(network), wrong))
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (409, "price-changed")
    assert (await network.holds("awa"))["RAF"] == 2000


async def test_staff_type_a_price(network: Network, bar: Terminal) -> None:
    demi = network.product("raffinerie", "Demi").id
    assert (await bar.sell(sale(line(BAG, 777, "open"), line(demi, 300, "open")))).status_code == 201
    assert await network.claims("raffinerie") == {"RAF": 1077}


async def test_a_share_is_a_share_of_todays_price(network: Network, bar: Terminal) -> None:
    demi, bill = network.product("raffinerie", "Demi").id, uuid7()

    def part(number: int, amount: int, price: int) -> Sale:
        share = Share(parts=3, quantity=2, unit_price=price)
        of = Bill(id=bill, part=number, parts=3)
        return sale(line(demi, amount, share=share), bill=of)

    for number, amount in enumerate((234, 233, 233), 1):
        assert (await bar.sell(part(number, amount, 350))).status_code == 201
    assert await network.claims("raffinerie") == {"RAF": 700}
    assert (await bar.sell(part(1, 200, 300))).status_code == 409


async def test_happy_hour_ends_some_minutes_after_it_ends(network: Network, bar: Terminal) -> None:
    """The window ended a moment ago, on the venue's wall clock, whatever the time of the test."""
    venue, demi = network.venues["raffinerie"], network.product("raffinerie", "Demi").id
    # Réunion is at UTC+4, without summer time.
    wall = datetime.now(UTC) + timedelta(hours=4)

    def at(minutes: int) -> time:
        return (wall + timedelta(minutes=minutes)).time().replace(second=0, microsecond=0)

    async def selling_at(price: int) -> int:
        return (await bar.sell(sale(line(demi, price)))).status_code

    hours = Hours(uuid7(), "Happy hour", frozenset(range(7)), at(-60), at(-3), {demi: {"RAF": 250}})
    assert await selling_at(250) == 409
    async with network.engine.begin() as connection:
        await add_hours(connection, venue.id, hours)
    assert await selling_at(250) == 201
    assert await selling_at(350) == 201
    (shown,) = [it for it in (await shelf(bar)).products if it.id == demi]
    assert shown.article().windows[0].prices == {"RAF": 250}
    async with network.engine.begin() as connection:
        later = replace(hours, id=uuid7(), begins=at(-60), ends=at(60), prices={demi: {"RAF": 200}})
        await add_hours(connection, venue.id, later)
    # Full price was on no screen for an hour.
    assert await selling_at(200) == 201
    assert await selling_at(350) == 409


async def test_a_sale_without_a_card_is_kept_beside_the_ledger(network: Network, bar: Terminal) -> None:
    cashier, before = uuid7(), len((await network.get("nadia", "/exceptions")).json())
    round_ = by_hand(beer(network), beer(network), means="meal_voucher")
    gift = by_hand(beer(network), means="house", cashier=cashier, reason="Anniversaire")
    await deliver(bar, round_, sale(beer(network)), gift, void(round_))
    await deliver(bar, round_, gift)
    assert await network.claims("raffinerie") == {"RAF": 350}
    assert len(await network.exceptions()) == before
    venue = network.venues["raffinerie"]
    async with network.context.reader.connect() as connection:
        found = await records_of_day(connection, venue.id, venue.day_of(now_us()))
    assert [(it.id, it.kind, it.taken_back is not None) for it in found] == [
        (round_.id, "sale", True),
        (gift.id, "house", False),
    ]
    assert found[0].details["rest"] == [{"means": "meal_voucher", "covers": "RAF", "amount": 700}]
    assert (found[1].details["reason"], found[1].details["cashier"]) == ("Anniversaire", str(cashier))
    assert (await bar.sell(round_)).status_code == 422


async def test_a_record_is_never_changed(network: Network, bar: Terminal) -> None:
    one = by_hand(beer(network))
    await deliver(bar, one)
    other = by_hand(beer(network), beer(network), id=one.id)
    await deliver(bar, other)
    assert [kind for kind, _ in await network.exceptions()] == ["not-booked"]
    for change in (sa.update(till_record).values(details="{}"), sa.delete(till_record)):
        with pytest.raises(DatabaseError, match="what was recorded stays"):
            async with network.engine.begin() as connection:
                await connection.execute(change)


async def test_sold_out_is_told_to_every_terminal_and_the_last_word_counts(network: Network, bar: Terminal) -> None:
    demi, now = network.product("raffinerie", "Demi").id, now_us()

    def said(sold_out: bool, at_us: int) -> SoldOutRow:
        return SoldOutRow(id=uuid7(), product=demi, sold_out=sold_out, at_us=at_us)

    async def shown() -> bool:
        async with network.context.reader.connect() as connection:
            return next(it.sold_out for it in await products(connection, bar.venue.id) if it.id == demi)

    await deliver(bar, said(True, now))
    assert await shown()
    assert next(it.sold_out for it in (await shelf(bar)).products if it.id == demi)
    # Another terminal was offline, and knew less.
    await deliver(bar, said(False, now - 1_000_000))
    assert await shown()
    await deliver(bar, said(False, now + 1))
    assert not await shown()
    # Somebody found one more behind the bar.
    assert (await bar.sell(sale(beer(network)))).status_code == 201
