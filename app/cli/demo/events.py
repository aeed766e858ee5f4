"""What is on in the demo's network: a concert this very evening, whose door is open, and two dates to come; a pass for
them, and a subscription; one date that is full, and one that is cancelled."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.events import service
from app.events.rules import Condition, Event, Price
from app.passes.plans import make
from app.passes.rules import Date, Plan
from app.platform.clock import now_us
from app.rules.ids import derived, uuid7
from app.venues.service import venues

_HOUR_US: Final = 3_600_000_000
# Minutes of volunteering.
_HELPED: Final = 120


class _Date(NamedTuple):
    """`in_h`: hours from now until it starts."""

    venue: int
    in_h: int
    titles: tuple[str, str]
    summaries: tuple[str, str]
    capacity: int
    prices: tuple[tuple[str, str, int], ...]


_FULL, _REDUCED = ("Plein tarif", "Full price"), ("Tarif réduit", "Reduced")
_HELPERS, _MEMBERS = ("Bénévoles", "Volunteers"), ("Adhérent", "Member")
_ON: Final[dict[str, Condition]] = {_REDUCED[0]: "reduced", _HELPERS[0]: "hours", _MEMBERS[0]: "member"}
CONCERT, BLIND, CANCELLED = "Éloïse et les Zincs", "Dîner dans le noir", "Cinéma en plein air"
FULL, REDUCED, MEMBER = _FULL[0], _REDUCED[0], _MEMBERS[0]
_DATES: Final = (
    _Date(
        0,
        1,
        (CONCERT, "Eloise and the Zincs"),
        ("Chanson de comptoir, deux voix et un accordéon.", "Songs of the bar: two voices and an accordion."),
        80,
        ((*_FULL, 1200), (*_REDUCED, 800), (*_MEMBERS, 600)),
    ),
    _Date(
        1,
        3 * 24,
        ("Grand bal", "The great ball"),
        ("On apprend les pas à 20 h, l’orchestre joue à 21 h.", "Steps are taught at 8, the band plays at 9."),
        150,
        ((*_FULL, 900), (*_HELPERS, 300)),
    ),
    _Date(
        0,
        9 * 24,
        ("Scène ouverte", "Open stage"),
        ("Dix minutes pour qui veut.", "Ten minutes for whoever likes."),
        40,
        (("Entrée libre", "Free entry", 0),),
    ),
)
# In no pass.
_APART: Final = (
    _Date(
        0,
        5 * 24,
        (BLIND, "Dinner in the dark"),
        ("Quatre couverts, et pas une bougie.", "A table for four, and not one candle."),
        4,
        ((*_FULL, 1800),),
    ),
    _Date(
        1,
        6 * 24,
        (CANCELLED, "Cinema in the open"),
        ("Sur le mur du quai, s’il ne pleut pas.", "On the wall of the quay, unless it rains."),
        60,
        ((*_FULL, 500),),
    ),
)


def event_id(title: str) -> UUID:
    return derived("demo-event", title)


def _by_event(it: Date) -> UUID:
    return it.event


async def add_events(connection: AsyncConnection) -> None:
    """Where there are none yet."""
    if await service.events(connection, limit=1):
        return
    there = [it for it in (await venues(connection)).values() if "RAF" in it.accepted]
    made: list[Event] = []
    hour = now_us() // _HOUR_US * _HOUR_US
    for date in (*_DATES, *_APART):
        starts = hour + date.in_h * _HOUR_US
        venue = there[date.venue % len(there)]
        new = Event(
            event_id(date.titles[0]),
            venue.id,
            *date.titles,
            *date.summaries,
            starts - _HOUR_US,
            starts,
            starts + 3 * _HOUR_US,
            date.capacity,
        )
        await service.create(connection, "demo", new)
        for name_fr, name_en, amount in date.prices:
            condition = _ON.get(name_fr, "none")
            least = _HELPED if condition == "hours" else None
            price = Price(uuid7(), name_fr, name_en, "RAF", amount, condition=condition, vat=550, least=least)
            await service.set_price(connection, "demo", new.id, price)
        await service.publish(connection, "demo", new.id)
        if date in _DATES:
            made.append(await service.event_named(connection, new.id))
    await service.cancel(connection, "demo", event_id(CANCELLED))
    dates = tuple(sorted((Date(it.id, it.prices[0].id, max(1, it.prices[0].amount)) for it in made), key=_by_event))
    two = tuple(it for it in dates if it.weight > 1)
    of = (uuid7(), made[0].venue)
    await make(connection, "demo", Plan(*of, "pass", "Pass deux soirs", "Two evenings", "RAF", 1800, 2, 40, dates=two))
    of = (uuid7(), made[0].venue)
    names = ("Abonnement au choix", "Dates of your choice")
    await make(connection, "demo", Plan(*of, "subscription", *names, "RAF", 1500, 2, dates=dates))
