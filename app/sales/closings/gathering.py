"""Closings of a venue: its day gathers what its tills closed, its month the days, its year the months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.rules.drawer import Closed
from app.rules.ids import uuid7
from app.rules.takings import ByCurrency, Figures
from app.sales.closings import store
from app.sales.closings.document import GATHERED_BY, ClosingDocument, Gathered, PeriodKind
from app.sales.closings.store import Sealed
from app.venues.service import Network, Venue


def first_day(day: date, period: PeriodKind) -> date:
    """The first day of the period that a day lies in."""
    if period == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if period == "year" else day


async def close_due(
    connection: AsyncConnection, key: Ed25519PrivateKey, network: Network, venue: Venue, today: date
) -> list[UUID]:
    """Close every day, month and year of a venue that is over by `today`; the new closings' ids, in order.

    What comes in later, from a terminal that was offline, is closed later: as a further closing of its own day.
    """
    await store.lock(connection)
    made: list[UUID] = []
    for part, whole in GATHERED_BY.items():
        found = [(first_day(it.document.day, whole), it) for it in await store.ungathered(connection, venue.id, part)]
        over = [it for it in found if it[0] < first_day(today, whole)]
        for day, parts in groupby(over, itemgetter(0)):
            gathered = [it for _, it in parts]
            made.append(await _gather(connection, key, network, venue, whole, day, gathered))
    return made


async def close_day_now(
    connection: AsyncConnection, key: Ed25519PrivateKey, network: Network, venue: Venue, today: date
) -> UUID | None:
    """Close what the tills closed up to now as `today`'s; None when there is nothing to gather."""
    await close_due(connection, key, network, venue, today)
    parts = await store.ungathered(connection, venue.id, "session")
    return await _gather(connection, key, network, venue, "day", today, parts) if parts else None


async def _gather(
    connection: AsyncConnection,
    key: Ed25519PrivateKey,
    network: Network,
    venue: Venue,
    period: PeriodKind,
    day: date,
    parts: Sequence[Sealed],
) -> UUID:
    last = await store.newest(connection, venue.id, period)
    before = last.document.after if last else Closed()
    figures = summed([it.document for it in parts])
    this_year = [it.document.figures for it in await store.of_year(connection, venue.id, period, day.year)]
    document = ClosingDocument(
        id=uuid7(),
        network=network.name,
        period=period,
        subject=venue.id,
        name=venue.name,
        venue=venue.id,
        venue_name=venue.name,
        zone=venue.zone,
        number=before.number + 1,
        day=day,
        opened_at_us=min((it.document.opened_at_us or it.document.made_at_us for it in parts), default=None),
        made_at_us=now_us(),
        before=before,
        after=before.after(figures),
        figures=figures,
        so_far=sold_so_far([*this_year, figures]),
        parts=tuple(
            Gathered(id=it.document.id, number=it.document.number, name=it.document.name, digest=it.digest.hex())
            for it in parts
        ),
    )
    await store.seal(connection, key, document, [it.document.id for it in parts])
    return document.id


def summed(parts: Sequence[ClosingDocument]) -> Figures:
    """The figures of several tills together; numbers of sales are each till's own, and so are left out."""
    figures = reduce(Figures.plus, (it.figures for it in parts), Figures())
    figures.first = figures.last = None
    return figures


def sold_so_far(parts: Sequence[Figures]) -> ByCurrency:
    return reduce(Figures.plus, parts, Figures()).total
