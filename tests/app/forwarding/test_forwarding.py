"""A ticket handed on: one of two people has it, the other's code opens nothing, and money stays with who paid."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.cards.service import Card, add_card
from app.door.tables import passage
from app.events import orders, service
from app.events.orders import Ask
from app.events.paying import pay
from app.events.proof import wrong as events_wrong
from app.events.rules import Event, Price
from app.events.tables import ticket
from app.events.tickets import tickets_of
from app.forwarding import service as forwarding
from app.forwarding.held import held_about
from app.forwarding.proof import wrong
from app.forwarding.tables import ticket_forward
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, NotFound
from app.returns.proof import wrong as returns_wrong
from app.returns.service import confirm, give_back
from app.returns.tickets import give_ticket_back
from app.rules.entitlement import Known
from app.rules.ids import uuid7
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000
MEMBER = Known(member=True)


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def bought(network: Network, many: int = 1, **price: Any) -> tuple[Event, list[UUID]]:
    """So many tickets of 12.00 for awa, who had 50.00."""
    starts = now_us() + 24 * HOUR_US
    new = Event(uuid7(), network.venues["raffinerie"].id, "Bal", "Ball", "", "", starts, starts, starts + HOUR_US, 10)
    new = replace(new, refund_until_us=starts)
    of = Price(uuid7(), "Plein tarif", "", "RAF", 1200, **price)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        await service.set_price(connection, "test", new.id, of)
        await service.publish(connection, "test", new.id)
    await network.top_up("awa", 5000)
    ask = Ask(uuid7(), new.id, network.cards["awa"], {of.id: many}, known=MEMBER)
    await pay(network.ledger, await orders.hold(network.engine, ask))
    async with network.engine.connect() as connection:
        found = await tickets_of(connection, network.cards["awa"].wallet)
        return await service.event_named(connection, new.id), [it.id for it in found]


async def offered(network: Network, of: UUID) -> UUID:
    return (await forwarding.offer(network.engine, of, network.cards["awa"].wallet)).id


async def states(network: Network) -> list[tuple[int, str, UUID]]:
    async with network.engine.connect() as connection:
        rows = await connection.execute(sa.select(ticket).order_by(ticket.c.serial))
        return [(row.serial, row.state, row.wallet) for row in rows]


async def proven(network: Network) -> None:
    assert [await it(network.engine) for it in (wrong, events_wrong, returns_wrong)] == [[], [], []]


@both
async def test_a_friend_takes_it_onto_a_card_and_the_old_code_opens_nothing(network: Network) -> None:
    _, (first, _) = await bought(network, 2)
    home, friend = f"/c/{network.cards['awa'].token}", network.cards["basile"]
    at = f"{home}/tickets/{first}/forward"
    assert at in (await look(network.client, f"{home}/tickets")).text
    form = form_to(await look(network.client, at), at)
    assert [led_to(await send(network.client, form)) for _ in "ab"] == [at, at]
    page = await look(network.client, at)
    link = urlsplit(page.text.split('<a href="http')[1].split('"')[0].partition("//")[2]).path
    link = link[link.index("/forward/") :]
    assert "On vous donne un billet" in words(await look(network.client, link))
    taking = next(it for it in [form_to(await look(network.client, link), link)])
    assert "Aucune carte" in words(await send(network.client, taking, onto="card", card="nobody’s"))
    for _ in "ab":
        assert led_to(await send(network.client, taking, onto="card", card=friend.label)) == link
    assert "Le billet est sur une carte" in words(await look(network.client, link))
    awa = network.cards["awa"].wallet
    assert await states(network) == [(1, "void", awa), (2, "valid", awa), (3, "valid", friend.wallet)]
    listed = await network.client.get("/api/v1/terminals/door", headers=(await network.terminal("raffinerie")).headers)
    assert {(it["serial"], it["state"]) for it in listed.json()["tickets"]} >= {(1, "void"), (3, "valid")}
    assert (await network.holds("awa"))["RAF"] == 5000 - 2400
    async with network.engine.connect() as connection:
        assert [it["way"] for it in await held_about(connection, awa)] == ["given"]
        assert [it["way"] for it in await held_about(connection, friend.wallet)] == ["received"]
    with pytest.raises(Conflict, match="not given back"):
        await give_ticket_back(network.ledger, (await _of(network, friend.wallet))[0], friend.wallet)
    await proven(network)


@both
async def test_of_two_friends_one_has_it(network: Network) -> None:
    _, (first,) = await bought(network)
    id_ = await offered(network, first)
    # Basile twice, who presses again, and somebody without a card.
    friends = (network.cards["basile"], None, network.cards["basile"])
    done = await asyncio.gather(*(forwarding.take(network.ledger, id_, it) for it in friends), return_exceptions=True)
    refused = [it.code for it in done if isinstance(it, DomainError)]
    has = {it.new_ticket for it in done if isinstance(it, forwarding.Forward)}
    assert (len(has), set(refused)) == (1, {"forward-over"})
    assert [state for _, state, _ in await states(network)] == ["void", "valid"]
    await proven(network)


@both
async def test_without_a_card_the_link_shows_the_ticket(network: Network) -> None:
    _, (first,) = await bought(network)
    it = await forwarding.take(network.ledger, await offered(network, first), None)
    again = await forwarding.take(network.ledger, it.id, None)
    assert (it, again.address is not None) == (again, True)
    with pytest.raises(Conflict):
        await forwarding.take(network.ledger, it.id, network.cards["basile"])
    await proven(network)


@both
async def test_when_the_event_is_cancelled_who_paid_has_the_money(network: Network) -> None:
    at, (first,) = await bought(network)
    await forwarding.take(network.ledger, await offered(network, first), network.cards["basile"])
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    await give_back(network.ledger, await confirm(network.engine, "test", at.id))
    assert (await network.holds("awa"))["RAF"] == 5000
    assert (await network.holds("basile")).get("RAF", 0) == 0
    told = {
        card: words(await look(network.client, f"/c/{network.cards[card].token}/tickets")) for card in ("awa", "basile")
    }
    assert "12,00 € rendus sur votre carte" in told["awa"], "who paid reads that it is back"
    assert "sur votre carte" not in told["basile"]
    assert [state for _, state, _ in await states(network)] == ["void", "refunded"]
    await proven(network)


async def test_one_card_has_no_more_places_at_a_price_than_it_may(network: Network) -> None:
    at, (first,) = await bought(network, per_wallet=1)
    await network.top_up("basile", 1200)
    ask = Ask(uuid7(), at.id, network.cards["basile"], {at.prices[0].id: 1})
    await pay(network.ledger, await orders.hold(network.engine, ask))
    id_ = await offered(network, first)
    assert await why(forwarding.take(network.ledger, id_, network.cards["basile"])) == "price-had"
    assert await why(forwarding.take(network.ledger, id_, None)) == "card-needed"
    other = await forwarding.take(network.ledger, id_, await _third(network))
    back = await forwarding.offer(network.engine, other.new_ticket or first, await _owner(network, other.new_ticket))
    assert (await forwarding.take(network.ledger, back.id, network.cards["awa"])).state == "taken", (
        "counted for it still"
    )
    await proven(network)


async def _third(network: Network) -> Card:
    async with network.engine.begin() as connection:
        return await add_card(connection, "04A0000000A0F1", "Troisième")


async def _owner(network: Network, of: UUID | None) -> UUID:
    async with network.engine.connect() as connection:
        return UUID(str(await connection.scalar(sa.select(ticket.c.wallet).where(ticket.c.id == of))))


async def test_what_is_not_handed_on(network: Network) -> None:
    at, (first, second) = await bought(network, 2, condition="member")
    awa, basile = network.cards["awa"], network.cards["basile"]
    with pytest.raises(NotFound):
        await forwarding.offer(network.engine, first, basile.wallet)
    id_ = await offered(network, first)
    assert await why(forwarding.take(network.ledger, id_, basile)) == "price-for-others"
    assert await why(forwarding.take(network.ledger, id_, None)) == "price-for-others"
    await forwarding.withdraw(network.engine, first, awa.wallet)
    assert await why(forwarding.take(network.ledger, id_, basile)) == "forward-over"
    id_ = await offered(network, second)
    row = {"id": uuid7(), "event": at.id, "ticket": second, "terminal": (await network.terminal("raffinerie")).id}
    row |= {"direction": "in", "result": "in", "means": "card", "at_us": now_us(), "received_at_us": now_us()}
    async with network.engine.begin() as connection:
        await connection.execute(sa.insert(passage).values(row))
    assert await why(forwarding.take(network.ledger, id_, basile)) == "ticket-used"
    await give_ticket_back(network.ledger, first, awa.wallet)
    assert await why(forwarding.offer(network.engine, first, awa.wallet)) == "ticket-kept"
    async with network.engine.connect() as connection:
        assert (await connection.execute(sa.select(ticket_forward.c.state))).scalars().all() == ["withdrawn", "open"]


async def why(act: Any) -> str:
    with pytest.raises(DomainError) as caught:
        await act
    return caught.value.code


async def _of(network: Network, wallet: UUID) -> list[UUID]:
    async with network.engine.connect() as connection:
        return [it.id for it in await tickets_of(connection, wallet)]
