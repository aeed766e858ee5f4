"""When a price is sold, how many places are left, and what an event's state is called. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from app.platform.errors import Invalid
from app.rules import entitlement

Status = Literal["draft", "published", "cancelled"]
Standing = Literal["draft", "open", "full", "cancelled", "past"]
Condition = entitlement.Condition
Channel = Literal["any", "online", "till", "invitation"]
OrderChannel = Literal["online", "till", "invitation"]
OrderState = Literal["held", "paying", "paid", "released", "refunded"]

CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

TITLE_MAX: Final = 120
SUMMARY_MAX: Final = 4000
NAME_MAX: Final = 60
CAPACITY_MAX: Final = 100_000
AMOUNT_MAX: Final = 100_000_000
PLACES_MAX: Final = 20
HOLD_US: Final = 10 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """`amount`: minor units of `currency`; 0 is free. `quota`: places at this price at most; None: as many as the event
    has. `sale_from_us`, `sale_until_us`: None is from now on, and until the event ends. `vat`: basis points.
    `least`: how much its condition asks for (app/rules/entitlement.py). `per_wallet`: places at most for one wallet.
    `waiting`: places that the waiting list wants at this price."""

    id: UUID
    name_fr: str
    name_en: str
    currency: str
    amount: int
    quota: int | None = None
    condition: Condition = "none"
    sale_from_us: int | None = None
    sale_until_us: int | None = None
    vat: int = 0
    channel: Channel = "any"
    position: int = 0
    held: int = 0
    sold: int = 0
    leased: int = 0
    least: int | None = None
    per_wallet: int | None = None
    waiting: int = 0

    def name(self, language: str) -> str:
        return (self.name_fr or self.name_en) if language == "fr" else (self.name_en or self.name_fr)

    @property
    def left(self) -> int | None:
        """None: its event alone says."""
        return None if self.quota is None else self.quota - self.held - self.sold - self.leased

    def sold_by(self, channel: OrderChannel) -> bool:
        if channel == "invitation":
            # Given out, and not sold: whatever costs nothing, and what is there for nothing else.
            return self.channel == "invitation" or not self.amount
        return self.channel in {"any", channel}

    def on_sale(self, now_us: int) -> bool:
        begun = self.sale_from_us is None or self.sale_from_us <= now_us
        return begun and (self.sale_until_us is None or now_us < self.sale_until_us)


@dataclass(frozen=True, slots=True)
class Event:
    """`prices` in the order in which they are shown; `artists`: their ids, in order. `refund_until_us`: until when
    holders give tickets back; None: never. `refund_fee`: basis points of the price that are kept then."""

    id: UUID
    venue: UUID
    title_fr: str
    title_en: str
    summary_fr: str
    summary_en: str
    doors_at_us: int
    starts_at_us: int
    ends_at_us: int
    capacity: int
    series: UUID | None = None
    slug: str = ""
    status: Status = "draft"
    held: int = 0
    sold: int = 0
    leased: int = 0
    artists: tuple[UUID, ...] = ()
    prices: tuple[Price, ...] = ()
    refund_until_us: int | None = None
    refund_fee: int = 0

    def title(self, language: str) -> str:
        return (self.title_fr or self.title_en) if language == "fr" else (self.title_en or self.title_fr)

    def summary(self, language: str) -> str:
        return (self.summary_fr or self.summary_en) if language == "fr" else (self.summary_en or self.summary_fr)

    @property
    def left(self) -> int:
        return self.capacity - self.held - self.sold - self.leased

    @property
    def promised(self) -> int:
        """Places that are free, and are the waiting list's before anybody else's."""
        return sum(it.waiting if it.left is None else min(it.waiting, max(0, it.left)) for it in self.prices)

    @property
    def free(self) -> int:
        """Places for whoever comes now: nobody overtakes those who wait."""
        return max(0, self.left - self.promised)

    def left_at(self, price: Price) -> int:
        """Places that whoever comes now can have at this price."""
        if price.waiting:
            return 0
        return self.free if price.left is None else max(0, min(self.free, price.left))

    def standing(self, now_us: int) -> Standing:
        if self.status == "draft":
            return "draft"
        if self.status == "cancelled":
            return "cancelled"
        if now_us >= self.ends_at_us:
            return "past"
        return "full" if self.free <= 0 else "open"

    def price(self, id_: UUID) -> Price | None:
        return next((it for it in self.prices if it.id == id_), None)


def fee_of(amount: int, basis_points: int) -> int:
    """What is kept of a ticket's price, to the minor unit, half up: for each ticket by itself, so that two given back
    together cost what they cost one after the other."""
    return (amount * basis_points + 5_000) // 10_000


def sellable(event: Event, price: Price, channel: OrderChannel, now_us: int) -> bool:
    """Whether places are sold at this price there and now, if any are left."""
    going = event.status == "published" and now_us < event.ends_at_us
    return going and price.sold_by(channel) and (channel == "invitation" or price.on_sale(now_us))


def check(it: Event) -> None:
    """Raises Invalid with the `field` that is not right."""
    for name in ("title_fr", "title_en"):
        _line(name, getattr(it, name), TITLE_MAX)
    if not it.title_fr:
        raise Invalid("An event has a title.", field="title_fr")
    for name in ("summary_fr", "summary_en"):
        if len(getattr(it, name)) > SUMMARY_MAX:
            raise Invalid(f"{SUMMARY_MAX} characters at most.", field=name)
    if not it.doors_at_us <= it.starts_at_us < it.ends_at_us:
        raise Invalid("Doors open before it starts, and it ends after.", field="starts")
    if not 0 <= it.capacity <= CAPACITY_MAX:
        raise Invalid(f"An event has {CAPACITY_MAX} places at most.", field="capacity")


def check_price(it: Price) -> None:
    """The same."""
    for name in ("name_fr", "name_en"):
        _line(name, getattr(it, name), NAME_MAX)
    if not it.name_fr:
        raise Invalid("A price has a name.", field="name_fr")
    if not 0 <= it.amount <= AMOUNT_MAX:
        raise Invalid("No price is that high.", field="amount")
    if it.quota is not None and not 0 <= it.quota <= CAPACITY_MAX:
        raise Invalid(f"{CAPACITY_MAX} places at most.", field="quota")
    if not 0 <= it.vat <= 10_000:
        raise Invalid("A rate is between 0 and 100 %.", field="vat")
    since, until = it.sale_from_us, it.sale_until_us
    if since is not None and until is not None and since >= until:
        raise Invalid("A sale begins before it ends.", field="sale_until")


def _line(field: str, text: str, most: int) -> None:
    if len(text) > most or any(it in text for it in "\r\n"):
        raise Invalid(f"One line, {most} characters at most.", field=field)
