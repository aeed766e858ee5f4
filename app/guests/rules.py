"""Whose turn it is when places come free, and for how long they are kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from app.events.rules import Event

State = Literal["waiting", "offered", "taken", "missed", "left"]

# As many as one group of friends; more is a visit to arrange with the venue.
WAIT_MAX: Final = 8
MINUTE_US: Final = 60 * 1_000_000
# By day somebody looks at their phone within two hours; longer, and those behind wait for nothing.
OFFER_US: Final = 120 * MINUTE_US
# Shortly before the event everybody is near their phone, and places that nobody takes stay empty.
HURRY_US: Final = 20 * MINUTE_US
HURRY_FROM_US: Final = 6 * 60 * MINUTE_US
# Nobody is woken: what comes free at night is kept until the forenoon.
EVENING: Final = time(21)
MORNING: Final = time(10)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One wallet's place in the line of an event: `places` at one price. `turn`: counts the event's from 1. `order_id`:
    what is or was offered. `email`: where it is told; None: on the card's pages alone."""

    id: UUID
    event: UUID
    price: UUID
    wallet: UUID
    places: int
    turn: int
    state: State
    order_id: UUID | None
    email: str | None
    language: str
    asked_at_us: int
    changed_at_us: int


def next_served(at: Event, line: Iterable[Waiting]) -> Iterator[Waiting]:
    """Of those who wait, in their turn, those for whom there are enough places, all of them together."""
    left, left_at = at.left, {it.id: it.left for it in at.prices}
    for it in sorted(line, key=lambda it: it.turn):
        here = left_at[it.price]
        if it.places > left or (here is not None and it.places > here):
            continue
        left -= it.places
        left_at[it.price] = None if here is None else here - it.places
        yield it


def kept_until_us(now_us: int, starts_at_us: int, zone: str) -> int:
    """How long places are kept that are offered now."""
    if starts_at_us - now_us < HURRY_FROM_US:
        return now_us + HURRY_US
    here = datetime.fromtimestamp(now_us / 1_000_000, ZoneInfo(zone))
    until = now_us + OFFER_US
    if here.time() < MORNING:
        until = max(until, _at(here, MORNING))
    elif here.time() >= EVENING:
        until = max(until, _at(here + timedelta(days=1), MORNING))
    return min(until, starts_at_us - HURRY_US)


def _at(day: datetime, clock: time) -> int:
    return int(day.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0).timestamp()) * 1_000_000
