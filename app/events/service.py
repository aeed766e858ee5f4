"""Events and their prices, read and changed. Places are taken in app/events/orders.py.

What a venue decides about its event is written down in the audit log; the counters of places are never set here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.artists.rules import slug_of
from app.events.rules import Event, Price, Status, check, check_price
from app.events.tables import event, event_artist, event_price, ticket_order_line
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.venues.service import venue_named

_OWN: Final = tuple(event.c[name] for name in Event.__dataclass_fields__ if name not in {"artists", "prices"})
_PRICE: Final = tuple(event_price.c[name] for name in Price.__dataclass_fields__)
# What whoever manages an event may set; its status has acts of its own, and the counters are nobody's to set.
_SET: Final = (
    "venue",
    "title_fr",
    "title_en",
    "summary_fr",
    "summary_en",
    "doors_at_us",
    "starts_at_us",
    "ends_at_us",
    "capacity",
    "series",
    "refund_until_us",
    "refund_fee",
)
# So many at once may come to want one address.
_ADDRESSES_MAX: Final = 8
# With the day behind it, an address is not longer than one may be.
_TITLE_IN_ADDRESS: Final = 49
_PRICE_SET: Final = tuple(
    name for name in Price.__dataclass_fields__ if name not in {"id", "held", "sold", "leased", "position", "waiting"}
)


async def events(
    connection: AsyncConnection,
    *,
    ids: Collection[UUID] | None = None,
    venue: UUID | None = None,
    statuses: Collection[Status] = ("draft", "published", "cancelled"),
    ends_after_us: int | None = None,
    limit: int | None = None,
) -> dict[UUID, Event]:
    """Those that fit, the earliest first, with their prices and artists."""
    query = sa.select(*_OWN).where(event.c.status.in_(list(statuses)))
    if ids is not None:
        query = query.where(event.c.id.in_(list(ids)))
    if venue is not None:
        query = query.where(event.c.venue == venue)
    if ends_after_us is not None:
        query = query.where(event.c.ends_at_us > ends_after_us)
    rows = (await connection.execute(query.order_by(event.c.starts_at_us, event.c.id).limit(limit))).all()
    found = [row.id for row in rows]
    prices: dict[UUID, list[Price]] = {}
    asked = sa.select(event_price.c.event, *_PRICE).where(event_price.c.event.in_(found))
    for whose, *seen in await connection.execute(asked.order_by(event_price.c.position, event_price.c.id)):
        prices.setdefault(whose, []).append(Price(*seen))
    playing: dict[UUID, list[UUID]] = {}
    asked = sa.select(event_artist.c.event, event_artist.c.artist).where(event_artist.c.event.in_(found))
    for whose, artist in await connection.execute(asked.order_by(event_artist.c.position)):
        playing.setdefault(whose, []).append(artist)
    return {
        row.id: Event(**row._mapping, artists=tuple(playing.get(row.id, ())), prices=tuple(prices.get(row.id, ())))
        for row in rows
    }


async def event_named(connection: AsyncConnection, id_: UUID) -> Event:
    found = (await events(connection, ids=[id_])).get(id_)
    if found is None:
        raise NotFound("There is no such event.")
    return found


async def event_at(connection: AsyncConnection, slug: str) -> Event:
    """What the public finds under this address: a draft is not there yet. NotFound."""
    named = sa.select(event.c.id).where(event.c.slug == slug, event.c.status != "draft")
    id_ = (await connection.execute(named)).scalar_one_or_none()
    if id_ is None:
        raise NotFound("There is no such event.")
    return await event_named(connection, id_)


async def create(connection: AsyncConnection, actor: str, new: Event) -> Event:
    """A draft, with an address made of its title, and of its day where that one is taken: `new.slug`, `status` and the
    counters are not looked at. Its prices are added with `set_price`. Conflict: the id is taken; Invalid: as `check`.
    """
    check(new)
    there = (await connection.execute(sa.select(event.c.id).where(event.c.id == new.id))).one_or_none()
    if there is not None:
        raise Conflict("There is an event of this id already.")
    now = now_us()
    row = {name: getattr(new, name) for name in _SET} | {"id": new.id, "status": "draft"}
    row |= {"created_at_us": now, "changed_at_us": now}
    for _ in range(_ADDRESSES_MAX):
        try:
            async with connection.begin_nested():
                await connection.execute(sa.insert(event).values(**row, slug=await _address(connection, new)))
            break
        except IntegrityError:
            # Somebody gave the same address, or the same id, to another at this moment.
            continue
    else:
        raise Conflict("There is an event of this id already.")
    await _set_artists(connection, new.id, new.artists)
    await audit(connection, actor, "event.create", f"event:{new.id}", venue=new.venue, title=new.title_fr)
    return await event_named(connection, new.id)


async def edit(connection: AsyncConnection, actor: str, now: Event) -> Event:
    """As it is given; its address stays, for others have linked to it, and so does its venue, whose claim holds what
    was paid. Conflict: it was cancelled, or more places are taken than its capacity would be."""
    before = await _held(connection, now.id)
    if before.status == "cancelled":
        raise Conflict("This event was cancelled: it can no longer be changed.")
    if before.venue != now.venue:
        raise Conflict("An event stays at its venue: what was paid for it is there.")
    taken = before.held + before.sold + before.leased
    if now.capacity < taken:
        raise Conflict(
            f"{taken} places are taken already: the capacity cannot be lower.", "capacity-taken", taken=taken
        )
    row = {name: getattr(now, name) for name in _SET}
    await connection.execute(sa.update(event).where(event.c.id == now.id).values(**row, changed_at_us=now_us()))
    await _set_artists(connection, now.id, now.artists)
    await audit(connection, actor, "event.edit", f"event:{now.id}", title=now.title_fr, capacity=now.capacity)
    return await event_named(connection, now.id)


async def publish(connection: AsyncConnection, actor: str, id_: UUID) -> None:
    """From now on everybody sees it and its prices are sold; without any, it is in the programme and nobody needs a
    ticket. Twice is once. Conflict: it was cancelled, or is over."""
    before = await _held(connection, id_)
    if before.status == "cancelled":
        raise Conflict("This event was cancelled: it can no longer be published.")
    if before.status == "draft":
        if before.ends_at_us <= now_us():
            raise Conflict("This event is over: it can no longer be published.")
        await _set_status(connection, id_, "published")
        await audit(connection, actor, "event.publish", f"event:{id_}", title=before.title_fr)


async def cancel(connection: AsyncConnection, actor: str, id_: UUID) -> None:
    """Nothing more is sold, and everybody sees that it does not take place. Twice is once. What was paid goes back in a
    run of its own."""
    before = await _held(connection, id_)
    if before.status != "cancelled":
        await _set_status(connection, id_, "cancelled")
        await audit(connection, actor, "event.cancel", f"event:{id_}", title=before.title_fr, sold=before.sold)


async def set_price(connection: AsyncConnection, actor: str, of: UUID, now: Price) -> None:
    """A price as it is given, new or changed; what was ordered before keeps what it cost. Conflict: the event was
    cancelled, more places are taken than its quota would be, or places were ordered in another currency.
    Invalid("currency-not-accepted"), and as `check_price`."""
    check_price(now)
    before = await _open(connection, of)
    known = before.price(now.id)
    if known is None or now.currency != known.currency:
        at = await venue_named(connection, before.venue)
        if now.currency not in at.accepted:
            raise Invalid(f"{at.name} does not accept {now.currency}.", "currency-not-accepted", field="currency")
    row = {name: getattr(now, name) for name in _PRICE_SET}
    if known is None:
        position = 1 + max((it.position for it in before.prices), default=0)
        await connection.execute(sa.insert(event_price).values(**row, id=now.id, event=of, position=position))
    else:
        taken = known.held + known.sold + known.leased
        if now.quota is not None and now.quota < taken:
            raise Conflict(f"{taken} places are taken at this price already.", "capacity-taken", taken=taken)
        if now.currency != known.currency and await _was_ordered(connection, now.id):
            raise Conflict("Places were ordered in another currency: add another price instead.")
        await connection.execute(sa.update(event_price).where(event_price.c.id == now.id).values(row))
    await audit(
        connection, actor, "event.price", f"event:{of}", name=now.name_fr, currency=now.currency, amount=now.amount
    )


async def remove_price(connection: AsyncConnection, actor: str, of: UUID, id_: UUID) -> None:
    """Twice is once. Conflict: somebody ordered at it (its sale may end instead), or the event was cancelled."""
    known = (await _open(connection, of)).price(id_)
    if known is None:
        return
    if await _was_ordered(connection, id_):
        raise Conflict("Places were ordered at this price: end its sale instead.")
    try:
        await connection.execute(sa.delete(event_price).where(event_price.c.id == id_))
    except sa.exc.IntegrityError:
        raise Conflict("A pass counts its places at this price: end its sale instead.") from None
    await audit(connection, actor, "event.price-removed", f"event:{of}", name=known.name_fr)


async def _held(connection: AsyncConnection, id_: UUID) -> Event:
    """As it is until the end of this transaction."""
    await connection.execute(sa.select(event.c.id).where(event.c.id == id_).with_for_update())
    return await event_named(connection, id_)


async def _open(connection: AsyncConnection, id_: UUID) -> Event:
    """The same, of one whose prices may be changed: of a cancelled one, they say what was paid."""
    found = await _held(connection, id_)
    if found.status == "cancelled":
        raise Conflict("This event was cancelled: its prices can no longer be changed.")
    return found


async def _address(connection: AsyncConnection, new: Event) -> str:
    taken = set((await connection.execute(sa.select(event.c.slug))).scalars())
    if (plain := slug_of(new.title_fr)) not in taken:
        return plain
    zone = (await venue_named(connection, new.venue)).zone
    day = datetime.fromtimestamp(new.starts_at_us / 1_000_000, ZoneInfo(zone)).date()
    return slug_of(f"{plain[:_TITLE_IN_ADDRESS]} {day.isoformat()}", taken)


async def _set_status(connection: AsyncConnection, id_: UUID, status: Status) -> None:
    await connection.execute(sa.update(event).where(event.c.id == id_).values(status=status, changed_at_us=now_us()))


async def _set_artists(connection: AsyncConnection, id_: UUID, artists: Collection[UUID]) -> None:
    await connection.execute(sa.delete(event_artist).where(event_artist.c.event == id_))
    for position, artist in enumerate(dict.fromkeys(artists)):
        await connection.execute(sa.insert(event_artist).values(event=id_, artist=artist, position=position))


async def _was_ordered(connection: AsyncConnection, price: UUID) -> bool:
    asked = sa.select(ticket_order_line.c.price).where(ticket_order_line.c.price == price).limit(1)
    return (await connection.execute(asked)).one_or_none() is not None
