"""What must be done so that one network becomes like another, in words and as steps. Nothing is ever deleted that money
was moved with: a currency, a venue or a product that a file no longer has is only out of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from app.cli.apply.document import (
    USUAL_MEANS,
    CurrencyEntry,
    HoursEntry,
    NetworkEntry,
    PersonEntry,
    ProductEntry,
)
from app.cli.apply.policy_words import all_words
from app.cli.apply.words import DAYS, write_amount, write_rate
from app.currencies.policies import defaults
from app.money import Unit
from app.venues.places import Place

Sign = Literal["+", "~", "-"]
Subject = Literal[
    "network", "currency", "policy", "membership", "venue", "product", "hours", "person", "books", "order"
]


class Impossible(ValueError):
    """The file asks for what cannot be; `reasons` say what and why."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("\n".join(reasons))


@dataclass(frozen=True, slots=True)
class Change:
    """`sign`: created, changed, or put out of use. `name`: of what `subject` names, a product's after its venue's."""

    sign: Sign
    subject: Subject
    name: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.sign} {self.subject} {' / '.join(self.name)}: {self.text}"


def plan(have: NetworkEntry | None, want: NetworkEntry) -> list[Change]:
    """In the order in which they can be done; empty when nothing differs. Raises Impossible."""
    if have is None:
        have = replace(want, name="", currencies={}, venues={}, memberships={}, people={}, books={})
        before = [Change("+", "network", (want.name,), f"time zone {want.settings.zone}")]
    else:
        before = [*_network(have, want)]
    _refuse_impossible(have, want)
    units = {code: it.unit for code, it in {**have.currencies, **want.currencies}.items()}
    return [
        *before,
        *_new_venues(have, want),
        *_currencies(have, want),
        *_memberships(have, want),
        *_venues(have, want, units),
        *_people(have, want),
        *_books(have, want),
        *_order("currencies", have.currencies, want.currencies),
        *_order("venues", have.venues, want.venues),
    ]


def _refuse_impossible(have: NetworkEntry, want: NetworkEntry) -> None:
    reasons = []
    for code in have.currencies.keys() & want.currencies.keys():
        was, now = have.currencies[code], want.currencies[code]
        for member in ("kind", "issuer", "cents_per_unit"):
            if getattr(was, member) != getattr(now, member):
                reasons.append(
                    f"currencies.{code}.{member}: it is {getattr(was, member)} and cannot become "
                    f"{getattr(now, member)}: what is on people's cards would be worth something else. "
                    "Define a new currency."
                )
    if reasons:
        raise Impossible(sorted(reasons))


def _network(have: NetworkEntry, want: NetworkEntry) -> Iterator[Change]:
    was, now = asdict(have.settings), asdict(want.settings)
    differences = [("name", have.name, want.name)] * (have.name != want.name)
    differences += [(key, was[key], now[key]) for key in was if was[key] != now[key] and not isinstance(was[key], dict)]
    for key in (it for it in was if isinstance(was[it], dict)):
        for entry in sorted({*was[key], *now[key]}):
            before, after = was[key].get(entry), now[key].get(entry)
            if before != after:
                differences.append((f"{key} {entry}", _words(before), _words(after)))
    if differences:
        yield Change("~", "network", (want.name,), _differences(differences))


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} {_setting(name, it)}" for name, it in value.items()) + "}"
    return "none" if value is None else str(value)


def _setting(name: str, value: object) -> str:
    if isinstance(value, int) and name.endswith("_cents"):
        return write_amount(value, Unit.CENT)
    if isinstance(value, int) and name == "basis_points":
        return write_rate(value)
    return str(value)


def _new_venues(have: NetworkEntry, want: NetworkEntry) -> Iterator[Change]:
    """Venues stand before currencies, for a currency may be a venue's own."""
    for slug in (it for it in want.venues if it not in have.venues):
        venue = want.venues[slug]
        yield Change("+", "venue", (slug,), f"{venue.name}, {venue.zone}, day ends at {venue.cut_off:%H:%M}")


def _currencies(have: NetworkEntry, want: NetworkEntry) -> Iterator[Change]:
    for code, it in want.currencies.items():
        known = have.currencies.get(code)
        if known is None:
            worth = f", 1 unit = {it.cents_per_unit} euro cents" if it.cents_per_unit not in (None, 1) else ""
            yield Change("+", "currency", (code,), f"{it.kind}, {it.name_fr} / {it.name_en} ({it.symbol}){worth}")
        elif differences := _members(known, it, ("name_fr", "name_en", "symbol")):
            yield Change("~", "currency", (code,), _differences(differences))
        if known is None or known.policy != it.policy:
            yield Change("~" if known else "+", "policy", (code,), _rules(known, it))
    for code in (it for it in have.currencies if it not in want.currencies):
        # Its units stay on cards and in books; only when some venue still takes it is there anything to do.
        if any(code in venue.accepts for venue in have.venues.values()):
            yield Change("-", "currency", (code,), "out of use: no venue takes it; what is on cards stays there")


def _rules(known: CurrencyEntry | None, now: CurrencyEntry) -> str:
    after = all_words(now.policy, now.unit)
    if known is None:
        usual = all_words(defaults(now.kind), now.unit)
        return "; ".join(f"{name} {text}" for name, text in after.items() if usual.get(name) != text) or "as usual"
    before = all_words(known.policy, known.unit)
    names = [*before, *(it for it in after if it not in before)]
    return _differences([(it, before.get(it, "none"), after.get(it, "none")) for it in names])


def _memberships(have: NetworkEntry, want: NetworkEntry) -> Iterator[Change]:
    for code, it in want.memberships.items():
        known = have.memberships.get(code)
        price, shares = write_amount(it.price_cents, Unit.CENT), write_amount(it.shares_cents, Unit.CENT)
        text = f"{price} € of which {shares} € in shares, {it.days} days ({it.name_fr} / {it.name_en})"
        if known != it:
            yield Change("~" if known else "+", "membership", (code,), text)


def _venues(have: NetworkEntry, want: NetworkEntry, units: Mapping[str, Unit]) -> Iterator[Change]:
    for slug, it in want.venues.items():
        known = have.venues.get(slug)
        if known is not None and (differences := _members(known, it, ("name", "zone", "cut_off"))):
            yield Change("~", "venue", (slug,), _differences(differences))
        taken = known.accepts if known else frozenset()
        if taken != it.accepts:
            yield Change(
                "~", "venue", (slug,), f"takes {_listed(it.accepts)}" + (f" (was {_listed(taken)})" * bool(known))
            )
        usual = replace(it, means=USUAL_MEANS, tips_to=None, proven_cards=None, place=Place())
        if differences := _members(known or usual, it, ("means", "tips_to", "proven_cards", "place")):
            yield Change("~", "venue", (slug,), _differences(differences))
        yield from _products(slug, known.products if known else {}, it.products, units)
        yield from _hours(slug, known.hours if known else {}, it.hours, units)
    for slug in (it for it in have.venues if it not in want.venues):
        closed = have.venues[slug]
        if closed.accepts or closed.products:
            yield Change("-", "venue", (slug,), f"{closed.name} takes and sells nothing; what it is owed stays")


def _products(
    slug: str, have: Mapping[str, ProductEntry], want: Mapping[str, ProductEntry], units: Mapping[str, Unit]
) -> Iterator[Change]:
    for name, it in want.items():
        known = have.get(name)
        if known is None:
            yield Change("+", "product", (slug, name), f"{it.category}, {_prices(it, units)}")
            continue
        differences = _members(known, it, ("name_en", "category", "colour", "kind", "open_price"))
        if known.vat != it.vat:
            was, now = ("none" if one.vat is None else write_rate(one.vat) for one in (known, it))
            differences.append(("vat", was, now))
        for code in (code for code in units if known.prices.get(code) != it.prices.get(code)):
            was, now = (
                "none" if code not in entry.prices else write_amount(entry.prices[code], units[code])
                for entry in (known, it)
            )
            differences.append((f"price in {code}", was, now))
        if differences:
            yield Change("~", "product", (slug, name), _differences(differences))
    for name in (it for it in have if it not in want):
        yield Change("-", "product", (slug, name), "no longer sold")
    yield from _order(f"products of {slug}", have, want)


def _hours(
    slug: str, have: Mapping[str, HoursEntry], want: Mapping[str, HoursEntry], units: Mapping[str, Unit]
) -> Iterator[Change]:
    for name, it in want.items():
        if have.get(name) != it:
            days = ", ".join(DAYS[day] for day in sorted(it.weekdays))
            prices = "; ".join(f"{product} {_listed_prices(by, units)}" for product, by in it.prices.items())
            text = f"{days} {it.begins:%H:%M} to {it.ends:%H:%M}: {prices}"
            yield Change("~" if name in have else "+", "hours", (slug, name), text)
    for name in (it for it in have if it not in want):
        yield Change("-", "hours", (slug, name), "no longer")


def _people(have: NetworkEntry, want: NetworkEntry) -> Iterator[Change]:
    """Who is not in the file stays: people come and go by other ways too."""
    for login, it in (want.people or {}).items():
        known = (have.people or {}).get(login)
        if known is None:
            yield Change("+", "person", (login,), f"{it.name}, {_roles(it)}")
        elif known != it:
            differences = _members(known, it, ("name",))
            if known.roles != it.roles:
                differences.append(("roles", _roles(known), _roles(it)))
            yield Change("~", "person", (login,), _differences(differences))


def _books(have: NetworkEntry, want: NetworkEntry) -> Iterator[Change]:
    """Books of which the file says nothing are kept as they were."""
    for slug, it in want.books.items():
        known = have.books.get(slug)
        if known == it:
            continue
        siren = f", SIREN {it.siren}" if it.siren else ""
        accounts = "".join(f"; {key} {one.number} {one.name}" for key, one in sorted(it.accounts.items()))
        text = f"{it.legal_name}{siren}, {it.regime}, year from month {it.year_starts}{accounts}"
        yield Change("~" if known else "+", "books", (slug,), text)


def _order(what: str, have: Mapping[str, object], want: Mapping[str, object]) -> Iterator[Change]:
    """New ones are put where they belong without a word; only when what was there is shown otherwise is it told."""
    before, after = [it for it in have if it in want], [it for it in want if it in have]
    if before != after:
        yield Change("~", "order", (what,), ", ".join(want))


def _members(was: object, now: object, members: Iterable[str]) -> list[tuple[str, str, str]]:
    return [
        (member, str(getattr(was, member)), str(getattr(now, member)))
        for member in members
        if getattr(was, member) != getattr(now, member)
    ]


def _differences(found: Iterable[tuple[str, object, object]]) -> str:
    return "; ".join(f"{name} {was} -> {now}" for name, was, now in found if was != now)


def _prices(it: ProductEntry, units: Mapping[str, Unit]) -> str:
    nature = "" if it.kind == "goods" else f"{it.kind}, "
    return nature + ("open price, " if it.open_price else "") + _listed_prices(it.prices, units)


def _listed_prices(prices: Mapping[str, int], units: Mapping[str, Unit]) -> str:
    return ", ".join(f"{write_amount(minor, units[code])} {code}" for code, minor in prices.items()) or "no price"


def _roles(it: PersonEntry) -> str:
    return _listed(role if venue is None else f"{role}@{venue}" for role, venue in it.roles)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
