"""A business day's sales of several venues, each by its own clock: from the ledger, and from the tills' records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.dashboards.rules.sold import Details, Happened, Sold, hour_of, sold
from app.ledger.figures.dailies import last_sold
from app.ledger.service import Ledger
from app.ledger.sold import SaleBooked, sales_of
from app.rules.business_day import local_time
from app.sales.records import OffCard, last_off_card, off_card_of
from app.venues.service import Venue

_DECODER = msgspec.json.Decoder(Details)


@dataclass(frozen=True, slots=True)
class DaySold:
    """`days`: the business day of each venue. `happened`: what `sold` is the sum of."""

    days: Mapping[UUID, date]
    happened: Sequence[Happened]
    sold: Sold


def days_of(venues: Iterable[Venue], now: int, day: date | None, back: timedelta = timedelta(0)) -> dict[UUID, date]:
    """`day` at every venue; None: the day that it is there now. `back`: so much before."""
    return {it.id: (it.day_of(now) if day is None else day) - back for it in venues}


async def sold_on(ledger: Ledger, venues: Mapping[UUID, Venue], days: Mapping[UUID, date]) -> DaySold:
    """What was sold at `venues` on the day of each."""
    read: list[tuple[date, Sequence[SaleBooked | OffCard]]] = []
    async with ledger.reader.connect() as connection:
        for day in sorted(set(days.values())):
            at = [id_ for id_, its in days.items() if its == day]
            read.append((day, await sales_of(connection, at, day)))
            read.append((day, await off_card_of(connection, at, day)))

    def add_up() -> DaySold:
        happened = [it for day, rows in read for it in _happened(rows, venues, day)]
        return DaySold(days, happened, sold(happened))

    # A large network's evening takes a while to add up, and sales do not wait for it.
    return await asyncio.to_thread(add_up)


async def last_time(ledger: Ledger, venues: Mapping[UUID, Venue], before: date) -> date | None:
    """The last business day before this one on which something was sold at one of `venues`."""
    by_card = await last_sold(ledger.reader, list(venues), before)
    async with ledger.reader.connect() as connection:
        other = await last_off_card(connection, list(venues), before)
    return max((it for it in (by_card, other) if it is not None), default=None)


def up_to_this_time(of: DaySold, venues: Mapping[UUID, Venue], today: Mapping[UUID, date], now: int) -> Sold:
    """What had been sold on an earlier day when the clock on each venue's wall was where it is now."""
    until: dict[UUID, int] = {}
    for id_, it in venues.items():
        then = local_time(now, it.zone).replace(tzinfo=None) - (today[id_] - of.days[id_])
        until[id_] = int(then.replace(tzinfo=ZoneInfo(it.zone)).timestamp()) * 1_000_000
    return sold(it for it in of.happened if it.at_us <= until[it.venue])


async def sold_since(ledger: Ledger, venues: Mapping[UUID, Venue], since_us: int, now: int) -> list[tuple[UUID, int]]:
    """(terminal, when by its clock) of each sale after an instant; of the business days of then and of now."""
    days: dict[date, set[UUID]] = {}
    for at_us in (since_us, now):
        for id_, day in days_of(venues.values(), at_us, None).items():
            days.setdefault(day, set()).add(id_)
    found: list[tuple[UUID, int]] = []
    async with ledger.reader.connect() as connection:
        for day, at in days.items():
            booked = await sales_of(connection, at, day, since_us)
            kept = await off_card_of(connection, at, day, since_us)
            found += [(it.terminal, it.occurred_at_us) for it in booked if it.undoes is None and it.terminal]
            found += [(it.terminal, it.occurred_at_us) for it in kept if it.undoes is None]
    return found


def _happened(rows: Iterable[SaleBooked | OffCard], venues: Mapping[UUID, Venue], day: date) -> Iterator[Happened]:
    # What takes a sale back stands after it.
    for row in sorted(rows, key=lambda it: it.undoes is not None):
        at = venues[row.venue]
        hour = hour_of(row.occurred_at_us, day, at.zone, at.cut_off)
        yield Happened(row.id, row.venue, hour, _DECODER.decode(row.details), row.undoes, row.occurred_at_us)
