"""The shape of the file: which names there are, and which of them must be there. Values are texts; reading.py makes
amounts, rates and rules of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.accounting.books.chart import Regime
from app.rules.goods import COLOUR, COLOUR_PATTERN, LINE_MAX, is_line
from app.rules.lines import ProductKind
from app.rules.policy import CurrencyKind
from app.rules.proven import Demand
from app.wire.base import CurrencyCode


def _line(text: str) -> str:
    if not is_line(text):
        raise ValueError("write something on one line, without blanks around it")
    return text


Line = Annotated[str, StringConstraints(max_length=LINE_MAX), AfterValidator(_line)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^\S{1,8}$")]
Colour = Annotated[str, StringConstraints(pattern=COLOUR_PATTERN)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Login = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@+-]{1,63}$")]
Count = Annotated[int, Field(ge=1, le=10**9)]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name!r}; they are called like 'Europe/Paris'")
    return ZoneInfo(name).key


Zone = Annotated[str, AfterValidator(_zone)]


def _instant(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a date; write one like 2027-01-31") from None


# Without an hour, midnight; without an offset, in the network's time zone.
Instant = Annotated[datetime, BeforeValidator(_instant)]


def _old(text: object) -> str:
    if text not in ("stop", "lower"):
        raise ValueError(f"{text!r} is neither 'stop' (it sells no more) nor 'lower' (it sells within lower limits)")
    return str(text)


def _yes(text: object) -> bool:
    if text not in ("yes", "no", "true", "false"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text in ("yes", "true")


SnapshotOld = Annotated[Literal["stop", "lower"], BeforeValidator(_old)]
Yes = Annotated[bool, BeforeValidator(_yes)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(Form):
    fr: Line
    en: Line


class CurrencyForm(Form):
    kind: CurrencyKind
    issuer: str = "network"
    names: Names
    symbol: Symbol
    cents_per_unit: Annotated[int, Field(ge=1, le=10**6)] | None = None
    policy: dict[str, Any] = {}
    policy_from: Instant | None = None


class ProductForm(Form):
    en: Line
    category: Line
    colour: Colour = COLOUR
    prices: dict[CurrencyCode, str] = {}
    kind: ProductKind = "goods"
    open_price: bool = False
    vat: str | None = None


class HoursForm(Form):
    """`days`: mon to sun, those on which it begins; an end that is not later than the beginning is on the day after."""

    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1)]
    begins: Clock
    ends: Clock
    prices: Annotated[dict[Line, Annotated[dict[CurrencyCode, str], Field(min_length=1)]], Field(min_length=1)]


class PlaceForm(Form):
    """`open`: hours by weekday, like "10:00-14:00, 18:00-02:00"; `days`: on these days instead, hours or closed."""

    address: Line | None = None
    town: Line | None = None
    point: Line | None = None
    tops_up: list[Literal["cash", "bank_card"]] = []
    open: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], str] = {}
    days: dict[str, str] = {}


class VenueForm(Form):
    name: Line
    zone: Zone | None = None
    cut_off: Clock = "06:00"
    accepts: list[CurrencyCode] = []
    fee_tier: str | None = None
    means: list[Literal["cash", "bank_card", "cheque", "meal_voucher"]] = ["cash", "bank_card"]
    tips_to: Line | None = None
    proven_cards: Demand | None = None
    products: dict[Line, ProductForm] = {}
    hours: dict[Line, HoursForm] = {}
    place: PlaceForm = PlaceForm()


class OfflineForm(Form):
    """Of one currency: minor units a card of each assurance level may take at isolated terminals, and all together; and
    the most that all cards will hold."""

    terminal: str | None = None
    on_cards: str | None = None
    A: tuple[str, str, Count] | None = None
    B: tuple[str, str, Count] | None = None
    C: tuple[str, str, Count] | None = None


class SettingsForm(Form):
    contact: Line | None = None
    topup_min: str | None = None
    topup_max: str | None = None
    shift_max_per_day: str | None = None
    backed_weight: str | None = None
    journal_rows: Count | None = None
    snapshot_warn: str | None = None
    snapshot_stop: str | None = None
    snapshot_old: SnapshotOld | None = None
    lowered_limits: str | None = None
    offline_topups: Yes | None = None
    unknown_cards: Yes | None = None
    session_required: Yes | None = None
    blind_count: Yes | None = None
    pin_only: Yes | None = None
    proven_cards: Demand | None = None
    page_by_tap: Yes | None = None
    genuine_chips: Yes | None = None
    refund_heard: str | None = None
    refund_wait: str | None = None
    fee_vat: str | None = None
    offline: dict[CurrencyCode, OfflineForm] = {}


class FeeTierForm(Form):
    rate: str
    minimum: str
    maximum: str
    set_up: str


class MembershipForm(Form):
    names: Names
    price: str
    shares: str
    days: Annotated[int, Field(ge=1, le=3660)] = 365


class BooksForm(Form):
    """`accounts`: number and name by key (app.accounting.books.chart), where they are not the default ones."""

    legal_name: Line
    siren: Annotated[str, BeforeValidator(str)] = ""
    regime: Regime = "association"
    year_starts: Annotated[int, Field(ge=1, le=12)] = 1
    accounts: dict[str, tuple[Annotated[str, BeforeValidator(str)], Line]] = {}


class PersonForm(Form):
    """`roles`: "network_admin", or "cashier@raffinerie"."""

    name: Line
    roles: list[str] = []


class NetworkForm(Form):
    name: Line
    zone: Zone
    settings: SettingsForm = SettingsForm()
    currencies: dict[CurrencyCode, CurrencyForm] = {}
    venues: dict[Slug, VenueForm] = {}
    fee_tiers: dict[Line, FeeTierForm] = {}
    memberships: dict[Slug, MembershipForm] = {}
    books: dict[Slug, BooksForm] = {}
    people: dict[Login, PersonForm] | None = None
