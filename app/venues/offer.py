"""Changes of what a venue sells, each as a whole: by its page, and by the network's file. The caller holds the
transaction, and has called `held` before it read what it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.tables import revision
from app.venues import service
from app.venues.service import Product


async def held(connection: AsyncConnection) -> None:
    """Every change of prices and venues waits for this row: what is read after it still holds when it is written."""
    await connection.execute(sa.select(revision.c.value).with_for_update())


async def take_in(connection: AsyncConnection, venue: UUID, new: Product) -> UUID:
    """From now on the venue sells it. What was sold under this name before is the same product again: its history
    goes on, and so does its id, which is returned."""
    retired = {old.name_fr: old for old in await service.products(connection, venue, active=False)}
    if new.name_fr not in retired:
        await service.add_product(connection, venue, new)
        return new.id
    was = retired[new.name_fr]
    await change(connection, was, replace(new, id=was.id))
    return was.id


async def change(connection: AsyncConnection, was: Product, now: Product) -> None:
    """Everything of a product, and that it is sold; what was sold before keeps its name and its price."""
    await service.change_product(connection, now)
    await service.set_nature(connection, now.id, now.kind, open_price=now.open_price)
    for code in was.prices.keys() - now.prices.keys():
        await service.unset_price(connection, now.id, code)
    for code, amount in now.prices.items():
        if was.prices.get(code) != amount:
            await service.set_price(connection, now.id, code, amount)


async def put_at(connection: AsyncConnection, sold: Sequence[UUID], product: UUID, place: int) -> None:
    """Shows a product in this place of those that are sold; 1 is the first, beyond the last is the last."""
    others = [it for it in sold if it != product]
    await service.order_products(connection, [*others[: place - 1], product, *others[place - 1 :]])


def mark(it: Product, place: int) -> str:
    """Names a product as somebody saw it; that it is sold out is the terminals' to say, at any time."""
    said = asdict(replace(it, windows=(), sold_out=False)) | {"place": place}
    return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()
