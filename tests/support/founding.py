"""The founding sentence's three venues, its concert, its festival, and a clock that is turned to the next of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import time as hour

import pytest

from app.events import service
from app.events.rules import Event, Price
from app.identity.roles import Grant, Role
from app.identity.service import create_person
from app.members.plans import Plan, make_plan
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.membership import Rolling
from app.venues.service import Product, Venue, add_product, add_venue, venues
from tests.support.network import PASSWORD, PIN, RAF, Network

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MINUTE_US = HOUR_US // 60


class Calendar:
    """The wall clock of the whole process, turned forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead_ns, time_ns, time_s = 0, time.time_ns, time.time
        monkeypatch.setattr(time, "time_ns", lambda: time_ns() + self._ahead_ns)
        monkeypatch.setattr(time, "time", lambda: time_s() + self._ahead_ns / 1e9)

    def turn_to(self, at_us: int) -> None:
        self._ahead_ns += (at_us - now_us()) * 1000

    async def seen_to_turn(self, at_us: int) -> None:
        """As `turn_to`, until a server says so: it writes the `Date` that terminals go by once a second."""
        self.turn_to(at_us)
        await asyncio.sleep(1.5)


@dataclass(frozen=True, slots=True)
class Founding:
    """`friche`: the third venue, the ground where the festival is. Doors open an hour before an event starts."""

    friche: Venue
    membership: Plan
    concert: Event
    festival: Event


async def founding(network: Network) -> Founding:
    """A membership and, for tomorrow, a concert at Canal, cheaper for members; a festival at La Friche in six weeks."""
    canal, tonight = network.venues["canal"], now_us()
    async with network.engine.begin() as connection:
        id_ = await add_venue(connection, "friche", "La Friche", "Europe/Paris", hour(6), ("RAF",))
        drink = Product(uuid7(), "Citronnade", "Lemonade", "Bar", "#d9a441", {"RAF": 400})
        await add_product(connection, id_, drink)
        friche = network.venues["friche"] = (await venues(connection))[id_]
        plan = Plan(uuid7(), canal.id, "Adhésion", "Membership", "RAF", 1500, Rolling(12))
        await make_plan(connection, "test", plan, RAF, canal)
    network.products["friche", "Citronnade"] = drink
    await create_person(network.context, "leo", "Léo", PASSWORD, PIN, [Grant(Role.CASHIER, id_)], actor="test")
    concert = await _event(network, canal, "Concert", tonight + DAY_US, Plein=1200, Adhérents=800)
    festival = await _event(network, friche, "Festival", tonight + 42 * DAY_US, Entrée=1000)
    return Founding(friche, plan, concert, festival)


async def _event(network: Network, venue: Venue, title: str, starts_us: int, **prices: int) -> Event:
    """Published, of 200 places; its prices by name, minor units of RAF."""
    new = Event(uuid7(), venue.id, title, "", "", "", starts_us - HOUR_US, starts_us, starts_us + 4 * HOUR_US, 200)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", new)
        for name, amount in prices.items():
            price = Price(uuid7(), name, "", "RAF", amount, condition="member" if name == "Adhérents" else "none")
            await service.set_price(connection, "test", new.id, price)
        await service.publish(connection, "test", new.id)
        return await service.event_named(connection, new.id)
