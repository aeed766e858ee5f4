"""Hours in which some of a venue's products cost something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.rules.prices import Window
from app.venues.tables import price_window, window_price


@dataclass(frozen=True, slots=True)
class Hours:
    """`weekdays`: 0 is Monday. `prices`: minor units by product, then by currency."""

    id: UUID
    name: str
    weekdays: frozenset[int]
    begins: time
    ends: time
    prices: Mapping[UUID, Mapping[str, int]]


async def hours_of(connection: AsyncConnection, venue: UUID) -> list[Hours]:
    """A venue's, the first that begins first: where two hold at once, it is the first that counts."""
    prices: dict[UUID, dict[UUID, dict[str, int]]] = {}
    query = sa.select(window_price).join(price_window, price_window.c.id == window_price.c.price_window)
    for row in await connection.execute(query.where(price_window.c.venue == venue)):
        prices.setdefault(row.price_window, {}).setdefault(row.product, {})[row.currency] = row.amount
    rows = await connection.execute(
        sa.select(price_window).where(price_window.c.venue == venue).order_by(price_window.c.begins, price_window.c.id)
    )
    return [
        Hours(
            row.id,
            row.name,
            frozenset(int(day) for day in row.weekdays),
            time.fromisoformat(row.begins),
            time.fromisoformat(row.ends),
            prices.get(row.id, {}),
        )
        for row in rows
    ]


async def hours_by_product(connection: AsyncConnection, venue: UUID) -> dict[UUID, tuple[Window, ...]]:
    found: dict[UUID, tuple[Window, ...]] = {}
    for it in await hours_of(connection, venue):
        for product, prices in it.prices.items():
            found[product] = (*found.get(product, ()), Window(it.weekdays, it.begins, it.ends, prices))
    return found


async def add_hours(connection: AsyncConnection, venue: UUID, new: Hours) -> None:
    await connection.execute(
        sa.insert(price_window).values(
            id=new.id,
            venue=venue,
            name=new.name,
            weekdays="".join(str(day) for day in sorted(new.weekdays)),
            begins=new.begins.isoformat("minutes"),
            ends=new.ends.isoformat("minutes"),
        )
    )
    rows = [
        {"price_window": new.id, "product": product, "currency": code, "amount": amount}
        for product, prices in new.prices.items()
        for code, amount in prices.items()
    ]
    if rows:
        await connection.execute(sa.insert(window_price), rows)


async def remove_hours(connection: AsyncConnection, venue: UUID, id_: UUID) -> None:
    """What was sold in these hours keeps the price it was sold at."""
    here = sa.select(price_window.c.id).where(price_window.c.venue == venue, price_window.c.id == id_)
    await connection.execute(sa.delete(window_price).where(window_price.c.price_window.in_(here)))
    await connection.execute(sa.delete(price_window).where(price_window.c.venue == venue, price_window.c.id == id_))
