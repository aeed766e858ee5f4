"""What was sold today, on the page and as files: to the cent what the positions and the tills' closings say."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from app.currencies.service import currencies
from app.dashboards.day_reading import days_of, sold_on
from app.dashboards.rules.sold import CARD, Sold
from app.identity.tables import audit
from app.ledger.figures.follow import catch_up
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.takings import Figures
from app.settlement.periods import periods
from app.venues.service import Product, add_product
from app.wire import Rest, Sale, SaleLine, SaleRow, Tender, VoidRow
from tests.support.network import CARDS, Network, both
from tests.support.pages import ENGLISH, look, words
from tests.support.tills import Till

pytestmark = pytest.mark.anyio

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])


async def evening(network: Network) -> dict[str, Till]:
    """Raffinerie sells by card, in cash, half and half, for time, with a cup and a tip, and gives one beer away; Canal
    sells two coffees by card. Each kind of sale is taken back once."""
    await network.top_up("awa", 10_000)
    await network.top_up("basile", 1_000, "canal")
    venue = network.venues["raffinerie"]
    cup = Product(uuid7(), "Gobelet", "Cup", "Bar", "", {"RAF": 100}, "deposit")
    async with network.engine.begin() as connection:
        await add_product(connection, venue.id, cup)
    raffinerie, canal = Till(await network.terminal("raffinerie")), Till(await network.terminal("canal"))
    demi = network.product("raffinerie", "Demi").id

    def line(price: int = 350, quantity: int = 1, **more: object) -> SaleLine:
        named = {"product": demi, "name": "Demi", "currency": "RAF", "quantity": quantity, "unit_price": price}
        return SaleLine.model_validate({**named, **more})

    def sale(*lines: SaleLine, by_card: int | None = None, **rest: int) -> SaleRow:
        """What `by_card` does not pay (None: all of it) is paid by these means."""
        owed = sum(it.quantity * it.unit_price for it in lines)
        paid = owed if by_card is None else by_card
        made = Sale(
            id=uuid7(),
            card=CARDS["awa"] if paid else "",
            lines=lines,
            tenders=(Tender(currency="RAF", amount=paid),) if paid else (),
            rest=tuple(Rest.model_validate({"means": it, "covers": "RAF", "amount": of}) for it, of in rest.items()),
            occurred_at_us=now_us(),
            **({"cashier": uuid7(), "reason": "Anniversaire"} if "house" in rest else {}),
        )
        return SaleRow(mode="offline", sale=made)

    cups = {"product": cup.id, "name": "Gobelet", "kind": "deposit", "price": 100}
    tip = {"product": UUID(int=0), "name": "Pourboire", "kind": "tip", "price": 50}

    def rows() -> list[SaleRow]:
        return [
            sale(line(quantity=2), line(**cups), line(**tip)),
            sale(line(), by_card=0, cash=350),
            sale(line(quantity=3), by_card=450, cash=600),
            sale(line(), by_card=0, house=350),
            raffinerie.terminal.sale_row("awa", {"Demi": 1}, "RAF"),
        ]

    mistaken = rows()
    await raffinerie.deliver(*rows(), *mistaken)
    for it in mistaken:
        await raffinerie.deliver(VoidRow(id=uuid7(), sale=it.sale.id, reason="Erreur", at_us=now_us(), cashier=None))
    await canal.deliver(canal.terminal.sale_row("basile", {"Café": 2}))
    assert await network.exceptions() == []
    return {"raffinerie": raffinerie, "canal": canal}


async def todays(network: Network) -> Sold:
    at = {it.id: it for it in network.venues.values()}
    return (await sold_on(network.ledger, at, days_of(at.values(), now_us(), None))).sold


@both
async def test_the_figures_are_those_of_the_positions_and_of_the_closings(network: Network) -> None:
    tills = await evening(network)
    found = await todays(network)
    async with network.context.reader.connect() as connection:
        known = await currencies(connection)
    days = [it.day_of(now_us()) for it in network.venues.values()]
    held = await periods(network.ledger, network.venues.values(), known, min(days), max(days))
    for at in held.venues:
        for code, taken in at.taken.items():
            claimed = taken.flows["sold"].amount + taken.flows["taken_back"].amount
            by_card = found.means.get((at.venue.id, CARD, code), 0)
            assert by_card == claimed + taken.aside["deposits"].amount, (at.venue.name, code)
    for slug, till in tills.items():
        venue, closed = network.venues[slug].id, (await till.close()).figures
        totals = {code: it.total for (at, code), it in found.totals.items() if at == venue}
        assert totals == less(closed.total, closed.voided)
        assert found.taken_back.get(venue, 0) == closed.voids
        paid: dict[str, dict[str, int]] = {}
        for (at, means, code), minor in found.means.items():
            if at == venue and minor:
                paid.setdefault(means, {})[code] = minor
        assert paid == {it: less(sums, closed.voided_means.get(it, {})) for it, sums in closed.means.items()}
    assert {it.count for it in found.gifts.values()} == {1}, "one of two was taken back"
    assert isinstance(closed, Figures)


def less(sums: Mapping[str, int], voided: Mapping[str, int]) -> dict[str, int]:
    return {code: minor - voided.get(code, 0) for code, minor in sums.items() if minor != voided.get(code, 0)}


@on_sqlite
async def test_each_reader_sees_their_venues_and_takes_the_figures_away(network: Network) -> None:
    await evening(network)
    nadia, marie = await network.person("nadia"), await network.person("marie")
    page = await look(nadia, "/admin/today")
    said = words(page)
    # 2 + 1 by card, 1 in cash, 3 half and half; of the gifts and of what was taken back, nothing.
    assert "Vendu 27,70 €" in said
    assert "Raffinerie 4 24,50 € 21,00 € 3,50 €" in said
    assert "Canal 1 3,20 € 3,20 € 0,00 €" in said
    assert "Demi 7 24,50 € 21,00 € 3,50 €" in said
    assert "Espèces Rafftou 9,50 €" in said
    assert "Dont consignes : l’argent des clients Rafftou 1,00 €" in said
    assert "En plus, offert par la maison Rafftou 3,50 €" in said
    assert page.text.count('<svg class="chart chart-wide"') == 3
    assert 'data-now="/admin/today/now?' in page.text
    theirs = words(await look(marie, "/admin/today"))
    assert "Vendu 24,50 €" in theirs
    assert "Canal" not in theirs
    canal = network.venues["canal"].id
    assert (await look(marie, f"/admin/today?venue={canal}")).status_code == 403
    assert (await look(marie, f"/admin/today/file/products.csv?venue={canal}")).status_code == 403
    only = await look(nadia, f"/admin/today?venue={canal}")
    assert "Café 2 3,20 € 3,20 € 0,00 €" in words(only)
    assert "Lieu par lieu" not in words(only), "there is nothing to compare one venue with"
    now = (await look(nadia, f"/admin/today/now?venue={canal}")).text
    for piece in ("figures", "hours", "products", "means"):
        assert f'data-live="{piece}"' in now
        assert f'data-live="{piece}"' in only.text

    table = (await look(nadia, "/admin/today/file/venues.csv")).text.removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(table), delimiter=";")) == [
        ["Lieu", "Ventes", "Ensemble", "Avec une carte", "Sans carte"],
        ["Raffinerie", "4", "24,50", "21,00", "3,50"],
        ["Canal", "1", "3,20", "3,20", "0,00"],
    ]
    drawn = (await look(nadia, "/admin/today/file/venues.svg")).text
    read = ElementTree.fromstring(drawn)
    assert [it.text for it in read.iter("{http://www.w3.org/2000/svg}text") if it.text in {"Raffinerie", "24,50 €"}]
    assert "class=" not in drawn, "a file has its looks in itself"
    drawn_small = await look(nadia, "/admin/today/file/venues.png")
    assert drawn_small.content.startswith(b"\x89PNG")
    assert (await look(nadia, "/admin/today/file/means.svg")).status_code == 404
    assert (await look(nadia, "/admin/today/file/means.png")).status_code == 404
    assert (await look(nadia, "/admin/today/file/venues.xlsx")).content.startswith(b"PK")
    async with network.context.reader.connect() as connection:
        noted = await connection.execute(sa.select(sa.func.count()).where(audit.c.action == "export.sales"))
        assert noted.scalar_one() == 7


@on_sqlite
async def test_another_day_is_that_day_and_an_empty_one_says_so(network: Network) -> None:
    await evening(network)
    marie = await network.person("marie")
    today = network.venues["raffinerie"].day_of(now_us())
    then = await look(marie, f"/admin/today?day={today - timedelta(3)}")
    assert "Qu’a-t-on vendu" in words(then)
    assert "Vendu 0,00 €" in words(then)
    assert "Encore rien." in words(then)
    assert "data-now" not in then.text
    typed = await marie.get("/admin/today?day=yesterday&venue=x&money=y", headers=ENGLISH)
    assert "What is sold today?" in words(typed), "what cannot be read is not asked for"
    assert "€24.50" in words(typed)


@both
async def test_a_day_is_compared_with_an_earlier_one_as_it_stood_then(network: Network) -> None:
    await network.top_up("awa", 10_000)
    bar, now = await network.terminal("raffinerie"), now_us()
    day_us, minute_us = 86_400_000_000, 60_000_000
    await bar.deliver(
        bar.sale_row("awa", {"Demi": 1}),
        # Three days ago: 14 € by this time, 10,50 € after it; a week ago 3,50 €.
        bar.sale_row("awa", {"Demi": 4}, at_us=now - 3 * day_us - minute_us),
        bar.sale_row("awa", {"Demi": 3}, at_us=now - 3 * day_us + minute_us),
        bar.sale_row("awa", {"Eau": 2}, at_us=now - 7 * day_us - minute_us),
    )
    await catch_up(network.engine)
    venue, marie = network.venues["raffinerie"], await network.person("marie")
    page = await look(marie, "/admin/today")
    days = [venue.day_of(now - 3 * day_us + sign * minute_us) for sign in (-1, 1)]
    if days[0] == days[1] == venue.day_of(now) - timedelta(3):
        assert "à la même heure 14,00 € écart : −75 %" in words(page)
        assert "Demi 1 3,50 € 3,50 € 0,00 € 24,50 €" in words(page), "the whole day, for what is still to come"
    assert page.text.count('class="chart-line-then"') == 4, "key and line, for a phone and for a desk"
    week = words(await look(marie, "/admin/today?than=week"))
    assert "à la même heure 2,00 € écart : +75 %" in week
    assert "Eau 0 0,00 € 0,00 € 0,00 € 2,00 €" in week
    assert "à la même heure" not in words(await look(marie, "/admin/today?than=none"))
    assert "à la même heure" not in words(await look(marie, f"/admin/today?than={venue.day_of(now)}")), (
        "not with itself"
    )
    chosen = f"/admin/today?day={venue.day_of(now) - timedelta(3)}&than={venue.day_of(now) - timedelta(7)}"
    assert "2,00 €" in words(await look(marie, chosen))
    assert "à la même heure" not in words(await look(marie, chosen)), "both days are over"
