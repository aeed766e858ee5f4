"""What each venue tells the public of itself: read, and changed by its admins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.artists.rules import Link
from app.identity.audit import audit
from app.platform.database import is_sqlite
from app.platform.errors import NotFound
from app.programme.rules import Place
from app.programme.tables import venue_page
from app.venues.places import Place as Where
from app.venues.places import places as venue_places
from app.venues.service import venues

_NOWHERE: Final = Where()


@dataclass(frozen=True, slots=True)
class About:
    """`place`: with its address; `words_*`: paragraphs."""

    place: Place
    words_fr: str = ""
    words_en: str = ""
    links: tuple[Link, ...] = ()

    def words(self, language: str) -> str:
        return (self.words_fr or self.words_en) if language == "fr" else (self.words_en or self.words_fr)


async def places(connection: AsyncConnection) -> dict[UUID, About]:
    """Every venue, in the order in which they are shown."""
    at, said = await venues(connection), await venue_places(connection)
    told = {row.venue: row for row in await connection.execute(sa.select(venue_page))}
    found = {}
    for id_, it in at.items():
        where = said.get(id_) or _NOWHERE
        place = Place(id_, it.slug, it.name, it.zone, where.address, where.town, where.point)
        found[id_] = About(place) if id_ not in told else _about(place, told[id_])
    return found


async def place_at(connection: AsyncConnection, slug: str) -> About:
    """NotFound."""
    for it in (await places(connection)).values():
        if it.place.slug == slug:
            return it
    raise NotFound("There is no such venue.")


async def tell(connection: AsyncConnection, actor: str, now: About) -> None:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    said = {"words_fr": now.words_fr, "words_en": now.words_en}
    said |= {"links": json.dumps(now.links, ensure_ascii=False)}
    row = insert(venue_page).values(venue=now.place.id, **said)
    await connection.execute(row.on_conflict_do_update(index_elements=["venue"], set_=said))
    await audit(connection, actor, "venue.page", f"venue:{now.place.id}")


def _about(place: Place, row: Any) -> About:
    links = tuple((label, address) for label, address in json.loads(row.links))
    return About(place, row.words_fr, row.words_en, links)
