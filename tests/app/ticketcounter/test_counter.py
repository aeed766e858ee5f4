"""Tickets sold by staff onto a card: for their own venue and for partners, within a quota, and undone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.eventbooks.reading import claimed, tickets_of
from app.events import service
from app.events.proof import wrong as events_wrong
from app.events.rules import Event, Price
from app.events.tables import event, ticket_order
from app.forwarding import service as forwarding
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.errors import DomainError
from app.returns.proof import wrong as returns_wrong
from app.rules.ids import uuid7
from app.ticketcounter import service as counter
from app.ticketcounter.proof import wrong
from app.ticketcounter.service import Wish
from tests.support.network import Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000
HERE = "/admin/ticket-counter"


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def ball(network: Network, capacity: int = 10, **price: Any) -> Event:
    """At the Raffinerie, 12.00; awa and basile have 60.00 each."""
    starts = now_us() + 24 * HOUR_US
    new = Event(
        uuid7(), network.venues["raffinerie"].id, "Bal", "Ball", "", "", starts, starts, starts + HOUR_US, capacity
    )
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        await service.set_price(connection, "test", new.id, Price(uuid7(), "Plein tarif", "", "RAF", 1200, **price))
        await service.publish(connection, "test", new.id)
    for card in ("awa", "basile"):
        await network.top_up(card, 6000)
    async with network.engine.connect() as connection:
        return await service.event_named(connection, new.id)


async def allowed(network: Network, at: Event, places: int) -> Any:
    path = f"/api/v1/events/{at.id}/quotas/{at.prices[0].id}/{network.venues['canal'].id}"
    return await (await network.person("marie")).put(path, json={"places": places})


def wish(network: Network, at: Event, places: int, seller: str = "canal", card: str = "awa") -> Wish:
    return Wish(uuid7(), at.id, at.prices[0].id, places, network.cards[card], network.venues[seller].id)


async def why(act: Any) -> str:
    with pytest.raises(DomainError) as caught:
        await act
    return caught.value.code


async def proven(network: Network) -> None:
    proofs = [await it(network.engine) for it in (wrong, events_wrong, returns_wrong)]
    assert proofs == [[], [], []]
    assert (await verify(network.engine)).ok


@both
async def test_a_partner_sells_within_its_quota_and_the_money_is_the_event_s_venue_s(network: Network) -> None:
    at = await ball(network)
    assert await why(counter.sell(network.ledger, "yann", wish(network, at, 1))) == "not-found"
    assert (await allowed(network, at, 3)).status_code == 204
    yann = await network.person("yann")
    page = await look(yann, HERE)
    assert f"pour {network.venues['raffinerie'].name}" in words(page)
    assert "3 places restantes" in words(page)
    form = form_to(page, HERE)
    typed = {"price": str(at.prices[0].id), "places": "2", "card": network.cards["awa"].label}
    assert (await send(yann, form, **{**typed, "card": "nobody’s"})).status_code == 422
    assert (await send(yann, form, **{**typed, "places": "0"})).status_code == 422
    for _ in "ab":
        assert "done=" in led_to(await send(yann, form, **typed))
    assert await network.claims("raffinerie") == {"RAF": 2400}
    assert await network.claims("canal") == {}
    assert (await network.holds("awa"))["RAF"] == 3600
    assert await why(counter.sell(network.ledger, "yann", wish(network, at, 2))) == "quota-full"
    assert problem(await allowed(network, at, 1)) == (409, "quota-sold")
    async with network.engine.connect() as connection:
        owner = network.venues["raffinerie"].owner
        assert await claimed(network.ledger, connection, at.id, owner) == {"RAF": 2400}
        assert {it.channel for it in await tickets_of(connection, at.id)} == {network.venues["canal"].name}
    marie = await network.person("marie")
    assert network.venues["canal"].name in words(await look(marie, f"/admin/events/{at.id}/partners"))
    assert (await look(yann, f"/admin/events/{at.id}/partners")).status_code == 403, "not their event"
    await proven(network)


@both
async def test_two_counters_at_once_never_sell_more_than_the_quota_or_the_places(network: Network) -> None:
    at = await ball(network, capacity=4)
    await allowed(network, at, 3)
    asked = [wish(network, at, 1, card=card) for card in ("awa", "basile", "awa", "basile", "awa")]
    done = await asyncio.gather(*(counter.sell(network.ledger, "yann", it) for it in asked), return_exceptions=True)
    assert sorted(getattr(it, "code", "sold") for it in done) == ["quota-full"] * 2 + ["sold"] * 3
    own = [wish(network, at, 1, "raffinerie", card) for card in ("awa", "basile")]
    done = await asyncio.gather(*(counter.sell(network.ledger, "marie", it) for it in own), return_exceptions=True)
    assert sorted(getattr(it, "code", "sold") for it in done) == ["sold", "sold-out"]
    await proven(network)


@both
async def test_a_mistake_is_undone_by_who_made_it_and_a_server_that_dies_is_made_good(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await ball(network)
    await allowed(network, at, 3)
    sale = await counter.sell(network.ledger, "yann", wish(network, at, 2))
    marie, yann, canal = await network.person("marie"), await network.person("yann"), network.venues["canal"].id
    assert (await marie.delete(f"/api/v1/events/{at.id}/counter-sales/{sale.id}?venue={canal}")).status_code == 403

    async def died(*_: object) -> None:
        raise RuntimeError("the server died")

    with monkeypatch.context() as dying:
        dying.setattr(counter, "mark_refunded", died)
        with pytest.raises(RuntimeError):
            await counter.undo(network.ledger, "yann", sale.id, canal)
    assert await wrong(network.engine) != []
    assert [await counter.tend(network.ledger) for _ in "ab"] == [1, 0]
    assert (await yann.delete(f"/api/v1/events/{at.id}/counter-sales/{sale.id}?venue={canal}")).status_code == 204
    assert (await network.holds("awa"))["RAF"] == 6000
    assert await network.claims("raffinerie") == {}
    await proven(network)
    # What was undone is the partner's to sell again; what was handed on stays.
    sale = await counter.sell(network.ledger, "yann", wish(network, at, 3))
    first = await _first(network, sale.id)
    await forwarding.take(
        network.ledger,
        (await forwarding.offer(network.engine, first, network.cards["awa"].wallet)).id,
        network.cards["basile"],
    )
    assert await why(counter.undo(network.ledger, "yann", sale.id, canal)) == "not-undone"
    assert "reste" in words(await send(yann, form_to(await look(yann, HERE), f"{HERE}/{sale.id}/undo")))
    await proven(network)


@both
async def test_once_the_event_is_over_a_sale_stays(network: Network) -> None:
    at = await ball(network)
    await allowed(network, at, 3)
    sale = await counter.sell(network.ledger, "yann", wish(network, at, 1))
    over = now_us() - 1
    past = {"doors_at_us": over - 2 * HOUR_US, "starts_at_us": over - HOUR_US, "ends_at_us": over}
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(event).where(event.c.id == at.id).values(past))
    assert await why(counter.undo(network.ledger, "yann", sale.id, network.venues["canal"].id)) == "not-undone"
    assert await network.claims("raffinerie") == {"RAF": 1200}
    await proven(network)


@both
async def test_a_partner_that_sold_is_taken_off_the_list_and_what_it_sold_stays(network: Network) -> None:
    at = await ball(network)
    await allowed(network, at, 3)
    await counter.sell(network.ledger, "yann", wish(network, at, 2))
    assert problem(await allowed(network, at, 1)) == (409, "quota-sold")
    assert (await allowed(network, at, 0)).status_code == 204
    assert await why(counter.sell(network.ledger, "yann", wish(network, at, 1))) == "not-found"
    assert await network.claims("raffinerie") == {"RAF": 2400}
    await proven(network)


async def test_what_a_card_lacks_is_told_and_its_places_are_others(network: Network) -> None:
    at = await ball(network, capacity=8, condition="member")
    assert await why(counter.sell(network.ledger, "m", wish(network, at, 1, "raffinerie"))) == "price-for-others"
    at = await ball(network, capacity=12)
    marie = await network.person("marie")
    typed = {"price": str(at.prices[0].id), "places": "11", "card": network.cards["awa"].label}
    told = await send(marie, form_to(await look(marie, HERE), HERE), **typed)
    assert "Il manque 12,00 €" in words(told), "two balls, so 120.00 on the card; 11 places are 132.00"
    assert 'value="11"' in told.text
    async with network.engine.connect() as connection:
        now = await service.event_named(connection, at.id)
        assert (now.held, now.sold) == (0, 0)
        assert (await connection.execute(sa.select(ticket_order.c.state))).scalars().all() == ["released"]


async def _first(network: Network, order: UUID) -> UUID:
    async with network.engine.connect() as connection:
        mine = await connection.execute(sa.text("SELECT id FROM ticket ORDER BY serial DESC"))
        return UUID(str(mine.scalars().first()))
