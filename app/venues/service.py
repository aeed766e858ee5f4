"""The network and its venues: who they are, when their day ends, what they sell, accept and charge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, NotFound
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.lines import ProductKind
from app.rules.prices import Article, Window
from app.rules.proven import Demand
from app.venues.hours import hours_by_product
from app.venues.rules import NetworkSettings
from app.venues.tables import network, price, product, venue, venue_currency
from app.wire import Means

# What a venue may be paid in beside cards, in the order in which it is shown.
MEANS: Final[tuple[Means, ...]] = ("cash", "bank_card", "cheque", "meal_voucher")


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    settings: NetworkSettings


@dataclass(frozen=True, slots=True)
class Venue:
    """`cut_off`: when its business day ends, on the wall clock of `zone`. `accepted`: currency codes, in order.

    `means`: what it is paid in beside cards, in order. `tips_to`: the fund that tips go to; None: its own claim.
    `proven_cards`: whether cards must prove themselves here, beyond what the network demands; None: as there.
    """

    id: UUID
    slug: str
    name: str
    zone: str
    cut_off: time
    accepted: tuple[str, ...]
    means: tuple[Means, ...] = ("cash", "bank_card")
    tips_to: str | None = None
    proven_cards: Demand | None = None

    @property
    def owner(self) -> str:
        """Its name in the ledger's accounts."""
        return f"venue:{self.id}"

    def day_of(self, at_us: int) -> date:
        return business_day(at_us, self.zone, self.cut_off)


@dataclass(frozen=True, slots=True)
class Product:
    """`prices`: minor units by currency, above 0 whatever its kind. `open_price`: staff may type another. `vat`: the
    rate that its prices hold, in basis points (550 is 5.5 %); None where nobody said one."""

    id: UUID
    name_fr: str
    name_en: str
    category: str
    colour: str
    prices: Mapping[str, int]
    kind: ProductKind = "goods"
    open_price: bool = False
    sold_out: bool = False
    windows: tuple[Window, ...] = ()
    vat: int | None = None

    @property
    def article(self) -> Article:
        return Article(self.kind, self.prices, self.open_price, self.windows)


async def the_network(connection: AsyncConnection) -> Network:
    row = (await connection.execute(sa.select(network))).one_or_none()
    if row is None:
        raise NotFound("This server has no network yet: an administrator sets one up first.")
    return Network(row.name, NetworkSettings.read(row.settings))


async def set_network(connection: AsyncConnection, name: str, settings: NetworkSettings) -> None:
    await connection.execute(sa.delete(network))
    await connection.execute(sa.insert(network).values(id=1, name=name, settings=settings.write()))


async def change_settings(connection: AsyncConnection, was: NetworkSettings, now: NetworkSettings) -> None:
    """Raises Conflict where they are not, or no longer, as they `was`."""
    row = (await connection.execute(sa.select(network.c.settings).with_for_update())).one()
    if NetworkSettings.read(row.settings) != was:
        raise Conflict("The network's settings have changed meanwhile: look at them again.")
    await connection.execute(sa.update(network).values(settings=now.write()))


async def venues(connection: AsyncConnection) -> dict[UUID, Venue]:
    """All venues, in the order in which they are shown."""
    accepted: dict[UUID, list[str]] = {}
    for row in await connection.execute(sa.select(venue_currency).order_by(venue_currency.c.currency)):
        accepted.setdefault(row.venue, []).append(row.currency)
    rows = await connection.execute(sa.select(venue).order_by(venue.c.position, venue.c.name))
    return {
        row.id: Venue(
            row.id,
            row.slug,
            row.name,
            row.zone,
            time.fromisoformat(row.cut_off),
            tuple(accepted.get(row.id, ())),
            tuple(it for it in MEANS if it in row.means.split(",")),
            row.tips_to,
            row.proven_cards,
        )
        for row in rows
    }


async def venue_named(connection: AsyncConnection, id_: UUID) -> Venue:
    found = (await venues(connection)).get(id_)
    if found is None:
        raise NotFound("This venue is not in the network.")
    return found


async def add_venue(
    connection: AsyncConnection, slug: str, name: str, zone: str, cut_off: time, accepted: tuple[str, ...]
) -> UUID:
    id_ = uuid7()
    count = (await connection.execute(sa.select(sa.func.count()).select_from(venue))).scalar_one()
    values = {"slug": slug, "name": name, "zone": zone, "cut_off": cut_off.isoformat("minutes")}
    await connection.execute(sa.insert(venue).values(id=id_, position=count + 1, created_at_us=now_us(), **values))
    for code in accepted:
        await connection.execute(sa.insert(venue_currency).values(venue=id_, currency=code))
    return id_


async def change_venue(connection: AsyncConnection, id_: UUID, name: str, zone: str, cut_off: time) -> None:
    values = {"name": name, "zone": zone, "cut_off": cut_off.isoformat("minutes")}
    await connection.execute(sa.update(venue).where(venue.c.id == id_).values(values))


async def set_accepted(connection: AsyncConnection, id_: UUID, codes: Collection[str]) -> None:
    """From now on the venue takes these currencies and no others; what it has taken stays its claim."""
    here = venue_currency.c.venue == id_
    rows = await connection.execute(sa.select(venue_currency.c.currency).where(here))
    known = set(rows.scalars())
    gone = sorted(known - set(codes))
    await connection.execute(sa.delete(venue_currency).where(here, venue_currency.c.currency.in_(gone)))
    for code in sorted(set(codes) - known):
        await connection.execute(sa.insert(venue_currency).values(venue=id_, currency=code))


async def order_venues(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Show these first, in this order; the others after them, as they stood."""
    rest = [it for it in await venues(connection) if it not in set(ids)]
    for position, id_ in enumerate((*ids, *rest), 1):
        await connection.execute(sa.update(venue).where(venue.c.id == id_).values(position=position))


async def add_product(connection: AsyncConnection, venue_id: UUID, new: Product) -> None:
    count = sa.select(sa.func.count()).where(product.c.venue == venue_id).scalar_subquery()
    await connection.execute(
        sa.insert(product).values(
            id=new.id,
            venue=venue_id,
            name_fr=new.name_fr,
            name_en=new.name_en,
            category=new.category,
            colour=new.colour,
            position=count,
            active=True,
            kind=new.kind,
            open_price=new.open_price,
            vat=new.vat,
        )
    )
    for code, amount in new.prices.items():
        await connection.execute(sa.insert(price).values(product=new.id, currency=code, amount=amount))


async def set_price(connection: AsyncConnection, product_id: UUID, code: str, amount: int) -> None:
    """A new price of a product in one currency; what was sold before keeps the price it was sold at."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    # One statement, so that two who set it at once wait for each other and not in a ring.
    new = insert(price).values(product=product_id, currency=code, amount=amount)
    keys = [price.c.product, price.c.currency]
    await connection.execute(new.on_conflict_do_update(index_elements=keys, set_={"amount": amount}))


async def unset_price(connection: AsyncConnection, product_id: UUID, code: str) -> None:
    """The product is no longer sold for this currency."""
    await connection.execute(sa.delete(price).where(price.c.product == product_id, price.c.currency == code))


async def change_product(connection: AsyncConnection, new: Product, *, active: bool = True) -> None:
    """Everything of a product but its prices; `active`: whether it is sold. What was sold before keeps its name."""
    values = {"name_fr": new.name_fr, "name_en": new.name_en, "category": new.category, "colour": new.colour}
    await connection.execute(sa.update(product).where(product.c.id == new.id).values(**values, active=active))


async def set_nature(
    connection: AsyncConnection, product_id: UUID, kind: ProductKind, *, open_price: bool, vat: int | None
) -> None:
    """What a product is: goods, a deposit, or what is brought back; whether staff may type its price; its VAT."""
    values = {"kind": kind, "open_price": open_price, "vat": vat}
    await connection.execute(sa.update(product).where(product.c.id == product_id).values(values))


async def set_sold_out(
    connection: AsyncConnection, venue_id: UUID, product_id: UUID, at_us: int, *, sold_out: bool
) -> bool:
    """Whether there is such a product. What was said at a later time, at another terminal, stays."""
    here = (product.c.id == product_id, product.c.venue == venue_id)
    values = {"sold_out": sold_out, "sold_out_at_us": at_us}
    await connection.execute(sa.update(product).where(*here, product.c.sold_out_at_us <= at_us).values(values))
    return (await connection.execute(sa.select(product.c.id).where(*here))).one_or_none() is not None


async def set_paid(
    connection: AsyncConnection, id_: UUID, means: Sequence[Means], tips_to: str | None, proven_cards: Demand | None
) -> None:
    """What a venue is paid in beside cards, where its tips go, and which cards it takes."""
    values = {"means": ",".join(means), "tips_to": tips_to, "proven_cards": proven_cards}
    await connection.execute(sa.update(venue).where(venue.c.id == id_).values(values))


async def order_products(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    for position, id_ in enumerate(ids):
        await connection.execute(sa.update(product).where(product.c.id == id_).values(position=position))


async def products(connection: AsyncConnection, venue_id: UUID, *, active: bool = True) -> list[Product]:
    """What a venue sells now, in the order of its screen; or, if not `active`, what it no longer sells."""
    prices: dict[UUID, dict[str, int]] = {}
    query = sa.select(price).join(product, product.c.id == price.c.product).where(product.c.venue == venue_id)
    for row in await connection.execute(query):
        prices.setdefault(row.product, {})[row.currency] = row.amount
    hours = await hours_by_product(connection, venue_id)
    rows = await connection.execute(
        sa.select(product)
        .where(product.c.venue == venue_id, product.c.active.is_(active))
        .order_by(product.c.position, product.c.id)
    )
    return [
        Product(
            row.id,
            row.name_fr,
            row.name_en,
            row.category,
            row.colour,
            prices.get(row.id, {}),
            row.kind,
            row.open_price,
            row.sold_out,
            hours.get(row.id, ()),
            row.vat,
        )
        for row in rows
    ]
