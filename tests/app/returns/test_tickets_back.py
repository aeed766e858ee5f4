"""One ticket given back by its holder: until when, for what fee, once, and never one that was used."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.door.tables import passage
from app.events import orders, service
from app.events.orders import Ask
from app.events.paying import pay
from app.events.proof import wrong as wrong_orders
from app.events.rules import Event, Price, fee_of
from app.events.tables import event as event_table
from app.events.tables import ticket
from app.platform.clock import now_us
from app.returns import tickets
from app.returns.proof import wrong
from app.returns.service import confirm, tend_returns
from app.rules.ids import uuid7
from tests.support.books import books_of, close, file_of
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


async def bought(network: Network, many: int, fee: int = 1000, until: int | None = HOUR_US) -> tuple[Event, list[UUID]]:
    """So many tickets of 12.05 for awa, who had 50.00."""
    venue, starts = network.venues["raffinerie"], now_us() + 24 * HOUR_US
    new = Event(uuid7(), venue.id, "Bal", "Ball", "", "", starts, starts, starts + HOUR_US, 10)
    new = replace(new, refund_until_us=None if until is None else now_us() + until, refund_fee=fee)
    price = Price(uuid7(), "Plein tarif", "", "RAF", 1205, vat=550)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        await service.set_price(connection, "test", new.id, price)
        await service.publish(connection, "test", new.id)
    await network.top_up("awa", 5000)
    await pay(
        network.ledger, await orders.hold(network.engine, Ask(uuid7(), new.id, network.cards["awa"], {price.id: many}))
    )
    return new, [row.id for row in await issued(network)]


async def issued(network: Network) -> list[Any]:
    async with network.engine.connect() as connection:
        return list(await connection.execute(sa.select(ticket).order_by(ticket.c.serial)))


async def proven(network: Network, sold: int) -> None:
    async with network.engine.connect() as connection:
        assert (await connection.execute(sa.select(event_table.c.sold))).scalar_one() == sold
    assert await wrong_orders(network.engine) + await wrong(network.engine) == []


@given(st.integers(0, 10_000_000), st.integers(0, 10_000))
def test_the_fee_is_whole_and_never_more_than_the_price(amount: int, basis_points: int) -> None:
    fee = fee_of(amount, basis_points)
    assert 0 <= fee <= amount
    assert abs(fee * 10_000 - amount * basis_points) <= 5_000


@both
async def test_the_holder_reads_what_comes_back_and_has_it_once(network: Network) -> None:
    made, (first, second) = await bought(network, 2)
    home = f"/c/{network.cards['awa'].token}"
    at = f"{home}/tickets/{first}/give-back"
    assert at in (await look(network.client, f"{home}/tickets")).text
    page = await look(network.client, at)
    said = words(page)
    # A tenth of 12.05 is 1.205: half a cent counts as a whole one.
    assert all(amount in said for amount in ("12,05 €", "1,21 €", "10,84 €"))
    form = form_to(page, at)
    for _ in range(2):
        assert led_to(await send(network.client, form)).startswith(f"{home}/tickets")
    await asyncio.gather(*(tickets.give_ticket_back(network.ledger, first, network.cards["awa"].wallet) for _ in "ab"))
    assert (await network.holds("awa"))["RAF"] == 5000 - 2410 + 1084
    assert await network.claims("raffinerie") == {"RAF": 2410 - 1084}
    said = words(await look(network.client, f"{home}/tickets"))
    assert "1 billet rendu" in said
    assert "Billet no 2" in said.replace("n°", "no")
    assert [it.state for it in await issued(network)] == ["refunded", "valid"]
    await proven(network, 1)
    # What tickets brought (12.05) and what was kept of one that came back (1.21) is what the claim has (13.26).
    sales = words(await look(await network.person("marie"), f"/admin/box-office/{made.id}"))
    assert all(
        f"{what} {amount}" in sales
        for what, amount in (("Recettes", "12,05 €"), ("Gardé sur les billets rendus", "1,21 €"))
    )
    assert "13,26 €" in sales
    assert second in [it.id for it in await issued(network)]
    assert (
        await look(network.client, f"/c/{network.cards['basile'].token}/tickets/{second}/give-back")
    ).status_code == 404


@both
async def test_who_dies_before_the_booking_is_made_good_and_a_cancellation_gives_the_rest(network: Network) -> None:
    """Fees come back as well: nobody pays for what does not take place."""
    at, (first, second) = await bought(network, 2)
    wallet = network.cards["awa"].wallet
    await tickets.give_ticket_back(network.ledger, first, wallet)
    await tickets.write_down(network.engine, second, wallet)
    assert (await network.holds("awa"))["RAF"] == 5000 - 2410 + 1084
    await tend_returns(network.ledger)
    assert (await network.holds("awa"))["RAF"] == 5000 - 2 * 121
    await proven(network, 0)
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    here = f"/admin/events/{at.id}/giving-back"
    assert "2,42 €" in words(await look(await network.person("marie"), here)), "what was kept, and no more"
    await confirm(network.engine, "test", at.id)
    assert await tend_returns(network.ledger) == 1
    assert (await network.holds("awa"))["RAF"] == 5000
    assert await network.claims("raffinerie") == {}
    await proven(network, 0)


@pytest.mark.parametrize(("until", "why"), [(None, "n’est pas rendu"), (-HOUR_US, "Le délai pour le rendre est passé")])
async def test_not_without_a_rule_nor_after_the_time(network: Network, until: int | None, why: str) -> None:
    _, (only,) = await bought(network, 1, until=until)
    at = f"/c/{network.cards['awa'].token}/tickets/{only}/give-back"
    answer = await look(network.client, at)
    assert (answer.status_code, why in words(answer)) == (409, True)
    assert (await network.client.post(at, headers={"Origin": str(network.client.base_url)})).status_code == 409
    assert [it.state for it in await issued(network)] == ["valid"]


async def test_not_once_it_passed_a_door(network: Network) -> None:
    at, (only,) = await bought(network, 1)
    till = await network.terminal("raffinerie")
    async with network.engine.begin() as connection:
        row = {"id": uuid7(), "event": at.id, "ticket": only, "terminal": till.id, "direction": "in", "result": "ok"}
        await connection.execute(sa.insert(passage).values(**row, means="code", at_us=1, received_at_us=1))
    here = f"/c/{network.cards['awa'].token}/tickets/{only}/give-back"
    assert "déjà servi à la porte" in words(await look(network.client, here))
    assert (await network.client.post(here, headers={"Origin": str(network.client.base_url)})).status_code == 409
    await proven(network, 1)


async def test_the_books_take_back_the_tax_of_what_came_back(network: Network) -> None:
    """By a ticket, less its fee, and by the rest of its order: nothing is left of either."""
    at, (first, _) = await bought(network, 2)
    await tickets.give_ticket_back(network.ledger, first, network.cards["awa"].wallet)
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    await confirm(network.engine, "test", at.id)
    await tend_returns(network.ledger)
    books = await books_of(network, "raffinerie")
    text = (await file_of(network, books, await close(network, books))).decode("latin-1")
    rows = [row.split("\t") for row in text.splitlines()]
    sides = {account: [(row[11], row[12]) for row in rows if row[4] == account] for account in ("44571055", "707055")}
    assert sides["44571055"] == [("0,00", "1,26"), ("0,57", "0,00"), ("0,69", "0,00")]
    assert sides["707055"] == [("0,00", "22,84"), ("10,27", "0,00"), ("12,57", "0,00")]
