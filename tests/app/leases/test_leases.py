"""Tickets that a terminal was lent: sold without network, issued once, void with their sale, and given back."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from app.eventbooks.reading import by_hand_of, claimed
from app.events import proof as events_proof
from app.events import service
from app.events.rules import Event, Price
from app.events.tables import ticket
from app.leases import guards
from app.leases.proof import wrong
from app.leases.selling import tend
from app.leases.tables import lease_ticket
from app.platform.clock import now_us
from app.returns import proof as returns_proof
from app.rules.ids import uuid7
from app.rules.receipts import receipt_token
from app.rules.tickets import verified
from app.sales.receipts import key_of
from app.wire import CancelRow, Rest, Sale, SaleLine, Tender, TicketsBackRow, TicketStock, VoidRow
from app.wire.door import DoorList
from app.wire.snapshot import SIGNATURE_HEADER
from readers.sync.keys import signed_by
from tests.support.network import CARDS, UNKNOWN_UID, Network, Terminal, both, problem
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def ball(network: Network, capacity: int = 5, **price: Any) -> Event:
    """Published, its doors open, with one price of 12 euros."""
    starts = now_us() + HOUR_US
    venue, times = network.venues["raffinerie"].id, (starts - HOUR_US, starts, starts + HOUR_US)
    new = Event(uuid7(), venue, "Bal", "", "", "", *times, capacity)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        told = {"currency": "RAF", "amount": 1200, "vat": 550, **price}
        await service.set_price(connection, "test", new.id, Price(uuid7(), "Plein tarif", "Full", **told))
        await service.publish(connection, "test", new.id)
        return await service.event_named(connection, new.id)


async def lend(network: Network, at: Event, to: Terminal, keep: int, by: str = "marie") -> Any:
    path = f"/api/v1/events/{at.id}/leases/{to.id}"
    return await (await network.person(by)).put(path, json={"keep": {str(at.prices[0].id): keep}})


async def stock(network: Network, of: Terminal) -> TicketStock:
    answer = await network.client.get("/api/v1/terminals/tickets", headers=of.headers)
    key = base64.b64encode(network.context.keys.signing.public_key().public_bytes_raw()).decode()
    assert signed_by(key, answer.content, answer.headers[SIGNATURE_HEADER])
    return TicketStock.model_validate_json(answer.content)


async def ids(network: Network, of: Terminal) -> list[UUID]:
    return [it.id for price in (await stock(network, of)).prices for it in price.tickets]


def sale(at: Event, tickets: list[UUID], card: str = "awa", beer: SaleLine | None = None, **other: Any) -> Sale:
    price = at.prices[0]
    named = {"product": price.id, "name": "Bal · Plein tarif", "vat": 550, "tickets": tuple(tickets)}
    line = SaleLine(quantity=len(tickets), unit_price=price.amount, currency="RAF", **named)
    lines = (line, beer) if beer is not None else (line,)
    owed = sum(it.quantity * it.unit_price for it in lines)
    tender = Tender(currency="RAF", amount=owed)
    told = {"id": uuid7(), "card": CARDS.get(card, card), "occurred_at_us": now_us(), **other}
    return Sale(lines=lines, tenders=(tender,), **told)


def by_hand(at: Event, tickets: list[UUID], means: Any = "cash", **other: Any) -> Sale:
    paid = sale(at, tickets)
    rest = (Rest(means=means, covers="RAF", amount=len(tickets) * at.prices[0].amount),)
    return Sale(id=uuid7(), cashier=uuid7(), lines=paid.lines, tenders=(), rest=rest, occurred_at_us=now_us(), **other)


async def states(network: Network) -> list[tuple[int, str, UUID]]:
    async with network.engine.connect() as connection:
        rows = await connection.execute(sa.select(ticket).order_by(ticket.c.serial))
        return [(row.serial, row.state, row.wallet) for row in rows]


async def counted(network: Network, at: Event) -> tuple[int, int, int]:
    """(leased, sold, left), after everything was recomputed."""
    proofs = [await it(network.engine) for it in (wrong, events_proof.wrong, returns_proof.wrong)]
    assert proofs == [[], [], []]
    async with network.engine.connect() as connection:
        assert await connection.run_sync(guards.missing) == []
        now = await service.event_named(connection, at.id)
    assert (now.prices[0].leased, now.prices[0].sold) == (now.leased, now.sold)
    return now.leased, now.sold, now.left


@both
async def test_what_was_lent_is_sold_without_network_issued_once_and_void_with_its_sale(network: Network) -> None:
    at, bar, awa = await ball(network), await network.terminal("raffinerie"), network.cards["awa"].wallet
    await network.top_up("awa", 5000)
    shown = (await lend(network, at, bar, 3)).json()
    assert [(it["keep"], it["leased"], it["sold"]) for it in shown] == [(3, 3, 0)]
    assert (await lend(network, at, bar, 3)).json() == shown, "the same again is the same"
    (price,) = (await stock(network, bar)).prices
    assert (price.keep, price.amount, price.titles["en"], len(price.tickets)) == (3, 1200, "Bal", 3)
    public = network.context.keys.signing.public_key()
    assert [verified(it.code, public) for it in price.tickets] == [(at.id, it.id) for it in price.tickets]
    assert await counted(network, at) == (3, 0, 2)

    beer = network.product("raffinerie", "Demi")
    beside = SaleLine(product=beer.id, name="Demi", quantity=1, unit_price=350, currency="RAF")
    first, second = sale(at, [price.tickets[0].id], beer=beside), sale(at, [it.id for it in price.tickets[1:]])
    reply = await bar.deliver(bar.sale_row(first), bar.sale_row(second))
    assert reply["exceptions"] == []
    assert await counted(network, at) == (0, 3, 2)
    assert await states(network) == [(1, "valid", awa), (2, "valid", awa), (3, "valid", awa)]
    assert (await network.holds("awa"))["RAF"] == 5000 - 3 * 1200 - 350
    assert await network.claims("raffinerie") == {"RAF": 3 * 1200 + 350}
    listed = await network.client.get("/api/v1/terminals/door", headers=bar.headers)
    assert {it.cards for it in DoorList.model_validate_json(listed.content).tickets} == {(CARDS["awa"],)}
    await bar.sync(bar.journal.batch())
    assert await counted(network, at) == (0, 3, 2)
    async with network.engine.connect() as connection:
        owner = network.venues["raffinerie"].owner
        assert await claimed(network.ledger, connection, at.id, owner) == {"RAF": 3 * 1200}, "without the beer"

    undo = VoidRow(id=uuid7(), sale=second.id, reason="Trompé de soir", at_us=now_us())
    await bar.deliver(undo)
    assert [state for _, state, _ in await states(network)] == ["valid", "void", "void"]
    assert await counted(network, at) == (0, 1, 4)
    assert (await network.holds("awa"))["RAF"] == 5000 - 1200 - 350
    with pytest.raises(sa.exc.IntegrityError):
        async with network.engine.begin() as connection:
            await connection.execute(sa.update(lease_ticket).values(state="leased", sale=None))


@both
async def test_places_come_back_once_the_terminal_said_so_and_never_before(network: Network) -> None:
    at, bar, other = await ball(network, 3), await network.terminal("raffinerie"), await network.terminal("raffinerie")
    await network.top_up("awa", 5000)
    await lend(network, at, bar, 3)
    refused = await lend(network, at, other, 1)
    assert (problem(refused), refused.json()["left"]) == ((409, "sold-out"), 0)
    sold, *unsold = await ids(network, bar)
    shown = (await lend(network, at, bar, 1)).json()
    assert [(it["keep"], it["leased"]) for it in shown] == [(1, 3)]
    assert await counted(network, at) == (3, 0, 0), "asked for, and not yet given back"
    # Sold while it was asked: what comes back is what is left.
    back = TicketsBackRow(id=uuid7(), tickets=(sold, unsold[0]), at_us=now_us())
    await bar.deliver(bar.sale_row(sale(at, [sold])), back)
    await bar.sync(bar.journal.batch())
    assert await counted(network, at) == (1, 1, 1)
    assert (await lend(network, at, other, 1)).status_code == 200
    assert await ids(network, bar) == [unsold[1]]

    # Of what is over, the terminal keeps none.
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    assert [it.keep for it in (await stock(network, bar)).prices] == [0]


async def test_online_a_terminal_sells_only_what_it_was_lent_and_the_ticket_is_issued_with_its_row(
    network: Network,
) -> None:
    at, bar, other = await ball(network), await network.terminal("raffinerie"), await network.terminal("raffinerie")
    await network.top_up("awa", 5000)
    await lend(network, at, bar, 2)
    first, second = await ids(network, bar)
    assert problem(await other.sell(sale(at, [first]))) == (409, "ticket-not-leased")
    assert problem(await bar.sell(sale(at, [uuid7()]))) == (409, "ticket-not-leased")
    asked = sale(at, [first])
    assert (await bar.sell(asked)).status_code == 201
    assert await counted(network, at) == (2, 0, 3), "until the row is here"
    # Nobody heard the answer: what was booked is taken back, and the ticket is there to be sold.
    await bar.deliver(CancelRow(id=uuid7(), sale=asked.id, at_us=now_us()))
    again = sale(at, [first])
    assert (await bar.sell(again)).status_code == 201
    await bar.deliver(bar.sale_row(again, mode="online"))
    assert await counted(network, at) == (1, 1, 3)
    assert (await bar.sell(again)).json()["id"] == str(again.id), "told again"

    changed = at.prices[0]
    async with network.engine.begin() as connection:
        told = Price(changed.id, "Plein tarif", "Full", "RAF", 1500)
        await service.set_price(connection, "test", at.id, told)
    assert problem(await bar.sell(sale(at, [second]))) == (409, "price-changed")
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    assert problem(await bar.sell(sale(at, [second]))) == (409, "not-on-sale")


async def test_what_was_never_lent_gets_no_ticket_and_a_person_is_told(network: Network) -> None:
    at, bar, other = await ball(network), await network.terminal("raffinerie"), await network.terminal("raffinerie")
    await network.top_up("awa", 9000)
    await lend(network, at, bar, 2)
    mine = await ids(network, bar)
    await other.deliver(other.sale_row(sale(at, mine[:1])))
    ((kind, details),) = await network.exceptions()
    assert (kind, details["tickets"]) == ("ticket-not-leased", [str(mine[0])])
    await bar.deliver(bar.sale_row(sale(at, mine[:1])), bar.sale_row(sale(at, mine[:1])))
    assert len(await states(network)) == 1
    assert len(await network.exceptions()) == 2
    assert await counted(network, at) == (1, 1, 3)


async def test_a_card_that_nobody_knows_has_its_ticket_by_the_code(network: Network) -> None:
    at, bar = await ball(network), await network.terminal("raffinerie")
    await lend(network, at, bar, 1)
    await bar.deliver(bar.sale_row(sale(at, await ids(network, bar), UNKNOWN_UID)))
    assert [state for _, state, _ in await states(network)] == ["valid"]
    assert [kind for kind, _ in await network.exceptions()] == ["unknown-card"]
    listed = await network.client.get("/api/v1/terminals/door", headers=bar.headers)
    assert [it.cards for it in DoorList.model_validate_json(listed.content).tickets] == [()]
    assert await counted(network, at) == (0, 1, 4)


async def test_a_server_that_died_over_a_void_is_put_right_in_the_next_round(
    network: Network,
) -> None:
    at, bar = await ball(network), await network.terminal("raffinerie")
    await network.top_up("awa", 5000)
    await lend(network, at, bar, 1)
    sold = sale(at, await ids(network, bar))
    await bar.deliver(bar.sale_row(sold))
    booked = (await network.ledger.booked([sold.id]))[sold.id]
    operation = await network.ledger.reversal(
        booked,
        uuid7(),
        actor="test",
        occurred_at_us=now_us(),
        business_day=booked.business_day,
        late=False,
        terminal=None,
        details="{}",
    )
    await network.ledger.post_one(operation)
    assert [state for _, state, _ in await states(network)] == ["valid"]
    assert (await tend(network.ledger), await tend(network.ledger)) == (1, 0)
    assert [state for _, state, _ in await states(network)] == ["void"]
    assert await counted(network, at) == (0, 0, 5)


async def test_only_what_costs_something_and_is_for_everybody_is_lent_at_ones_own_venue(network: Network) -> None:
    bar, away = await network.terminal("raffinerie"), await network.terminal("canal")
    for price in ({"amount": 0}, {"condition": "member"}, {"per_wallet": 1}):
        assert (await lend(network, await ball(network, **price), bar, 1)).status_code == 422
    assert problem(await lend(network, await ball(network, channel="online"), bar, 1)) == (409, "not-on-sale")
    at = await ball(network)
    assert (await lend(network, at, away, 1)).status_code == 404
    assert (await lend(network, at, bar, 1, by="yann")).status_code == 404
    assert (await lend(network, at, bar, 1, by="lucas")).status_code == 403


@both
async def test_paid_in_cash_the_ticket_is_a_code_and_the_money_the_venues_own(network: Network) -> None:
    at, bar = await ball(network), await network.terminal("raffinerie")
    await lend(network, at, bar, 3)
    (price,) = (await stock(network, bar)).prices
    sold, undone = (by_hand(at, [it.id for it in price.tickets[a:b]]) for a, b in ((0, 2), (2, 3)))
    assert (await bar.deliver(bar.sale_row(sold), bar.sale_row(undone)))["exceptions"] == []
    await bar.sync(bar.journal.batch())
    assert await counted(network, at) == (0, 3, 2)
    assert await network.claims("raffinerie") == {}
    async with network.engine.connect() as connection:
        owner = network.venues["raffinerie"].owner
        assert await claimed(network.ledger, connection, at.id, owner) == {}
        assert await by_hand_of(connection, at.id) == {"RAF": 3 * 1200}
    listed = await network.client.get("/api/v1/terminals/door", headers=bar.headers)
    assert {it.cards for it in DoorList.model_validate_json(listed.content).tickets} == {()}
    token = receipt_token(key_of(network.context), sold.id)
    page = await look(network.client, f"/r/{token}")
    assert "Billet no 2" in words(page).replace("n°", "no")
    assert page.text.count("ticket-code") == 2
    await bar.deliver(VoidRow(id=uuid7(), sale=undone.id, reason="Trompé de soir", at_us=now_us()))
    assert [state for _, state, _ in await states(network)] == ["valid", "valid", "void"]
    assert await counted(network, at) == (0, 2, 3)
    again = receipt_token(key_of(network.context), undone.id)
    assert "ticket-code" not in (await look(network.client, f"/r/{again}")).text
    async with network.engine.connect() as connection:
        assert await by_hand_of(connection, at.id) == {"RAF": 2 * 1200}


def test_a_line_of_tickets_names_each_once_and_is_paid_one_way() -> None:
    price = Price(uuid7(), "Plein tarif", "Full", "RAF", 1200)
    at = Event(uuid7(), uuid7(), "Bal", "", "", "", 1, 1, 2, 5, prices=(price,))
    one = uuid7()
    with pytest.raises(ValidationError):
        sale(at, [one, one])
    for other in (
        {"card": ""},
        {"rest": (Rest(means="cash", covers="RAF", amount=1200),)},
    ):
        with pytest.raises(ValidationError):
            sale(at, [one], **other)
    with pytest.raises(ValidationError):
        by_hand(at, [one], means="house", reason="Pour elle")
    assert '"tickets"' in sale(at, [one]).model_dump_json()
