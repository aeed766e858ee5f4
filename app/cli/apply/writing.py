"""A network as the text of a file that `read_network_file` reads back as the same network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from app.cli.apply.document import (
    NETWORK_ISSUER,
    USUAL_MEANS,
    BooksEntry,
    CurrencyEntry,
    HoursEntry,
    NetworkEntry,
    ProductEntry,
    VenueEntry,
)
from app.cli.apply.policy_words import write_words
from app.cli.apply.settings_words import write_settings
from app.cli.apply.words import DAYS, write_amount, write_rate
from app.money import Unit
from app.venues.opening import written
from app.venues.places import Place
from app.venues.rules import FeeTier

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEADER = "# Written by `comptoir export`. Change it and run `comptoir apply` on it: only the changes are applied.\n"


def write_network_file(network: NetworkEntry) -> str:
    units = {code: it.unit for code, it in network.currencies.items()}
    settings = write_settings(network.settings, units)
    document: dict[str, Any] = {
        "name": network.name,
        "zone": network.settings.zone,
        **({"settings": settings} if settings else {}),
        "currencies": {code: _currency(it, network.settings.zone) for code, it in network.currencies.items()},
        **_named("fee_tiers", {name: _tier(it) for name, it in network.settings.fee_tiers.items()}),
        **_named(
            "memberships",
            {
                code: {
                    "names": {"fr": it.name_fr, "en": it.name_en},
                    "price": write_amount(it.price_cents, Unit.CENT),
                    "shares": write_amount(it.shares_cents, Unit.CENT),
                    "days": it.days,
                }
                for code, it in network.memberships.items()
            },
        ),
        "venues": {
            slug: _venue(it, network.settings.venue_tiers.get(slug), units) for slug, it in network.venues.items()
        },
    }
    if network.books:
        document["books"] = {slug: _books(it) for slug, it in network.books.items()}
    if network.people is not None:
        document["people"] = {
            login: {
                "name": it.name,
                "roles": sorted(role if venue is None else f"{role}@{venue}" for role, venue in it.roles),
            }
            for login, it in network.people.items()
        }
    # Without a limit on the width a text is never broken, which would turn its spaces into line ends and back.
    return HEADER + yaml.safe_dump(
        document, allow_unicode=True, sort_keys=False, default_flow_style=None, width=float("inf")
    )


def _books(it: BooksEntry) -> dict[str, Any]:
    accounts = {key: [one.number, one.name] for key, one in it.accounts.items()}
    return {
        "legal_name": it.legal_name,
        **_named("siren", it.siren),
        "regime": it.regime,
        "year_starts": it.year_starts,
        **_named("accounts", accounts),
    }


def _named(name: str, entries: dict[str, Any] | str) -> dict[str, Any]:
    return {name: entries} if entries else {}


def _currency(it: CurrencyEntry, zone: str) -> dict[str, Any]:
    words: dict[str, Any] = {"kind": it.kind}
    if it.issuer != NETWORK_ISSUER:
        words["issuer"] = it.issuer
    words |= {"names": {"fr": it.name_fr, "en": it.name_en}, "symbol": it.symbol}
    if it.cents_per_unit is not None:
        words["cents_per_unit"] = it.cents_per_unit
    if policy := write_words(it.policy, it.kind, it.unit):
        words["policy"] = policy
    if it.policy_from_us is not None:
        begins = (_EPOCH + timedelta(microseconds=it.policy_from_us)).astimezone(ZoneInfo(zone))
        words["policy_from"] = begins.date().isoformat() if begins.time() == time() else begins.isoformat()
    return words


def _tier(it: FeeTier) -> dict[str, str]:
    return {
        "rate": write_rate(it.basis_points),
        "minimum": write_amount(it.minimum_cents, Unit.CENT),
        "maximum": write_amount(it.maximum_cents, Unit.CENT),
        "set_up": write_amount(it.set_up_cents, Unit.CENT),
    }


def _venue(it: VenueEntry, tier: str | None, units: dict[str, Unit]) -> dict[str, Any]:
    return {
        "name": it.name,
        "zone": it.zone,
        "cut_off": it.cut_off.isoformat("minutes"),
        # In the order of the currencies, which is the one in which a till shows them.
        "accepts": [code for code in units if code in it.accepts],
        **({"fee_tier": tier} if tier is not None else {}),
        **({"means": list(it.means)} if it.means != USUAL_MEANS else {}),
        **({"tips_to": it.tips_to} if it.tips_to is not None else {}),
        **({"proven_cards": it.proven_cards} if it.proven_cards is not None else {}),
        "products": {name: _product(sold, units) for name, sold in it.products.items()},
        **_named("place", _place(it.place)),
        **_named("hours", {name: _hours(hours, units) for name, hours in it.hours.items()}),
    }


def _product(it: ProductEntry, units: dict[str, Unit]) -> dict[str, Any]:
    return {
        "en": it.name_en,
        "category": it.category,
        "colour": it.colour,
        **({"kind": it.kind} if it.kind != "goods" else {}),
        **({"open_price": True} if it.open_price else {}),
        **({} if it.vat is None else {"vat": write_rate(it.vat)}),
        "prices": _prices(it.prices, units),
    }


def _place(it: Place) -> dict[str, Any]:
    opening = it.opening
    return {
        **_named("address", it.address),
        **_named("town", it.town),
        **_named("point", str(it.point or "")),
        **({"tops_up": list(it.tops_up)} if it.tops_up else {}),
        **_named("open", {DAYS[day]: written(spans) for day, spans in sorted(opening.weekly.items()) if spans}),
        **_named("days", {day.isoformat(): written(spans) for day, spans in sorted(opening.days.items())}),
    }


def _hours(it: HoursEntry, units: dict[str, Unit]) -> dict[str, Any]:
    return {
        "days": [DAYS[day] for day in sorted(it.weekdays)],
        "begins": it.begins.isoformat("minutes"),
        "ends": it.ends.isoformat("minutes"),
        "prices": {name: _prices(prices, units) for name, prices in it.prices.items()},
    }


def _prices(prices: Mapping[str, int], units: dict[str, Unit]) -> dict[str, str]:
    return {code: write_amount(minor, units[code]) for code, minor in prices.items()}
