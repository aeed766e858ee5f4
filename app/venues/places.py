"""Where a venue is, when it is open, and how cards are topped up there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.platform.database import is_sqlite
from app.venues.opening import Opening, read, written
from app.venues.point import Point
from app.venues.tables import venue_place

TopUp = Literal["cash", "bank_card"]
TOP_UPS: Final[tuple[TopUp, ...]] = ("cash", "bank_card")


@dataclass(frozen=True, slots=True)
class Place:
    """`tops_up`: what a card is topped up with here; nothing where it is not. `point`: on the map."""

    address: str = ""
    tops_up: tuple[TopUp, ...] = ()
    opening: Opening = field(default_factory=Opening)
    town: str = ""
    point: Point | None = None

    def __str__(self) -> str:
        tops_up = ", ".join(self.tops_up) or "nothing"
        where = ", ".join(filter(None, (self.address, self.town, str(self.point or "")))) or "no address"
        return f"({where}; tops up with {tops_up}; open {self.opening})"

    @property
    def mark(self) -> str:
        """Names it as somebody saw it."""
        return hashlib.sha256(json.dumps(_row(self), sort_keys=True).encode()).hexdigest()


async def places(connection: AsyncConnection) -> dict[UUID, Place]:
    """Of those venues of which somebody said anything."""
    return {row.venue: _read(row) for row in await connection.execute(sa.select(venue_place))}


async def place_of(connection: AsyncConnection, venue: UUID) -> Place:
    row = (await connection.execute(sa.select(venue_place).where(venue_place.c.venue == venue))).one_or_none()
    return Place() if row is None else _read(row)


async def set_place(connection: AsyncConnection, venue: UUID, now: Place) -> None:
    insert = (sqlite.insert if is_sqlite(connection) else postgresql.insert)(venue_place)
    row = _row(now)
    await connection.execute(
        insert.values(venue=venue, **row).on_conflict_do_update(index_elements=[venue_place.c.venue], set_=row)
    )


async def change_place(connection: AsyncConnection, actor: str, venue: UUID, was: Place, now: Place) -> None:
    await set_place(connection, venue, now)
    told = {"venue": str(venue), "was": _told(was), "now": _told(now)}
    await audit(connection, actor, "venue.place", f"venue:{venue}", **told)


def weekly_of(kept: Mapping[str, str]) -> Opening:
    """From hours by weekday ("0" is Monday) or day, as they are kept."""
    weekly = {int(key): read(text) or () for key, text in kept.items() if len(key) == 1}
    days = {date.fromisoformat(key): read(text) or () for key, text in kept.items() if len(key) > 1}
    return Opening(weekly, days)


def kept_of(it: Opening) -> dict[str, str]:
    weekly = {str(day): written(spans) for day, spans in sorted(it.weekly.items()) if spans}
    return weekly | {day.isoformat(): written(spans) for day, spans in sorted(it.days.items())}


def _row(it: Place) -> dict[str, Any]:
    north, east = (None, None) if it.point is None else (it.point.latitude, it.point.longitude)
    return {
        "address": it.address,
        "tops_up": ",".join(it.tops_up),
        "opening": json.dumps(kept_of(it.opening)),
        "town": it.town,
        "latitude": north,
        "longitude": east,
    }


def _read(row: Any) -> Place:
    tops_up = tuple(it for it in TOP_UPS if it in row.tops_up.split(","))
    point = None if row.latitude is None else Point(row.latitude, row.longitude)
    return Place(row.address, tops_up, weekly_of(json.loads(row.opening)), row.town, point)


def _told(it: Place) -> dict[str, object]:
    said: dict[str, object] = {"address": it.address, "tops_up": list(it.tops_up), "opening": str(it.opening)}
    return said | {"town": it.town, "point": str(it.point or "")}
