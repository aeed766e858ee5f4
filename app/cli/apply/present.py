"""The network that is in the database now."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books.keeping import all_books
from app.cli.apply.document import (
    NETWORK_ISSUER,
    BooksEntry,
    CurrencyEntry,
    HoursEntry,
    MembershipEntry,
    NetworkEntry,
    PersonEntry,
    ProductEntry,
    VenueEntry,
)
from app.currencies.policies import policies
from app.currencies.service import currencies
from app.identity import people
from app.mutual.memberships import plans
from app.platform.clock import now_us
from app.platform.errors import Conflict, NotFound
from app.venues.hours import hours_of
from app.venues.places import place_of
from app.venues.service import Venue, products, the_network, venues


async def present(connection: AsyncConnection) -> NetworkEntry | None:
    """None when there is no network yet. Conflict when two things of one name could not be told apart in a file."""
    try:
        network = await the_network(connection)
    except NotFound:
        return None
    by_id = await venues(connection)
    return NetworkEntry(
        network.name,
        network.settings,
        await _currencies(connection, by_id),
        {it.slug: await _venue(connection, it) for it in by_id.values()},
        {
            code: MembershipEntry(it.name_fr, it.name_en, it.price_cents, it.shares_cents, it.days)
            for code, it in (await plans(connection)).items()
        },
        {
            login: PersonEntry(
                it.name,
                frozenset((grant.role.value, by_id[grant.venue].slug if grant.venue else None) for grant in it.grants),
            )
            for login, it in (await people.people(connection)).items()
        },
        {
            it.slug: BooksEntry(it.legal_name, it.siren, it.regime, it.year_starts, it.changed)
            for it in await all_books(connection)
            if it.kept
        },
    )


async def _currencies(connection: AsyncConnection, by_id: Mapping[UUID, Venue]) -> dict[str, CurrencyEntry]:
    now, versions = now_us(), await policies(connection)
    slugs = {it.owner: it.slug for it in by_id.values()} | {NETWORK_ISSUER: NETWORK_ISSUER}
    found = {}
    for code, it in (await currencies(connection)).items():
        newest = versions[code][-1]
        found[code] = CurrencyEntry(
            it.kind,
            slugs.get(it.issuer, it.issuer),
            it.name_fr,
            it.name_en,
            it.symbol,
            it.cents_per_unit,
            newest.policy,
            newest.valid_from_us if newest.valid_from_us > now else None,
        )
    return found


async def _venue(connection: AsyncConnection, it: Venue) -> VenueEntry:
    sold: dict[str, ProductEntry] = {}
    names: dict[UUID, str] = {}
    for product in await products(connection, it.id):
        if product.name_fr in sold:
            raise Conflict(f"{it.name} sells two products called {product.name_fr}: in a file, names tell them apart.")
        names[product.id] = product.name_fr
        sold[product.name_fr] = ProductEntry(
            product.name_en,
            product.category,
            product.colour,
            dict(product.prices),
            product.kind,
            product.open_price,
            product.vat,
        )
    hours: dict[str, HoursEntry] = {}
    for one in await hours_of(connection, it.id):
        if one.name in hours:
            raise Conflict(f"{it.name} has two hours called {one.name}: in a file, names tell them apart.")
        prices = {names[id_]: dict(by_code) for id_, by_code in one.prices.items() if id_ in names}
        # What is no longer sold costs nothing at any hour.
        if prices:
            hours[one.name] = HoursEntry(one.weekdays, one.begins, one.ends, prices)
    takes, place = frozenset(it.accepted), await place_of(connection, it.id)
    return VenueEntry(it.name, it.zone, it.cut_off, takes, sold, it.means, it.tips_to, it.proven_cards, hours, place)
