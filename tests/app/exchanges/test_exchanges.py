"""A ticket exchanged for another date or price: paid or given back by the difference, wholly or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.events import orders, service
from app.events.orders import Ask, Order
from app.events.paying import pay, tend
from app.events.proof import wrong as wrong_orders
from app.events.rules import Event, Price
from app.events.tables import event as event_table
from app.events.tables import ticket
from app.exchanges import service as exchanging
from app.exchanges.proof import wrong as wrong_exchanges
from app.exchanges.service import choices_for, exchange, tend_exchanges
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError
from app.returns.proof import wrong
from app.returns.service import confirm, tend_returns
from app.returns.tickets import give_ticket_back
from app.rules.ids import uuid7
from tests.support.network import Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


class Series:
    """Two dates of a ball, 12.00 on the first, 15.00 or 5.00 (two places) on the second. Awa had
    50.00 and bought one ticket of the first. A tenth is kept of what comes back."""

    def __init__(self, network: Network) -> None:
        self.network, self.card = network, network.cards["awa"]
        self.full, self.dear, self.cheap = uuid7(), uuid7(), uuid7()

    async def open(self, topped_up: int = 5000, capacity: int = 3) -> Series:
        network, starts, series = self.network, now_us() + 24 * HOUR_US, uuid7()
        venue = network.venues["raffinerie"].id
        self.events = []
        async with network.engine.begin() as connection:
            for at, prices in (
                (starts, ((self.full, "RAF", 1200, None),)),
                (starts + 168 * HOUR_US, ((self.dear, "RAF", 1500, None), (self.cheap, "RAF", 500, 2))),
            ):
                new = Event(uuid7(), venue, "Bal", "Ball", "", "", at, at, at + HOUR_US, capacity, series)
                made = await service.create(connection, "test", replace(new, refund_until_us=starts, refund_fee=1000))
                for id_, currency, amount, quota in prices:
                    price = Price(id_, f"Tarif {amount}", "", currency, amount, quota, vat=550)
                    await service.set_price(connection, "test", made.id, price)
                await service.publish(connection, "test", made.id)
                self.events.append(made.id)
        await network.top_up("awa", topped_up)
        await pay(
            network.ledger, await orders.hold(network.engine, Ask(uuid7(), self.events[0], self.card, {self.full: 1}))
        )
        (self.ticket,) = [it.id for it in await self.tickets()]
        return self

    async def tickets(self) -> list[Any]:
        async with self.network.engine.connect() as connection:
            mine = sa.select(ticket).where(ticket.c.event.in_(self.events))
            return list(await connection.execute(mine.order_by(ticket.c.issued_at_us, ticket.c.state)))

    async def go(self, price: UUID, id_: UUID | None = None) -> Order:
        return await exchange(self.network.ledger, id_ or uuid7(), self.ticket, price, self.card)

    async def has(self) -> int:
        return (await self.network.holds("awa"))["RAF"]

    async def proven(self, *sold: int) -> None:
        async with self.network.engine.connect() as connection:
            rows = await connection.execute(sa.select(event_table.c.id, event_table.c.sold, event_table.c.held))
            found = {row.id: (row.sold, row.held) for row in rows}
        assert [found[id_] for id_ in self.events] == [(it, 0) for it in sold]
        engine = self.network.engine
        assert await wrong_orders(engine) + await wrong(engine) + await wrong_exchanges(engine) == []


@both
async def test_the_difference_is_paid_and_the_same_form_again_is_the_same(network: Network) -> None:
    it = await Series(network).open()
    home = f"/c/{it.card.token}"
    here = f"{home}/tickets/{it.ticket}/exchange"
    assert here in (await look(network.client, f"{home}/tickets")).text
    page = await look(network.client, here)
    said = words(page)
    assert all(text in said for text in ("3,00 € à payer", "6,30 € reviennent", "Gardé par le lieu 0,70 €")), said
    form = form_to(page, here)
    for _ in range(2):
        assert led_to(await send(network.client, form, price=str(it.dear))).startswith(f"{home}/tickets?order=")
    assert await it.has() == 5000 - 1500
    assert await network.claims("raffinerie") == {"RAF": 1500}
    assert sorted(one.state for one in await it.tickets()) == ["refunded", "valid"]
    await it.proven(0, 1)


@both
async def test_too_little_on_the_card_is_said_and_the_ticket_stays(network: Network) -> None:
    it = await Series(network).open(topped_up=1300)
    with pytest.raises(DomainError) as refused:
        await it.go(it.dear)
    assert (refused.value.code, refused.value.extra) == ("insufficient-funds", {"missing": 200})
    here = f"/c/{it.card.token}/tickets/{it.ticket}/exchange"
    answer = await send(network.client, form_to(await look(network.client, here), here), price=str(it.dear))
    assert (answer.status_code, "Il manque 2,00 €" in words(answer)) == (409, True)
    await it.proven(1, 0)
    await network.top_up("awa", 1000)
    assert (await it.go(it.dear)).state == "paid"
    assert await it.has() == 1300 + 1000 - 1500
    await it.proven(0, 1)


@both
async def test_a_full_date_leaves_everything_as_it_was(network: Network) -> None:
    it = await Series(network).open(capacity=1)
    full = Ask(uuid7(), it.events[1], network.cards["basile"], {it.dear: 1})
    await orders.hold(network.engine, full)
    with pytest.raises(Conflict) as refused:
        await it.go(it.dear)
    assert refused.value.code == "sold-out"
    assert await it.has() == 5000 - 1200
    assert [one.state for one in await it.tickets()] == ["valid"]
    _, choices = await choices_for(network.ledger, it.ticket, it.card)
    assert choices == [], "what has no place left is not offered"
    assert await wrong_orders(network.engine) == []


@both
async def test_of_several_presses_one_exchanges(network: Network) -> None:
    it = await Series(network).open()
    asked: list[Any] = [it.go(it.dear), it.go(it.cheap), it.go(it.dear)]
    asked.append(give_ticket_back(network.ledger, it.ticket, it.card.wallet))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1, outcomes
    assert all(isinstance(one, Conflict) for one in outcomes if isinstance(one, Exception)), outcomes
    tickets = await it.tickets()
    valid = [one for one in tickets if one.state == "valid"]
    costs = {it.dear: 1500, it.cheap: 570}
    assert await it.has() == 5000 - (costs[valid[0].price] if valid else 120)
    await it.proven(0, len(valid))
    # Nothing stays set aside: all of it can be given back.
    same = uuid7()
    if valid:
        it.ticket = valid[0].id
        other = it.cheap if valid[0].price == it.dear else it.dear
        done = await asyncio.gather(*(it.go(other, same) for _ in range(3)), return_exceptions=True)
        assert {one.id for one in done if isinstance(one, Order)} == {same}, done
        await it.proven(0, 1)


@both
async def test_whoever_dies_in_between_is_made_good(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rows and before the ledger, or before the new ticket. Nobody else ends it meanwhile."""

    class Died(Exception):
        pass

    async def dies(*_: object) -> None:
        raise Died

    for place, name in ((exchanging, "finish"), (orders, "issue")):
        it = await Series(network).open()
        before = await it.has()
        with monkeypatch.context() as patched:
            patched.setattr(place, name, dies)
            with pytest.raises(Died):
                await it.go(it.dear)
        await tend(network.ledger, now_us() + HOUR_US)
        assert [one.state for one in await it.tickets()] == ["refunded"]
        # Nor is what comes back booked alone.
        await tend_returns(network.ledger)
        assert await it.has() == (before if name == "finish" else before - 300)
        await asyncio.gather(*(tend_exchanges(network.ledger) for _ in range(2)))
        assert await it.has() == before - 300
        await it.proven(0, 1)


@both
async def test_what_is_spent_meanwhile_was_not_what_pays_it(network: Network) -> None:
    """Set aside before anything changes, what is paid on top is there when it is paid."""
    it = await Series(network).open(topped_up=1500)
    with pytest.MonkeyPatch.context() as patched:
        real = exchanging.finish

        async def late(ledger: Ledger, *args: Any) -> Order:
            held = await orders.hold(network.engine, Ask(uuid7(), it.events[1], it.card, {it.cheap: 1}))
            with pytest.raises(DomainError):
                await pay(ledger, held)
            return await real(ledger, *args)

        patched.setattr(exchanging, "finish", late)
        assert (await it.go(it.dear)).state == "paid"
    assert await it.has() == 0


async def test_a_cancelled_date_gives_all_of_it_back(network: Network) -> None:
    it = await Series(network).open()
    await it.go(it.cheap)
    assert await it.has() == 5000 - 570
    for id_ in it.events:
        async with network.engine.begin() as connection:
            await service.cancel(connection, "test", id_)
        await confirm(network.engine, "test", id_)
    await tend_returns(network.ledger)
    assert await it.has() == 5000
    assert await network.claims("raffinerie") == {}
    await it.proven(0, 0)


async def test_not_for_what_is_not_of_its_series_nor_after_the_time(network: Network) -> None:
    it, other = await Series(network).open(), await Series(network).open()
    for price in (other.dear, it.full, uuid7()):
        body = {"id": str(uuid7()), "ticket": str(it.ticket), "price": str(price)}
        answer = await network.client.post(f"/c/{it.card.token}/exchanges", json=body)
        assert problem(answer) == (409, "not-exchanged-for")
    body = {"id": str(uuid7()), "ticket": str(it.ticket), "price": str(it.dear)}
    first = await network.client.post(f"/c/{it.card.token}/exchanges", json=body)
    assert first.json()["state"] == "paid"
    assert (await network.client.post(f"/c/{it.card.token}/exchanges", json=body)).json() == first.json()
    body["price"] = str(it.cheap)
    assert problem(await network.client.post(f"/c/{it.card.token}/exchanges", json=body)) == (
        422,
        "idempotency-key-reused",
    )
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(event_table).values(refund_until_us=1))
    it.ticket = other.ticket
    with pytest.raises(Conflict) as refused:
        await it.go(other.dear)
    assert refused.value.code == "refund-over"
    here = f"/c/{it.card.token}/tickets/{it.ticket}/exchange"
    assert "Le délai pour l’échanger est passé" in words(await look(network.client, here))
