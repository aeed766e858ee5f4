"""A network as data, the same whether it was read from a file or from the database. Amounts are minor units.

Things are known by what people call them: a currency by its code, a venue by its slug, a product by its French name, a
person by their login. Whatever order mappings have is the order in which things are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time

from app.accounting.books.chart import Account, Regime
from app.money import Unit
from app.rules.lines import ProductKind
from app.rules.policy import CurrencyKind, Policy
from app.rules.proven import Demand
from app.venues.places import Place
from app.venues.rules import NetworkSettings
from app.wire import Means

NETWORK_ISSUER = "network"
# What a venue is paid in beside cards, where its entry does not say it.
USUAL_MEANS: tuple[Means, ...] = ("cash", "bank_card")


@dataclass(frozen=True, slots=True)
class CurrencyEntry:
    """`issuer`: "network", or the slug of the venue whose own money it is. `policy`: the newest version of its rules,
    `policy_from_us`: from when they hold, if that is still to come."""

    kind: CurrencyKind
    issuer: str
    name_fr: str
    name_en: str
    symbol: str
    cents_per_unit: int | None
    policy: Policy
    policy_from_us: int | None = field(default=None, compare=False)

    @property
    def unit(self) -> Unit:
        return unit_of_kind(self.kind)


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """`prices`: by currency, above 0 whatever its kind. `open_price`: staff may type another. `vat`: basis points."""

    name_en: str
    category: str
    colour: str
    prices: Mapping[str, int]
    kind: ProductKind = "goods"
    open_price: bool = False
    vat: int | None = None


@dataclass(frozen=True, slots=True)
class HoursEntry:
    """Hours in which products cost something else. `weekdays`: 0 is Monday. `prices`: by product, then by currency."""

    weekdays: frozenset[int]
    begins: time
    ends: time
    prices: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class VenueEntry:
    """`means`: what it is paid in beside cards, in the order of MEANS. `tips_to`: the fund that tips go to; None: the
    venue's own money. `proven_cards`: whether cards must prove themselves; None: as the network says. `hours`: by name.
    """

    name: str
    zone: str
    cut_off: time
    accepts: frozenset[str]
    products: Mapping[str, ProductEntry]
    means: tuple[Means, ...] = USUAL_MEANS
    tips_to: str | None = None
    proven_cards: Demand | None = None
    hours: Mapping[str, HoursEntry] = field(default_factory=dict)
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """`roles`: as (role, slug of the venue or None for the whole network)."""

    name: str
    roles: frozenset[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class MembershipEntry:
    """`days` of membership for `price_cents`, of which `shares_cents` buy shares of the cooperative."""

    name_fr: str
    name_en: str
    price_cents: int
    shares_cents: int
    days: int


@dataclass(frozen=True, slots=True)
class BooksEntry:
    """How a set of books is kept (app.accounting.books.keeping.Books); `accounts` only where they differ."""

    legal_name: str
    siren: str
    regime: Regime
    year_starts: int
    accounts: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """`people` is None when the file does not speak of them. `books`: by "network" or a venue's slug, of those that
    somebody said how to keep."""

    name: str
    settings: NetworkSettings
    currencies: Mapping[str, CurrencyEntry]
    venues: Mapping[str, VenueEntry]
    memberships: Mapping[str, MembershipEntry] = field(default_factory=dict)
    people: Mapping[str, PersonEntry] | None = None
    books: Mapping[str, BooksEntry] = field(default_factory=dict)


def unit_of_kind(kind: str) -> Unit:
    """What one minor unit of a currency of this kind is."""
    return {"time": Unit.MINUTE, "points": Unit.POINT}.get(kind, Unit.CENT)
