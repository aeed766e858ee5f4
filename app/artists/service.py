"""Artists and their photos, read and changed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.artists.pictures import Picture
from app.artists.rules import PHOTOS_MAX, Link, slug_of
from app.artists.tables import artist, artist_photo
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, NotFound
from app.rules.ids import uuid7

Size = Literal["large", "small"]


@dataclass(frozen=True, slots=True)
class Photo:
    """`width` and `height`: pixels of the large one."""

    id: UUID
    mark: str
    width: int
    height: int
    credit: str

    def url(self, size: Size = "large") -> str:
        return f"/photos/{self.id}/{size}-{self.mark}.jpg"


@dataclass(frozen=True, slots=True)
class Artist:
    id: UUID
    slug: str
    name: str
    line_fr: str = ""
    line_en: str = ""
    words_fr: str = ""
    words_en: str = ""
    links: tuple[Link, ...] = ()
    shown: bool = True
    photos: tuple[Photo, ...] = ()

    def line(self, language: str) -> str:
        """In the language, or else in the other."""
        return (self.line_fr or self.line_en) if language == "fr" else (self.line_en or self.line_fr)

    def words(self, language: str) -> str:
        return (self.words_fr or self.words_en) if language == "fr" else (self.words_en or self.words_fr)


_OWN: Final = (artist.c.id, artist.c.slug, artist.c.name, artist.c.line_fr, artist.c.line_en)
_OWN_WORDS: Final = (artist.c.words_fr, artist.c.words_en, artist.c.links, artist.c.shown)
_PHOTO: Final = tuple(artist_photo.c[name] for name in Photo.__dataclass_fields__)


async def artists(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> dict[UUID, Artist]:
    """By name, with their photos in order; `ids`: only these."""
    query = sa.select(*_OWN, *_OWN_WORDS).order_by(artist.c.name, artist.c.slug)
    photos = sa.select(artist_photo.c.artist, *_PHOTO).order_by(artist_photo.c.position, artist_photo.c.created_at_us)
    if ids is not None:
        query, photos = query.where(artist.c.id.in_(ids)), photos.where(artist_photo.c.artist.in_(ids))
    rows = (await connection.execute(query)).all()
    of: dict[UUID, list[Photo]] = {}
    for whose, *seen in await connection.execute(photos):
        of.setdefault(whose, []).append(Photo(*seen))
    return {
        row.id: Artist(
            *row[:7], tuple((it[0], it[1]) for it in json.loads(row.links)), row.shown, tuple(of.get(row.id, ()))
        )
        for row in rows
    }


async def artist_named(connection: AsyncConnection, id_: UUID) -> Artist:
    found = (await artists(connection, [id_])).get(id_)
    if found is None:
        raise NotFound("There is no such artist.")
    return found


async def artist_at(connection: AsyncConnection, slug: str) -> Artist:
    """Who the public finds under this address. NotFound."""
    named = sa.select(artist.c.id).where(artist.c.slug == slug, artist.c.shown)
    id_ = (await connection.execute(named)).scalar_one_or_none()
    if id_ is None:
        raise NotFound("There is no such artist.")
    return await artist_named(connection, id_)


async def add_artist(connection: AsyncConnection, actor: str, new: Artist) -> Artist:
    """With an address made of the name: `new.slug` is not looked at."""
    taken = set((await connection.execute(sa.select(artist.c.slug))).scalars())
    now, slug = now_us(), slug_of(new.name, taken)
    row = {**_row(new), "id": new.id, "slug": slug, "created_at_us": now, "changed_at_us": now}
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    added = await connection.execute(insert(artist).values(row).on_conflict_do_nothing())
    if not added.rowcount:
        raise Conflict("Somebody else added an artist of this name meanwhile: look at the list.")
    await audit(connection, actor, "artist.add", f"artist:{new.id}", name=new.name)
    return await artist_named(connection, new.id)


async def change_artist(connection: AsyncConnection, actor: str, now: Artist) -> None:
    """As it is given; the address stays, for others have linked to it."""
    changed = sa.update(artist).where(artist.c.id == now.id).values({**_row(now), "changed_at_us": now_us()})
    if not (await connection.execute(changed)).rowcount:
        raise NotFound("There is no such artist.")
    await audit(connection, actor, "artist.change", f"artist:{now.id}", name=now.name)


async def add_photo(connection: AsyncConnection, actor: str, to: UUID, picture: Picture, credit: str) -> UUID:
    """The same picture again is the one that is there. Conflict: there are enough."""
    there = (await artist_named(connection, to)).photos
    for it in there:
        if it.mark == picture.mark:
            return it.id
    if len(there) >= PHOTOS_MAX:
        raise Conflict("There are enough photos: take one away first.")
    id_ = uuid7()
    row = {
        "id": id_,
        "artist": to,
        "position": len(there),
        "credit": credit,
        "mark": picture.mark,
        "width": picture.width,
        "height": picture.height,
        "large": picture.large,
        "small": picture.small,
        "created_at_us": now_us(),
    }
    await connection.execute(sa.insert(artist_photo).values(row))
    await audit(connection, actor, "artist.photo", f"artist:{to}", credit_line=credit)
    return id_


async def remove_photo(connection: AsyncConnection, actor: str, of: UUID, id_: UUID) -> None:
    """Taken away for good; twice is once."""
    gone = sa.delete(artist_photo).where(artist_photo.c.id == id_, artist_photo.c.artist == of)
    if (await connection.execute(gone)).rowcount:
        await audit(connection, actor, "artist.photo-removed", f"artist:{of}")


async def first_photo(connection: AsyncConnection, of: UUID, id_: UUID) -> None:
    """Show this one first."""
    there = [it.id for it in (await artist_named(connection, of)).photos]
    if id_ not in there:
        raise NotFound("There is no such photo.")
    for position, it in enumerate([id_, *(it for it in there if it != id_)]):
        await connection.execute(sa.update(artist_photo).where(artist_photo.c.id == it).values(position=position))


async def photo_bytes(connection: AsyncConnection, id_: UUID, size: Size) -> tuple[bytes, str]:
    """(JPEG, its mark). NotFound."""
    column = artist_photo.c.large if size == "large" else artist_photo.c.small
    row = (
        await connection.execute(sa.select(column, artist_photo.c.mark).where(artist_photo.c.id == id_))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such photo.")
    return bytes(row[0]), row[1]


def _links(kept: str) -> tuple[Link, ...]:
    return tuple((label, address) for label, address in json.loads(kept))


def _row(it: Artist) -> dict[str, object]:
    names = ("name", "line_fr", "line_en", "words_fr", "words_en", "shown")
    return {name: getattr(it, name) for name in names} | {"links": json.dumps(it.links, ensure_ascii=False)}
