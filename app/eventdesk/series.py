"""Dates of one series: made as drafts with the same prices, changed and published together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from app.eventdesk.dates import local, moved
from app.events import service
from app.events.rules import Event, Price
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.ids import derived


async def of_series(connection: AsyncConnection, it: Event) -> list[Event]:
    """Every date of the event's series, the earliest first; the event alone where it has none."""
    if it.series is None:
        return [it]
    return [one for one in (await service.events(connection, venue=it.venue)).values() if one.series == it.series]


async def repeat(connection: AsyncConnection, actor: str, it: Event, zone: str, days: Collection[date]) -> list[Event]:
    """Drafts on these days, at the same times and prices. A day that the series has is left out, so the same asked
    twice makes them once."""
    series = it.series or derived("series", it.id)
    if it.series is None:
        it = await service.edit(connection, actor, replace(it, series=series))
    there = {local(one.starts_at_us, zone).date() for one in await of_series(connection, it)}
    made = []
    for day in sorted(set(days) - there):
        new = replace(moved(it, zone, day, derived("date", series, day.isoformat())), series=series)
        made.append(await service.create(connection, actor, new))
        for price in it.prices:
            await service.set_price(connection, actor, new.id, _on(price, it, new))
    return made


async def price_all(connection: AsyncConnection, actor: str, it: Event, now: Price, dates: Collection[Event]) -> None:
    """A price as it is now, also on the coming dates: on those that have one of its name before, in its place."""
    before = it.price(now.id)
    for one in coming(dates, it):
        same = next((price for price in one.prices if before and price.name_fr == before.name_fr), None)
        new = _on(now, it, one)
        await service.set_price(connection, actor, one.id, replace(new, id=same.id) if same else new)


def _on(price: Price, at: Event, other: Event) -> Price:
    """The price of one date on another: its sale begins as this one, and ends as long before the event."""
    by = other.starts_at_us - at.starts_at_us
    until = None if price.sale_until_us is None else price.sale_until_us + by
    return replace(price, id=derived("price", other.id, price.id), sale_until_us=until)


async def edit_all(
    connection: AsyncConnection, actor: str, before: Event, now: Event, zone: str, others: Sequence[Event]
) -> None:
    """The event as it is given, and the others of its series with its words, artists, places and times of day, each on
    its own day. All or none. Conflict("capacity-taken"), with `at_us` of the date that has more places taken."""
    await service.edit(connection, actor, now)
    by = local(now.starts_at_us, zone).date() - local(before.starts_at_us, zone).date()
    for one in others:
        day = local(one.starts_at_us, zone).date() + by
        same = moved(now, zone, day, one.id)
        try:
            await service.edit(connection, actor, replace(same, series=one.series))
        except Conflict as error:
            raise Conflict(str(error), error.code, **{**error.extra, "at_us": one.starts_at_us}) from None


async def publish_all(connection: AsyncConnection, actor: str, dates: Collection[Event]) -> None:
    """Those that are drafts and not over."""
    for one in dates:
        if one.status == "draft" and one.ends_at_us > now_us():
            await service.publish(connection, actor, one.id)


def coming(dates: Collection[Event], than: Event) -> list[Event]:
    """Those after this one that may still be changed."""
    now = now_us()
    return [
        one
        for one in dates
        if one.id != than.id
        and one.starts_at_us >= than.starts_at_us
        and one.ends_at_us > now
        and one.status != "cancelled"
    ]
