"""From the file's text to a network that makes sense as a whole, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.accounting.books.chart import Account, defaults, wrong
from app.accounting.books.keeping import siren_ok
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
    unit_of_kind,
)
from app.cli.apply.forms import (
    BooksForm,
    CurrencyForm,
    FeeTierForm,
    HoursForm,
    MembershipForm,
    NetworkForm,
    PersonForm,
    PlaceForm,
    ProductForm,
    VenueForm,
)
from app.cli.apply.policy_words import PolicyProblem, read_words
from app.cli.apply.settings_words import read_settings
from app.cli.apply.text import BadNetworkFile, Path, Problem, Written, read_yaml
from app.cli.apply.words import DAYS, NotUnderstood, read_amount, read_rate
from app.currencies.service import Currency, check
from app.identity.roles import ISSUERS, NETWORK_WIDE, PERSONAL
from app.money import Unit
from app.platform.errors import Invalid
from app.rules.basket import UNIT_PRICE_MAX
from app.rules.goods import is_vat, may_be_open
from app.rules.policy import Policy
from app.rules.policy_check import problems as policy_problems
from app.venues.opening import Opening, Span, read_day
from app.venues.opening import read as read_opening
from app.venues.places import TOP_UPS, Place
from app.venues.point import Point, point
from app.venues.rules import FeeTier
from app.venues.service import MEANS

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ACCOUNT = {
    "key": "there is no such account in these books",
    "number": "its number begins with three digits of the chart (classes 1 to 7), and has twelve signs at most",
    "name": "its name is on one line, of 80 letters at most",
}


def read_network_file(text: str) -> NetworkEntry:
    """Raises BadNetworkFile with all problems: those of shape first, then, in a file of the right shape, the others."""
    written = read_yaml(text)
    try:
        form = NetworkForm.model_validate(written.data)
    except ValidationError as error:
        raise BadNetworkFile([_of_shape(it, written) for it in error.errors()]) from None
    reader = _Reader(form, written)
    network = reader.network()
    if reader.problems:
        raise BadNetworkFile(reader.problems)
    return network


def _of_shape(error: ErrorDetails, written: Written) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    words = {
        "missing": "is missing",
        "extra_forbidden": "there is no such setting",
        "string_pattern_mismatch": f"{error['input']!r} cannot be written here",
        "dict_type": "holds names and values",
        "model_type": "holds names and values",
        "list_type": "is a list, like [A, B]",
        "int_parsing": f"{error['input']!r} is not a whole number",
        "string_type": "holds one value",
    }
    said = words.get(error["type"], error["msg"].removeprefix("Value error, "))
    return Problem(written.line(path), path, said)


class _Reader:
    """Makes entries of forms, and keeps what is wrong."""

    def __init__(self, form: NetworkForm, written: Written) -> None:
        self.form = form
        self.written = written
        self.problems: list[Problem] = []

    def wrong(self, path: Path, text: str) -> None:
        self.problems.append(Problem(self.written.line(path), path, text))

    def tried(self, path: Path, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except NotUnderstood as error:
            self.wrong(path, str(error))
            return otherwise

    def euros(self, path: Path, text: str) -> int:
        return self.tried(path, lambda: read_amount(text, Unit.CENT), 0)

    def network(self) -> NetworkEntry:
        form = self.form
        units = {code: unit_of_kind(it.kind) for code, it in form.currencies.items()}
        settings = read_settings(form, units, self.tried, self.wrong)
        return NetworkEntry(
            form.name,
            replace(
                settings,
                fee_tiers={name: self.fee_tier(name, it) for name, it in form.fee_tiers.items()},
                venue_tiers={slug: it.fee_tier for slug, it in form.venues.items() if it.fee_tier is not None},
            ),
            {code: self.currency(code, it) for code, it in form.currencies.items()},
            {slug: self.venue(slug, it) for slug, it in form.venues.items()},
            {code: self.membership(code, it) for code, it in form.memberships.items()},
            None if form.people is None else {login: self.person(login, it) for login, it in form.people.items()},
            {slug: self.books(slug, it) for slug, it in form.books.items()},
        )

    def fee_tier(self, name: str, it: FeeTierForm) -> FeeTier:
        at = ("fee_tiers", name)
        tier = FeeTier(
            self.tried((*at, "rate"), lambda: read_rate(it.rate), 0),
            *(self.euros((*at, which), getattr(it, which)) for which in ("minimum", "maximum", "set_up")),
        )
        if tier.maximum_cents < tier.minimum_cents:
            self.wrong((*at, "maximum"), "the most is less than the least")
        return tier

    def currency(self, code: str, it: CurrencyForm) -> CurrencyEntry:
        at = ("currencies", code)
        if it.issuer != NETWORK_ISSUER and it.issuer not in self.form.venues:
            self.wrong((*at, "issuer"), f"{it.issuer!r} is neither 'network' nor one of the venues")
        if (it.cents_per_unit is None) == (it.kind == "pegged"):
            missing = "is missing: how many euro cents is one hundredth worth?"
            self.wrong((*at, "cents_per_unit"), missing if it.kind == "pegged" else "is for pegged money only")
        else:
            self.checked(at, code, it)
        return CurrencyEntry(
            it.kind,
            it.issuer,
            it.names.fr,
            it.names.en,
            it.symbol,
            it.cents_per_unit,
            self.policy((*at, "policy"), it),
            None if it.policy_from is None else self.begin_us(it.policy_from),
        )

    def checked(self, at: Path, code: str, it: CurrencyForm) -> None:
        unit = unit_of_kind(it.kind)
        try:
            check(Currency(code, NETWORK_ISSUER, it.kind, unit, it.names.fr, it.names.en, it.symbol, it.cents_per_unit))
        except Invalid as error:
            field = {"name_fr": ("names", "fr"), "name_en": ("names", "en"), "code": ()}.get(error.extra["field"])
            self.wrong((*at, *((error.extra["field"],) if field is None else field)), error.detail)

    def begin_us(self, begins: datetime) -> int:
        at = begins if begins.tzinfo is not None else begins.replace(tzinfo=ZoneInfo(self.form.zone))
        return (at - _EPOCH) // timedelta(microseconds=1)

    def policy(self, at: Path, it: CurrencyForm) -> Policy:
        try:
            found = read_words(it.policy, it.kind, unit_of_kind(it.kind))
        except PolicyProblem as error:
            self.wrong((*at, *error.path), str(error))
            return Policy()
        for problem in policy_problems(it.kind, found, known_venues=set(self.form.venues)):
            self.wrong((*at, *problem.field.split(".")), problem.text)
        for role in found.issue.roles:
            if role not in set(ISSUERS):
                self.wrong((*at, "issue", "roles"), f"no role {role!r} issues; there are {_listed(ISSUERS)}")
        return found

    def venue(self, slug: str, it: VenueForm) -> VenueEntry:
        at = ("venues", slug)
        for number, code in enumerate(it.accepts):
            if code not in self.form.currencies:
                self.wrong((*at, "accepts", number), f"there is no currency {code}")
            elif code in it.accepts[:number]:
                self.wrong((*at, "accepts", number), f"{code} stands twice")
        if it.fee_tier is not None and it.fee_tier not in self.form.fee_tiers:
            self.wrong((*at, "fee_tier"), f"there is no fee tier {it.fee_tier!r}")
        products = {name: self.product((*at, "products", name), it, sold) for name, sold in it.products.items()}
        return VenueEntry(
            it.name,
            it.zone or self.form.zone,
            time.fromisoformat(it.cut_off),
            frozenset(it.accepts),
            products,
            tuple(means for means in MEANS if means in it.means),
            it.tips_to,
            it.proven_cards,
            {name: self.hours((*at, "hours", name), it, hours) for name, hours in it.hours.items()},
            self.place((*at, "place"), it.place),
        )

    def place(self, at: Path, it: PlaceForm) -> Place:
        weekly = {DAYS.index(day): self.opening((*at, "open", day), text) for day, text in it.open.items()}
        days = {}
        for text, hours in it.days.items():
            day = read_day(text)
            if day is None:
                self.wrong((*at, "days", text), f"{text!r} is no day; write one like 2026-12-25")
            else:
                days[day] = self.opening((*at, "days", text), hours)
        opening = Opening({day: spans for day, spans in weekly.items() if spans}, days)
        tops_up = tuple(one for one in TOP_UPS if one in it.tops_up)
        return Place(it.address or "", tops_up, opening, it.town or "", self.point((*at, "point"), it.point))

    def point(self, at: Path, text: str | None) -> Point | None:
        found = point(text or "")
        if text and found is None:
            self.wrong(at, f"{text!r} is no point: write it like 48.1173, -1.6778")
        return found

    def opening(self, at: Path, text: str) -> tuple[Span, ...]:
        found = read_opening(text)
        if found is None:
            self.wrong(at, f"{text!r} are no hours; write them like '10:00-14:00, 18:00-02:00', or closed")
        return found or ()

    def product(self, at: Path, venue: VenueForm, it: ProductForm) -> ProductEntry:
        if it.open_price and not may_be_open(it.kind):
            self.wrong((*at, "open_price"), f"the price of a {it.kind} is not typed")
        prices = self.prices((*at, "prices"), venue, it.prices)
        vat = None if it.vat is None else self.vat((*at, "vat"), it.vat)
        return ProductEntry(it.en, it.category, it.colour, prices, it.kind, it.open_price, vat)

    def vat(self, at: Path, text: str) -> int:
        rate = self.tried(at, lambda: read_rate(text), 0)
        if not is_vat(rate):
            self.wrong(at, "no rate is above 100 %")
        return rate

    def hours(self, at: Path, venue: VenueForm, it: HoursForm) -> HoursEntry:
        for name in it.prices:
            if name not in venue.products:
                self.wrong((*at, "prices", name), f"{venue.name} sells no {name!r}")
        return HoursEntry(
            frozenset(DAYS.index(day) for day in it.days),
            time.fromisoformat(it.begins),
            time.fromisoformat(it.ends),
            {name: self.prices((*at, "prices", name), venue, prices) for name, prices in it.prices.items()},
        )

    def prices(self, at: Path, venue: VenueForm, written: Mapping[str, str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for code, text in written.items():
            currency = self.form.currencies.get(code)
            if currency is None:
                self.wrong((*at, code), f"there is no currency {code}")
                continue
            if code not in venue.accepts:
                self.wrong((*at, code), f"{venue.name} does not accept {code}; it accepts {_listed(venue.accepts)}")
            unit = unit_of_kind(currency.kind)
            found[code] = self.tried((*at, code), partial(read_amount, text, unit), 0)
            if found[code] > UNIT_PRICE_MAX:
                self.wrong((*at, code), "no price is that high")
        return found

    def membership(self, code: str, it: MembershipForm) -> MembershipEntry:
        at = ("memberships", code)
        price, shares = self.euros((*at, "price"), it.price), self.euros((*at, "shares"), it.shares)
        if not price:
            self.wrong((*at, "price"), "a membership has a price")
        if shares > price:
            self.wrong((*at, "shares"), "the shares cost more than the whole membership")
        return MembershipEntry(it.names.fr, it.names.en, price, shares, it.days)

    def books(self, slug: str, it: BooksForm) -> BooksEntry:
        at = ("books", slug)
        if slug != NETWORK_ISSUER and slug not in self.form.venues:
            self.wrong(at, f"{slug!r} is neither 'network' nor one of the venues")
        siren = it.siren.replace(" ", "")
        if siren and not siren_ok(siren):
            self.wrong((*at, "siren"), f"{it.siren!r} is no SIREN: nine digits, the last of which checks the others")
        known = defaults(it.regime, venue=slug != NETWORK_ISSUER)
        accounts = {key: Account(*one) for key, one in it.accounts.items()}
        for key, account in accounts.items():
            if why := wrong(key, account.number, account.name, known):
                self.wrong((*at, "accounts", key), _ACCOUNT[why])
        differing = {key: one for key, one in accounts.items() if known.get(key) != one}
        return BooksEntry(it.legal_name, siren, it.regime, it.year_starts, differing)

    def person(self, login: str, it: PersonForm) -> PersonEntry:
        roles: set[tuple[str, str | None]] = set()
        for number, text in enumerate(it.roles):
            role, _, slug = text.partition("@")
            at = ("people", login, "roles", number)
            if role not in set(PERSONAL):
                self.wrong(at, f"there is no role {role!r}; there are {_listed(PERSONAL)}")
            elif (role in set(NETWORK_WIDE)) != (not slug):
                self.wrong(at, f"write {role!r} alone" if slug else f"at which venue? Write it like {role}@venue")
            elif slug and slug not in self.form.venues:
                self.wrong(at, f"there is no venue {slug!r}; there are {_listed(self.form.venues)}")
            else:
                roles.add((role, slug or None))
        return PersonEntry(it.name, frozenset(roles))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
