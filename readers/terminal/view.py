"""What the staff screen shows, as data: the one shape between the agent and its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from app.rules.membership import Standing
from app.rules.offline import Refusal
from app.wire import Means

Phase = Literal["ready", "present_card", "checking", "paid", "refused"]


RestMeans = Literal["cash", "bank_card", "cheque", "meal_voucher"]
Offer = Literal["cash", "bank_card", "cheque", "meal_voucher", "second_card"]
"""What staff may do about a card that does not hold enough: take the rest themselves, or ask for another card too."""


ItemKind = Literal["back", "open", "tip"]


@dataclass(frozen=True, slots=True)
class BasketItem:
    """What staff chose: `quantity` of a product, at its price in `currency` (None: the one that the basket is in).

    `price`: minor units of one, above 0, as they stood on the screen; None: what it costs now. `kind`: a deposit that
    comes "back"; a price that staff typed ("open"); a "tip", which is typed too and whose product is NO_PRODUCT.
    """

    product: UUID
    quantity: int
    currency: str | None = None
    price: int | None = None
    kind: ItemKind | None = None


@dataclass(frozen=True, slots=True)
class ByHand:
    """How a basket is paid that no card pays. `given`: the cash that was handed over, in minor units of the prices,
    where change is due; `reason`: why the house gives it away."""

    means: Means
    given: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units of a currency."""

    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One part of what paid a basket. `left`: what the card still holds of this currency (None: unknown, or no card).

    What staff took themselves is told in the currency of the prices that it paid; `given`: the cash handed over for it,
    where change was due.
    """

    means: Literal["card", "second_card"] | Means
    currency: str
    minor: int
    left: int | None = None
    given: int | None = None


@dataclass(frozen=True, slots=True)
class Spendable:
    """A money that may be spent at this venue; on these `categories` of products only, unless there are none."""

    currency: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credited:
    """A credit that this till gave and nobody took back, and why, as staff wrote it."""

    currency: str
    minor: int
    at_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class MemberShown:
    """What a card is a member of: the plan's `names` by language, whose it is (`of`), the `last` day in ISO 8601."""

    names: Mapping[str, str]
    of: str
    last: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class CardTold:
    """What a holder wants to know of a card beside its balances: what may be spent `here`, and what this till last
    `credited` it with, one of each money, newest first. `age_s`: how old the balances are, where that is to be said."""

    here: tuple[Spendable, ...]
    credited: tuple[Credited, ...] = ()
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How the last tap ended.

    `act` names what the card was asked for where that was no basket; `price` then is the amount that it was about.
    `asked` is the id that `Till.pay` gave; the sale's own differs where the basket had to be split anew. `price` is
    what the basket costs in each currency, `taken` what paid for it. `balances` is what is left on the card (None:
    unknown); `offline`: the terminal decided alone. A basket that the card could not pay whole tells what is `missing`
    and what staff may do about it. A card that was only looked at is `told` of. `members`:
    what the card is a member of. `tickets`: how many are handed over as codes, since no card holds them.
    """

    sale: UUID
    asked: UUID
    card: str | None
    price: tuple[Amount, ...]
    reason: Refusal | None
    offline: bool
    balances: tuple[Amount, ...] | None
    at_us: int
    taken: tuple[Taken, ...] = ()
    missing: tuple[Amount, ...] = ()
    offers: tuple[Offer, ...] = ()
    act: str | None = None
    told: CardTold | None = None
    members: tuple[MemberShown, ...] = ()
    tickets: int = 0


PrinterShown = Literal["none", "ok", "busy", "no_paper", "absent"]
"""The receipt printer: none is set up; it can print; it prints; it has no paper; it does not answer."""


@dataclass(frozen=True, slots=True)
class TicketCode:
    """A ticket that no card holds: its event and price in words, and the code that opens the door."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class ReceiptShown:
    """A sale's receipt: its number at this terminal, the address of its page (None: the server told none) and its text
    for a QR code where the phone has no internet. `tickets`: those to hand over with it."""

    sale: UUID
    number: str
    address: str | None
    text: str
    tickets: tuple[TicketCode, ...] = ()


@dataclass(frozen=True, slots=True)
class PastSale:
    """One of the last sales of this terminal, newest first on the screen. `card`: "" where none paid; `rest`: what
    staff took themselves.

    `act` names what was done with the card where that was no sale; it has no lines, `price` is the amount, and `rest`
    the cash or bank card that was taken for it, below 0 where cash was given out.

    `why_not`: the TillError that voiding it would meet; None where who is signed in may void it.
    """

    sale: UUID
    asked: UUID
    card: str
    price: tuple[Amount, ...]
    rest: tuple[Taken, ...]
    lines: tuple[tuple[str, int], ...]
    at_us: int
    offline: bool
    voided: bool
    why_not: str | None = None
    act: str | None = None


@dataclass(frozen=True, slots=True)
class SessionShown:
    """The till session. `required`: nothing is sold while none is open. `blind`: staff count before they are told what
    should be in the drawer. `closings`: how many this till has made."""

    open: bool = False
    opened_at_us: int | None = None
    required: bool = False
    blind: bool = True
    closings: int = 0


@dataclass(frozen=True, slots=True)
class CountShown:
    """The newest count in euro cents. What was expected is None for who may not know it."""

    counted_cents: int
    expected_cents: int | None


@dataclass(frozen=True, slots=True)
class ReportShown:
    """A report as rows of (style, left, right), as on paper. `number` is 0 where nothing is closed."""

    number: int
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SiteShown:
    """How many other tills of this site share with us what they sold. `lost`: nobody is heard of, not even a hub."""

    terminals: int
    lost: bool = False


@dataclass(frozen=True, slots=True)
class DoorSide:
    """An event at whose door this terminal may stand. `titles`: by language."""

    id: UUID
    titles: dict[str, str]
    doors_at_us: int
    starts_at_us: int


@dataclass(frozen=True, slots=True)
class DoorResult:
    """How a ticket was decided. `answer`: one of app.rules.door, "no_ticket", or why the till could not do it. `count`:
    tickets that passed at once; `more`: others of the same card that could. `last_*`: where and when it passed before.
    `other`: the event that it is for, by language.
    `members`: what its card is a member of."""

    id: UUID
    answer: str
    at_us: int
    count: int = 1
    more: int = 0
    serial: int | None = None
    name: str | None = None
    price: dict[str, str] = field(default_factory=dict)
    last_at_us: int | None = None
    last_terminal: str | None = None
    other: dict[str, str] = field(default_factory=dict)
    other_at_us: int | None = None
    members: tuple[MemberShown, ...] = ()


@dataclass(frozen=True, slots=True)
class DoorListed:
    """A ticket in the list at the door."""

    id: UUID
    serial: int
    name: str | None
    price: dict[str, str]
    state: str
    inside: bool


@dataclass(frozen=True, slots=True)
class DoorShown:
    """The door of `event`. `on`: cards are asked for tickets. `inside`: as far as this terminal was told; `expected`:
    tickets that are valid."""

    on: bool
    events: tuple[DoorSide, ...]
    event: UUID | None
    direction: Literal["in", "out"]
    inside: int
    expected: int
    result: DoorResult | None


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything a staff screen shows. `waiting` counts journal rows the server has not acknowledged yet,
    and `to_send` what of them staff know of: sales and other acts.

    `pending` is what the card is asked for, in each currency; of a `second_card`, what the first one left to pay. `act`
    names what it is asked for where that is no basket. `rights`: of who is signed in. `card`: one lies on the reader.
    `badge`: a staff card was read and its PIN is asked for; `card_first`: nobody signs in without one. `site`: None
    where this till shares with no others; `door`: None where its venue has no event. Without network: `no_cards` says
    why no card may pay, `lowered` that only lower limits hold, `offline_acts` names the acts that are allowed all the
    same.
    """

    phase: Phase
    venue: str
    terminal: str
    signed_in: UUID | None
    online: bool
    offline_since_us: int | None
    waiting: int
    to_send: int
    reader: Literal["ok", "lost"]
    reader_reason: str | None
    snapshot_age_s: float | None
    snapshot_stale: bool
    quarantined: bool
    clock_skewed: bool = False
    pending: tuple[Amount, ...] = ()
    second_card: bool = False
    result: Result | None = None
    hint: Literal["unusable_card", "two_cards", "remove_card", "other_card", "card_left"] | None = None
    catalogue_version: str = ""
    printer: PrinterShown = "none"
    act: str | None = None
    rights: tuple[str, ...] = ()
    card: bool = False
    badge: bool = False
    card_first: bool = False
    no_cards: Refusal | None = None
    lowered: bool = False
    offline_acts: tuple[str, ...] = ()
    training: bool = False
    session: SessionShown = field(default_factory=SessionShown)
    site: SiteShown | None = None
    last_sales: tuple[PastSale, ...] = field(default=())
    door: DoorShown | None = None
