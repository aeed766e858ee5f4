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

from app.identity.audit import audit
from app.platform.tables import revision
from app.rules.proven import Demand
from app.venues import hours, service
from app.venues.hours import Hours
from app.venues.service import Product, Venue
from app.wire import Means


async def held(connection: AsyncConnection) -> None:
    """Every change of prices and venues waits for this row: what is read after it still holds when it is written."""
    await connection.execute(sa.select(revision.c.value).with_for_update())


async def save(
    connection: AsyncConnection, actor: str, venue: UUID, sold: Sequence[Product], now: Product, place: int | None
) -> UUID:
    """Sell it as it is said to be `now`: what of `sold` has its id is changed, anything else is new. `place`: among
    what is sold; None: where it is, or the last. The id under which it is sold."""
    was = next((it for it in sold if it.id == now.id), None)
    id_ = now.id
    if was is None:
        id_ = await take_in(connection, venue, now)
    else:
        await change(connection, was, now)
    if was is None or place is not None:
        await put_at(connection, [it.id for it in sold], id_, place or len(sold) + 1)
    told = {"venue": str(venue), "place": place, "now": _told(now)} | ({"was": _told(was)} if was else {})
    await audit(connection, actor, "product.change" if was else "product.add", f"product:{id_}", **told)
    return id_


async def withdraw(connection: AsyncConnection, actor: str, venue: UUID, was: Product) -> None:
    """From now on the venue sells it no longer."""
    await service.change_product(connection, was, active=False)
    await audit(connection, actor, "product.withdraw", f"product:{was.id}", venue=str(venue), name=was.name_fr)


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
    await service.set_nature(connection, now.id, now.kind, open_price=now.open_price, vat=now.vat)
    for code in was.prices.keys() - now.prices.keys():
        await service.unset_price(connection, now.id, code)
    for code, amount in now.prices.items():
        if was.prices.get(code) != amount:
            await service.set_price(connection, now.id, code, amount)


async def put_at(connection: AsyncConnection, sold: Sequence[UUID], product: UUID, place: int) -> None:
    """Shows a product in this place of those that are sold; 1 is the first, beyond the last is the last."""
    others = [it for it in sold if it != product]
    await service.order_products(connection, [*others[: place - 1], product, *others[place - 1 :]])


def _told(it: Product) -> dict[str, object]:
    """As the audit log tells it."""
    return {
        "names": {"fr": it.name_fr, "en": it.name_en},
        "category": it.category,
        "colour": it.colour,
        "prices": dict(it.prices),
        "kind": it.kind,
        "open_price": it.open_price,
        "vat": it.vat,
    }


def mark(it: Product, place: int) -> str:
    """Names a product as somebody saw it; that it is sold out is the terminals' to say, at any time."""
    said = asdict(replace(it, windows=(), sold_out=False)) | {"place": place}
    return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()


async def save_hours(connection: AsyncConnection, actor: str, venue: UUID, was: Hours | None, now: Hours) -> None:
    """Hours in which products cost something else, as a whole. What is sold no longer costs nothing in them either."""
    if was is not None:
        await hours.remove_hours(connection, venue, was.id)
    await hours.add_hours(connection, venue, now)
    told = {"venue": str(venue), "now": _hours_told(now)} | ({"was": _hours_told(was)} if was else {})
    await audit(connection, actor, "hours.change" if was else "hours.add", f"hours:{now.id}", **told)


async def end_hours(connection: AsyncConnection, actor: str, venue: UUID, was: Hours) -> None:
    await hours.remove_hours(connection, venue, was.id)
    await audit(connection, actor, "hours.end", f"hours:{was.id}", venue=str(venue), was=_hours_told(was))


async def set_paid(
    connection: AsyncConnection,
    actor: str,
    was: Venue,
    means: Sequence[Means],
    tips_to: str | None,
    proven_cards: Demand | None,
) -> None:
    """What the venue is paid in beside cards, where its tips go, and which cards it takes."""
    await service.set_paid(connection, was.id, means, tips_to, proven_cards)
    now = {"means": list(means), "tips_to": tips_to, "proven_cards": proven_cards}
    before = {"means": list(was.means), "tips_to": was.tips_to, "proven_cards": was.proven_cards}
    await audit(connection, actor, "venue.paid", f"venue:{was.id}", venue=str(was.id), was=before, now=now)


def mark_hours(it: Hours) -> str:
    """Names hours as somebody saw them."""
    return hashlib.sha256(json.dumps(_hours_told(it), sort_keys=True).encode()).hexdigest()


def mark_paid(it: Venue) -> str:
    """Names how a venue is paid as somebody saw it."""
    return hashlib.sha256(json.dumps([it.means, it.tips_to, it.proven_cards]).encode()).hexdigest()


def _hours_told(it: Hours) -> dict[str, object]:
    """As the audit log tells them."""
    return {
        "name": it.name,
        "weekdays": sorted(it.weekdays),
        "begins": it.begins.isoformat("minutes"),
        "ends": it.ends.isoformat("minutes"),
        "prices": {str(product): dict(prices) for product, prices in it.prices.items()},
    }
