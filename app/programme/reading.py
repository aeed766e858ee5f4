"""Published events as the public sees them, from what app.events keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.artists.service import Artist
from app.artists.service import artists as all_artists
from app.currencies.service import Currency, currencies
from app.events.tables import event, event_artist, event_price
from app.platform.clock import now_us
from app.platform.errors import NotFound
from app.programme.places import places
from app.programme.rules import Offer, Player, Show, State

_PUBLIC: Final = event.c.status.in_(("published", "cancelled"))
# A venue's or an artist's page tells of so many that are over.
_PAST_MAX: Final = 60


async def coming_shows(connection: AsyncConnection, now: int, venue: UUID | None = None) -> list[Show]:
    """Those that are not over, the earliest first."""
    query = sa.select(event).where(_PUBLIC, event.c.ends_at_us > now)
    if venue is not None:
        query = query.where(event.c.venue == venue)
    return await _shows(connection, query)


async def shows_of_venue(connection: AsyncConnection, venue: UUID, now: int) -> list[Show]:
    """Coming and past ones, the earliest first."""
    return await _around(connection, event.c.venue == venue, now)


async def shows_of_artist(connection: AsyncConnection, artist: UUID, now: int) -> list[Show]:
    """Coming and past ones, the earliest first."""
    plays = sa.select(event_artist.c.event).where(event_artist.c.artist == artist)
    return await _around(connection, event.c.id.in_(plays), now)


async def show_at(connection: AsyncConnection, slug: str) -> Show:
    """NotFound: also for what is not published yet."""
    found = await _shows(connection, sa.select(event).where(_PUBLIC, event.c.slug == slug))
    if not found:
        raise NotFound("There is no such event.")
    return found[0]


async def shows_by_id(connection: AsyncConnection, ids: Sequence[str]) -> list[Show]:
    return await _shows(connection, sa.select(event).where(_PUBLIC, event.c.id.in_([UUID(it) for it in ids])))


async def published_shows(connection: AsyncConnection) -> list[tuple[str, int]]:
    """(slug, when it last changed) of all, the newest first."""
    query = sa.select(event.c.slug, event.c.changed_at_us).where(_PUBLIC).order_by(event.c.starts_at_us.desc())
    return [(row.slug, row.changed_at_us) for row in await connection.execute(query.limit(40_000))]


def player_of(it: Artist) -> Player:
    return Player(it.id, it.slug, it.name, it.photos[0].url() if it.photos else "")


async def _around(connection: AsyncConnection, which: sa.ColumnElement[bool], now: int) -> list[Show]:
    coming = sa.select(event).where(_PUBLIC, which, event.c.ends_at_us > now)
    past = sa.select(event).where(_PUBLIC, which, event.c.ends_at_us <= now)
    older = await _shows(connection, past.order_by(event.c.starts_at_us.desc()).limit(_PAST_MAX))
    return [*older, *await _shows(connection, coming)]


async def _shows(connection: AsyncConnection, query: sa.Select[Any]) -> list[Show]:
    rows = sorted((await connection.execute(query)).all(), key=lambda row: (row.starts_at_us, row.slug))
    if not rows:
        return []
    ids = [row.id for row in rows]
    at, players, offers = await places(connection), await _players(connection, ids), await _offers(connection, rows)
    return [
        Show(
            row.id,
            row.slug,
            at[row.venue].place,
            row.title_fr,
            row.title_en,
            row.summary_fr,
            row.summary_en,
            row.starts_at_us,
            row.ends_at_us,
            row.doors_at_us,
            _state(row),
            row.created_at_us,
            row.changed_at_us,
            tuple(players.get(row.id, ())),
            tuple(offers.get(row.id, ())),
        )
        for row in rows
    ]


def _state(row: Any) -> State:
    if row.status == "cancelled":
        return "cancelled"
    return "full" if row.held + row.sold + row.leased >= row.capacity else "on"


async def _players(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Player]]:
    order = (event_artist.c.event, event_artist.c.position)
    rows = (
        await connection.execute(sa.select(event_artist).where(event_artist.c.event.in_(ids)).order_by(*order))
    ).all()
    known = await all_artists(connection, {row.artist for row in rows}) if rows else {}
    found: dict[UUID, list[Player]] = {}
    for row in rows:
        if known[row.artist].shown:
            found.setdefault(row.event, []).append(player_of(known[row.artist]))
    return found


async def _offers(connection: AsyncConnection, events: Sequence[Any]) -> dict[UUID, list[Offer]]:
    """What anybody may buy: invitations are not told of."""
    of, known, now = {row.id: row for row in events}, await currencies(connection), now_us()
    query = sa.select(event_price).where(event_price.c.event.in_(of), event_price.c.channel != "invitation")
    found: dict[UUID, list[Offer]] = {}
    for row in await connection.execute(query.order_by(event_price.c.position, event_price.c.id)):
        found.setdefault(row.event, []).append(_offer(row, of[row.event], known[row.currency], now))
    return found


def _offer(row: Any, of: Any, money: Currency, now: int) -> Offer:
    fr, en = (money.text(row.amount, language) if row.amount else "" for language in ("fr", "en"))
    cents = None if money.cents_per_unit is None else row.amount * money.cents_per_unit
    gone = row.quota is not None and row.held + row.sold + row.leased >= row.quota
    begun = row.sale_from_us is None or row.sale_from_us <= now
    going = begun and now < (row.sale_until_us or of.ends_at_us)
    return Offer(
        row.name_fr,
        row.name_en,
        money.code,
        row.amount,
        fr,
        en,
        cents,
        open=going and not gone and row.channel in {"any", "online"},
        sold_out=gone,
        at_door=row.channel == "till",
        from_us=row.sale_from_us,
    )
