"""What the staff screen may ask of the till, and why it can't be done: the commands between the pages and the agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol
from uuid import UUID

from app.rules.door import Direction
from app.rules.takings import CashReason
from app.wire import Bill, Means
from app.wire.tabs import Tab
from readers.terminal.view import BasketItem, ByHand, CountShown, DoorListed, Offer, ReceiptShown, ReportShown, Screen

CashDirection = Literal["in", "out"]
ReportKind = Literal["now", "closed", "last"]


class TillError(Exception):
    """A command the till can't carry out now; `reason` is a stable word that the page translates.

    wrong_pin, not_signed_in, too_many_attempts, empty_basket, unknown_product, no_price, busy, no_snapshot,
    not_voidable, not_yours, too_late, not_offered, journal_failed, unknown_sale, no_printer, printer_busy, no_right,
    only_online, card_first, unknown_act, wrong_amount, not_allowed, in_training, no_session, session_open,
    nothing_to_close, reason_needed, no_closing, tab_plain, tab_over_hold, tab_closed, tab_changed, tab_funds,
    tab_blocked, tab_not_proven, tab_refused, tab_no_answer, tab_not_noted, price_changed, below_zero,
    card_only, only_cash, not_a_gift, undo_spent, undo_away, undo_not_there, undo_refused, undo_no_answer,
    no_event, no_ticket, no_tickets, tickets_not_given, tickets_whole.
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


class Door(Protocol):
    """The door of an event at this terminal. TillError: no_event, not_signed_in, not_allowed, journal_failed."""

    def open(self, event: UUID | None) -> None:
        """Stand at its door; None: of the one that is on, or next."""
        ...

    def close(self) -> None: ...

    def turn(self, direction: Direction) -> None:
        """Whether people come in or go out."""
        ...

    def dismiss(self) -> None: ...

    def listed(self, text: str) -> tuple[DoorListed, ...]:
        """Tickets by a part of a name, or by number."""
        ...

    async def code(self, text: str) -> None: ...

    async def ticket(self, ticket: UUID) -> None:
        """One of the list. TillError: no_ticket."""
        ...

    async def more(self, count: int) -> None:
        """So many of the other tickets of the same card."""
        ...

    async def anyway(self) -> None:
        """Before the doors' time. TillError: no_ticket."""
        ...


class Till(Protocol):
    """The agent as its pages see it. All methods are called on the agent's event loop."""

    session: TillSession

    @property
    def door(self) -> Door:
        """The door of an event. TillError: no_event."""
        ...

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
        """The receipt of one of the last sales or top-ups. TillError("unknown_sale")."""
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

    async def close_tab(self, tab: UUID, rest: Means | None, reason: str = "") -> UUID | None:
        """Pay a tab from what is set aside, what goes beyond it by `rest`. The sale's id; None: nothing was on it.
        `reason`: why the house gives the rest.

        TillError("tab_over_hold", "not_offered", "tab_changed", "tab_closed", "tab_no_answer", "reason_needed", ...).
        """
        ...
