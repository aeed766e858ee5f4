"""Passes for several dates, and subscriptions: made by venues, bought on the card's page, shared to the cent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.eventbooks.reading import claimed, taken_of
from app.events import orders, service
from app.events import proof as events_proof
from app.events.rules import Event, Price
from app.events.tables import event as event_table
from app.events.tables import ticket, ticket_order
from app.passes import guards, plans, sales, tending
from app.passes.basket import complete_all
from app.passes.proof import wrong
from app.passes.rules import Date, Plan, next_share, shares
from app.passes.tables import pass_sale
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.ids import uuid7
from tests.support.network import Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox"})


@pytest.fixture(autouse=True)
def _no_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(base_url: str, reference: str) -> None:
        pass

    monkeypatch.setattr("app.topups.pages.sandbox._notify", lost)


async def evenings(network: Network, *at: tuple[str, int, int]) -> list[tuple[Event, UUID]]:
    """Published, one price each: (venue, capacity, amount)."""
    made = []
    async with network.engine.begin() as connection:
        for number, (slug, capacity, amount) in enumerate(at, 1):
            starts, price = now_us() + 24 * number * HOUR_US, uuid7()
            venue = network.venues[slug].id
            new = Event(uuid7(), venue, f"Soir {number}", "", "", "", starts, starts, starts + HOUR_US, capacity)
            it = await service.create(connection, "test", new)
            await service.set_price(connection, "test", it.id, Price(price, "Plein", "", "RAF", amount, vat=550))
            await service.publish(connection, "test", it.id)
            made.append((await service.event_named(connection, it.id), price))
    return made


async def on_sale(network: Network, at: list[tuple[Event, UUID]], amount: int, **other: Any) -> Plan:
    dates = tuple(sorted((Date(it.id, price, 1) for it, price in at), key=lambda date: date.event))
    new = Plan(uuid7(), at[0][0].venue, "pass", "Les soirs", "", "RAF", amount, len(dates), dates=dates)
    new = replace(new, **other)
    async with network.engine.begin() as connection:
        await plans.make(connection, "test", new)
    return new


async def bought(network: Network, plan: Plan, card: str = "awa", id_: UUID | None = None) -> Any:
    body = {"id": str(id_ or uuid7()), "plan": str(plan.id)}
    return await network.client.post(f"/c/{network.cards[card].token}/pass-orders", json=body)


async def right(network: Network) -> None:
    assert await wrong(network.engine) == []
    assert await events_proof.wrong(network.engine) == []


@given(st.integers(0, 10_000), st.dictionaries(st.uuids(), st.integers(0, 900), min_size=1, max_size=9))
@settings(max_examples=80, deadline=None)
def test_a_price_is_shared_whole_and_nobody_is_a_unit_off(amount: int, weights: dict[UUID, int]) -> None:
    whole = sum(weights.values())
    if not whole:
        with pytest.raises(ValueError, match="weigh"):
            shares(amount, weights)
        return
    parts = shares(amount, weights)
    assert sum(parts.values()) == amount
    assert all(abs(parts[it] * whole - amount * weight) < whole for it, weight in weights.items())
    assert parts == shares(amount, dict(reversed(weights.items())))


@given(st.integers(1, 10_000), st.integers(1, 20))
@settings(max_examples=80, deadline=None)
def test_the_places_of_a_subscription_come_to_its_price(amount: int, places: int) -> None:
    used: list[int] = []
    for _ in range(places):
        used.append(next_share(amount, places, used))
    assert sum(used) == amount
    assert max(used) - min(used) <= 1


@both
async def test_a_pass_takes_a_place_at_each_date_and_each_venue_has_its_share(network: Network) -> None:
    at = await evenings(network, ("raffinerie", 5, 1200), ("canal", 2, 900), ("raffinerie", 5, 800))
    plan, id_ = await on_sale(network, at, 2000), uuid7()
    await network.top_up("awa", 5000)
    first = await bought(network, plan, id_=id_)
    assert (first.json()["state"], first.json()["amount"]) == ("paid", 2000)
    assert (await bought(network, plan, id_=id_)).json() == first.json()
    assert problem(await bought(network, plan, "basile", id_)) == (422, "idempotency-key-reused")
    assert (await network.holds("awa"))["RAF"] == 3000
    async with network.engine.connect() as connection:
        issued = list(await connection.execute(sa.select(ticket.c.event, ticket.c.wallet, ticket.c.state)))
        taken = {it.event: (it.tickets, it.amount) for it in await taken_of(connection, [it.id for it, _ in at])}
        mine = {it.event: it for it in await orders.orders_paid_by(connection, [id_])}
        assert await connection.run_sync(guards.missing) == []
        # The box office and the venue's claim know it as any order.
        owner = network.venues["canal"].owner
        assert await claimed(network.ledger, connection, at[1][0].id, owner) == {"RAF": mine[at[1][0].id].amount}
    assert {it.event for it in issued} == {it.id for it, _ in at}
    assert sorted(it.amount for it in mine.values()) == [666, 667, 667]
    assert all(taken[it.id] == (1, mine[it.id].amount) for it, _ in at)
    canal = mine[at[1][0].id].amount
    assert ((await network.claims("canal"))["RAF"], (await network.claims("raffinerie"))["RAF"]) == (
        canal,
        2000 - canal,
    )
    await right(network)
    # All or nothing: when one of the dates is full, no place is taken anywhere, and nothing is paid.
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(event_table).where(event_table.c.id == at[1][0].id).values(capacity=1))
    assert problem(await bought(network, plan)) == (409, "sold-out")
    assert (await network.holds("awa"))["RAF"] == 3000
    async with network.engine.connect() as connection:
        assert [it.sold for it in (await service.events(connection)).values()] == [1, 1, 1]
        assert [it.held for it in (await service.events(connection)).values()] == [0, 0, 0]
    await right(network)
    for change in ({"amount": 1}, {"state": "held"}):
        with pytest.raises(sa.exc.IntegrityError, match="stays over"):
            async with network.engine.begin() as connection:
                await connection.execute(sa.update(pass_sale).values(change))


async def test_whoever_has_not_enough_pays_what_is_missing_in_the_same_basket(network: Network) -> None:
    at = await evenings(network, ("raffinerie", 3, 1200), ("canal", 3, 900))
    plan = await on_sale(network, at, 1800)
    await network.top_up("awa", 1000)
    assert problem(await bought(network, plan)) == (402, "insufficient-funds")
    home = f"/c/{network.cards['awa'].token}"
    assert "Les soirs" in words(await look(network.client, f"{home}/passes"))
    there = f"{home}/passes/{plan.id}"
    form = form_to(await look(network.client, there), there)
    pay = led_to(await send(network.client, form))
    page = await look(network.client, pay)
    assert "8,00 €" in words(page), "what is missing, and no more"
    mine = led_to(await send(network.client, form_to(page, pay), act="paid"))
    told = words(await look(network.client, mine))
    assert told.count("Votre place") == 2
    assert (await network.holds("awa"))["RAF"] == 0
    assert "Pass : Raffinerie" in words(await look(network.client, home))
    assert "Les soirs" in words(await look(network.client, f"{home}/passes"))
    await right(network)


async def test_who_pays_too_late_keeps_the_money(network: Network) -> None:
    at = await evenings(network, ("raffinerie", 3, 1200), ("canal", 3, 900))
    plan = await on_sale(network, at, 1800, quota=1)
    there = f"/c/{network.cards['awa'].token}/passes/{plan.id}"
    pay = led_to(await send(network.client, form_to(await look(network.client, there), there)))
    assert "Il ne se vend pas en ce moment" in words(await look(network.client, there)), "the only one is in a basket"
    assert await tending.tend(network.ledger, now_us() + HOUR_US) == 1
    back = led_to(await send(network.client, form_to(await look(network.client, pay), pay), act="paid"))
    await complete_all(network.ledger)
    assert "Votre paiement est sur la carte, sans le pass" in words(await look(network.client, back))
    assert (await network.holds("awa"))["RAF"] == 1800
    await right(network)


@both
async def test_a_subscription_pays_each_place_when_it_is_chosen_and_its_seller_the_rest(network: Network) -> None:
    at = await evenings(network, ("raffinerie", 3, 1200), ("canal", 1, 900), ("raffinerie", 3, 800))
    plan, id_ = await on_sale(network, at, 2000, kind="subscription", places=2), uuid7()
    await network.top_up("awa", 2000)
    await network.top_up("basile", 2000)
    assert (await bought(network, plan, id_=id_)).json()["state"] == "paid"
    assert (await bought(network, plan, "basile")).json()["state"] == "paid"
    assert await network.claims("raffinerie") == {}
    there = f"/c/{network.cards['awa'].token}/my-passes/{id_}"
    page = await look(network.client, there)
    assert "Vous pouvez encore choisir 2 dates." in words(page)
    bal = led_to(await network.client.post(there, data={"event": str(at[1][0].id)}))
    assert "Votre billet est là" in words(await look(network.client, bal))
    assert led_to(await network.client.post(there, data={"event": str(at[1][0].id)})) == bal, "one place a date"
    assert await network.claims("canal") == {"RAF": 1000}
    others = f"/c/{network.cards['basile'].token}/pass-orders/{id_}/places"
    choice = {"event": str(at[0][0].id)}
    assert problem(await network.client.post(others, json=choice))[0] == 404, "it is somebody else's"
    mine = f"/c/{network.cards['awa'].token}/pass-orders/{id_}/places"
    assert (await network.client.post(mine, json=choice)).json()["amount"] == 1000
    last = {"event": str(at[2][0].id)}
    assert problem(await network.client.post(mine, json=last)) == (409, "pass-used-up")
    async with network.engine.connect() as connection:
        (basile,) = await sales.sales_of(connection, network.cards["basile"].wallet)
    full = {"event": str(at[1][0].id)}
    address = f"/c/{network.cards['basile'].token}/pass-orders/{basile.id}/places"
    assert problem(await network.client.post(address, json=full)) == (409, "sold-out")
    await right(network)
    # When the dates are over, what was not chosen is the seller's.
    assert await tending.tend(network.ledger, now_us() + 99 * HOUR_US) == 2
    assert (await network.claims("raffinerie"), await network.claims("canal")) == ({"RAF": 3000}, {"RAF": 1000})
    await right(network)


async def test_what_comes_back_for_a_place_goes_on_to_the_wallet(network: Network) -> None:
    at = await evenings(network, ("raffinerie", 3, 1200), ("canal", 3, 900))
    plan, id_ = await on_sale(network, at, 2100), uuid7()
    await network.top_up("awa", 2100)
    await bought(network, plan, id_=id_)
    async with network.engine.connect() as connection:
        one, other = await orders.orders_paid_by(connection, [id_])
    ledger, now = network.ledger, now_us()
    # As whoever gives money back does for any order: by taking back what was booked under its id.
    original = (await ledger.booked([one.id]))[one.id]
    day = network.venues["canal"].day_of(now)
    await ledger.post_one(await ledger.reversal(original, uuid7(), actor="test", occurred_at_us=now, business_day=day))
    async with network.engine.begin() as connection:
        await connection.execute(
            sa.update(ticket_order).where(ticket_order.c.id == one.id).values(state="refunded", changed_at_us=now)
        )
        await connection.execute(sa.update(ticket).where(ticket.c.order_id == one.id).values(state="refunded"))
        await connection.execute(sa.update(event_table).where(event_table.c.id == one.event).values(sold=0))
    assert [await tending.tend(ledger), await tending.tend(ledger)] == [1, 0]
    assert (await network.holds("awa"))["RAF"] == one.amount
    assert await tending.set_aside(ledger, await _sale(network, id_)) == 0
    assert other.state == "paid"
    assert await wrong(network.engine) == []


async def _sale(network: Network, id_: UUID) -> sales.Sale:
    async with network.engine.connect() as connection:
        return await sales.sale_named(connection, id_)


async def test_a_venue_makes_passes_of_its_own_dates_and_stops_selling_them(network: Network) -> None:
    at = await evenings(network, ("raffinerie", 5, 1200), ("raffinerie", 5, 800), ("canal", 5, 800))
    marie, yann = await network.person("marie"), await network.person("yann")
    body = {
        "venue": str(at[0][0].venue),
        "kind": "pass",
        "names": {"fr": "Deux soirs"},
        "currency": "RAF",
        "amount": 1500,
        "places": 2,
        "dates": [{"event": str(it.id), "price": str(price), "weight": 3} for it, price in at[:2]],
    }
    there = f"/api/v1/passes/{uuid7()}"
    made = (await marie.put(there, json=body)).json()
    assert (made["sold"], made["on_sale"]) == (0, True)
    assert (await marie.put(there, json=body)).json() == made
    assert problem(await marie.put(there, json={**body, "amount": 1})) == (422, "idempotency-key-reused")
    assert problem(await yann.put(there, json=body))[0] == 403
    of_others = {**body, "places": 3, "dates": [{"event": str(it.id), "price": str(price)} for it, price in at]}
    assert problem(await marie.put(f"/api/v1/passes/{uuid7()}", json=of_others))[0] == 403
    assert problem(await marie.put(f"/api/v1/passes/{uuid7()}", json={**body, "places": 1}))[0] == 422
    assert [it["id"] for it in (await marie.get("/api/v1/passes")).json()] == [made["id"]]
    assert (await yann.get("/api/v1/passes")).json() == []
    removed = f"/api/v1/events/{at[0][0].id}/prices/{at[0][1]}"
    assert problem(await marie.delete(removed))[0] == 409, "a pass counts its places there"

    page = await look(marie, "/admin/passes/new")
    form = form_to(page, "/admin/passes/new")
    chosen = {f"date-{it.id}": str(price) for it, price in at[:2]}
    typed = {"name_fr": "Abonnement", "amount": "12", "kind": "subscription", "places": "1", "currency": "RAF"}
    typed["venue"] = str(at[0][0].venue)
    assert "Choisissez un tarif à deux dates ou plus." in words(await send(marie, form, **typed))
    assert led_to(await send(marie, form, **typed, **chosen)) == "/admin/passes"
    listed = await look(marie, "/admin/passes")
    assert "1 date sur 2, au choix" in words(listed)
    ending = f"/admin/passes/{made['id']}/end"
    assert led_to(await send(marie, form_to(listed, ending))) == "/admin/passes"
    await network.top_up("awa", 2000)
    plan = Plan(UUID(made["id"]), at[0][0].venue, "pass", "", "", "RAF", 1500, 2)
    assert problem(await bought(network, plan)) == (409, "pass-over")
