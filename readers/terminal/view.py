"""What the staff screen shows, as data: the one shape between the agent and its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

from app.rules.offline import Refusal
from app.rules.takings import CashReason
from app.wire import Bill, Means
from app.wire.tabs import Tab

CashDirection = Literal["in", "out"]
ReportKind = Literal["now", "closed", "last"]

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
class Result:
    """How the last tap ended.

    `act` names what the card was asked for where that was no basket; `price` then is the amount that it was about.
    `asked` is the id that `Till.pay` gave; the sale's own differs where the basket had to be split anew. `price` is
    what the basket costs in each currency, `taken` what paid for it. `balances` is what is left on the card (None:
    unknown); `offline`: the terminal decided alone. A basket that the card could not pay whole tells what is `missing`
    and what staff may do about it.
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


PrinterShown = Literal["none", "ok", "busy", "no_paper", "absent"]
"""The receipt printer: none is set up; it can print; it prints; it has no paper; it does not answer."""


@dataclass(frozen=True, slots=True)
class ReceiptShown:
    """A sale's receipt: its number at this terminal, the address of its page (None: the server told none) and its text
    for a QR code where the phone has no internet."""

    sale: UUID
    number: str
    address: str | None
    text: str


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
class Screen:
    """Everything a staff screen shows. `waiting` counts journal rows the server has not acknowledged yet,
    and `to_send` what of them staff know of: sales and other acts.

    `pending` is what the card is asked for, in each currency; of a `second_card`, what the first one left to pay. `act`
    names what it is asked for where that is no basket. `rights`: of who is signed in. `card`: one lies on the reader.
    `badge`: a staff card was read and its PIN is asked for; `card_first`: nobody signs in without one. `site`: None
    where this till shares with no others. Without network: `no_cards` says why no card may pay, `lowered` that only
    lower limits hold, `offline_acts` names the acts that are allowed all the same.
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
    hint: Literal["unusable_card", "two_cards", "remove_card", "other_card"] | None = None
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


class TillError(Exception):
    """A command the till can't carry out now; `reason` is a stable word that the page translates.

    wrong_pin, not_signed_in, too_many_attempts, empty_basket, unknown_product, no_price, busy, no_snapshot,
    not_voidable, not_yours, too_late, not_offered, journal_failed, unknown_sale, no_printer, printer_busy, no_right,
    only_online, card_first, unknown_act, wrong_amount, not_allowed, in_training, no_session, session_open,
    nothing_to_close, reason_needed, no_closing, tab_plain, tab_over_hold, tab_closed, tab_changed, tab_funds,
    tab_blocked, tab_refused, tab_no_answer, tab_not_noted, price_changed, below_zero,
    card_only, only_cash, not_a_gift, undo_spent, undo_away, undo_not_there, undo_refused, undo_no_answer.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TillSession(Protocol):
    """The drawer and the closings of a till. TillError: not_signed_in, no_right, no_snapshot, journal_failed."""

    async def open(self, pieces: Mapping[int, int]) -> None:
        """Begin a session with a float, counted by coin and note (euro cents). TillError: session_open."""
        ...

    async def move(self, direction: CashDirection, reason: CashReason, note: str, cents: int) -> None: ...

    async def count(self, pieces: Mapping[int, int]) -> CountShown: ...

    async def close(self, reason: str) -> int:
        """End the session; the closing's number. TillError: busy, nothing_to_close, reason_needed."""
        ...

    async def report(self, which: ReportKind, language: Literal["fr", "en"]) -> ReportShown:
        """ "now": what was taken up to now, and nothing changes; "last": the last closing again, as a duplicate.
        TillError: no_closing."""
        ...

    async def print_report(self, which: ReportKind, language: Literal["fr", "en"]) -> None:
        """TillError: no_closing, no_printer, printer_busy."""
        ...


class Till(Protocol):
    """The agent as its pages see it. All methods are called on the agent's event loop."""

    session: TillSession

    def screen(self) -> Screen: ...

    def catalogue(self) -> dict[str, object]:
        """{"version", "network", "venue", "means", "currencies": [{code, names, symbol, unit, kind, cents, paid_out}],
        "products": [{id, names, category, colour, prices, kind, open_price, sold_out}]}: what the product grid is drawn
        from, at the prices of this instant. Amounts in minor units; what is priced in euros comes first among the
        currencies."""
        ...

    async def wait_change(self, seen: int, timeout_s: float) -> int:
        """Sleep until the screen differs from revision `seen`, at most `timeout_s`; the revision now."""
        ...

    async def sign_in(self, pin: str) -> None: ...

    async def sign_out(self) -> None: ...

    async def pay(self, items: list[BasketItem], currency: str, bill: Bill | None = None) -> UUID:
        """Journal a sale's id and intent, then wait for a card. Of a `bill`, its part. Returns the sale's id.
        TillError."""
        ...

    async def take(self, items: list[BasketItem], currency: str, how: ByHand, bill: Bill | None = None) -> UUID:
        """Journal a sale that no card pays; nobody is asked. Returns its id. TillError."""
        ...

    async def set_sold_out(self, product: UUID, sold_out: bool) -> None:
        """Say that a product is sold out at this venue, or that there is some again. TillError("no_right", ...)."""
        ...

    async def act(self, name: str, wish: Mapping[str, object]) -> UUID:
        """Ask for a card for something else than a basket: act `name`, with what staff wish of it.

        Returns the act's id. TillError."""
        ...

    async def complete(self, offer: Offer) -> None:
        """Pay the basket that the card could not pay whole in one of the ways that the result offers. TillError."""
        ...

    async def cancel(self) -> None:
        """Take back the waiting basket; nothing was charged."""
        ...

    async def dismiss(self) -> None:
        """Close a result that is still shown."""
        ...

    async def void(self, sale: UUID, reason: str) -> None:
        """Undo one of the last sales: a reversing row in the journal.

        TillError("not_voidable", "not_yours", "too_late").
        """
        ...

    def receipt(self, sale: UUID, language: Literal["fr", "en"]) -> ReceiptShown:
        """The receipt of one of the last sales. TillError("unknown_sale")."""
        ...

    async def print_receipt(self, sale: UUID, language: Literal["fr", "en"]) -> None:
        """Have it printed, when the printer comes to it. TillError("unknown_sale", "no_printer", "printer_busy")."""
        ...

    async def train(self, on: bool) -> None:
        """Begin to practise, or stop. TillError("no_right", "busy")."""
        ...

    async def tabs(self) -> tuple[Tab, ...]:
        """The venue's open tabs, as the server tells them now. TillError("only_online", "tab_no_answer")."""
        ...

    async def add_to_tab(self, tab: UUID, items: list[BasketItem], round_: UUID) -> None:
        """Put a basket on a tab; the same `round_` is added once. TillError("tab_plain", "tab_closed", ...)."""
        ...

    async def close_tab(self, tab: UUID, rest: RestMeans | None) -> UUID | None:
        """Pay a tab from what is set aside, what goes beyond it by `rest`. The sale's id; None: nothing was on it.

        TillError("tab_over_hold", "not_offered", "tab_changed", "tab_closed", "tab_no_answer", ...).
        """
        ...
