"""What the staff screen shows, as data: the one shape between the agent and its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

from app.rules.offline import Refusal

Phase = Literal["ready", "present_card", "checking", "paid", "refused"]


@dataclass(frozen=True, slots=True)
class BasketItem:
    """What staff chose: `quantity` of a product, to be paid in `currency`."""

    product: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Balance:
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Result:
    """How the last tap ended. `balances` is what is left (None: unknown); `offline`: the terminal decided alone."""

    sale: UUID
    card: str | None
    currency: str
    total: int
    reason: Refusal | None
    offline: bool
    balances: tuple[Balance, ...] | None
    at_us: int


@dataclass(frozen=True, slots=True)
class PastSale:
    """One of the last sales of this terminal, newest first on the screen."""

    sale: UUID
    card: str
    currency: str
    total: int
    lines: tuple[tuple[str, int], ...]
    at_us: int
    offline: bool
    voided: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything a staff screen shows. `waiting` counts journal rows the server has not acknowledged yet."""

    phase: Phase
    venue: str
    terminal: str
    signed_in: UUID | None
    online: bool
    offline_since_us: int | None
    waiting: int
    reader: Literal["ok", "lost"]
    reader_reason: str | None
    snapshot_age_s: float | None
    snapshot_stale: bool
    quarantined: bool
    clock_skewed: bool = False
    pending_total: int = 0
    pending_currency: str | None = None
    result: Result | None = None
    hint: Literal["unusable_card", "two_cards", "remove_card"] | None = None
    catalogue_version: str = ""
    last_sales: tuple[PastSale, ...] = field(default=())


class TillError(Exception):
    """A command the till can't carry out now; `reason` is a stable word that the page translates.

    wrong_pin, not_signed_in, too_many_attempts, empty_basket, unknown_product, no_price, busy, no_snapshot,
    not_voidable, journal_failed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Till(Protocol):
    """The agent as its pages see it. All methods are called on the agent's event loop."""

    def screen(self) -> Screen: ...

    def catalogue(self) -> dict[str, object]:
        """{"version", "network", "venue", "currencies": [{code, names, symbol, unit}], "products": [{id, names,
        category, colour, prices}]}: what the product grid is drawn from. Amounts in minor units."""
        ...

    async def wait_change(self, seen: int, timeout_s: float) -> int:
        """Sleep until the screen differs from revision `seen`, at most `timeout_s`; the revision now."""
        ...

    async def sign_in(self, pin: str) -> None: ...

    async def sign_out(self) -> None: ...

    async def pay(self, items: list[BasketItem], currency: str) -> UUID:
        """Journal a sale's id and intent, then wait for a card. Returns the sale's id. TillError."""
        ...

    async def cancel(self) -> None:
        """Take back the waiting basket; nothing was charged."""
        ...

    async def dismiss(self) -> None:
        """Close a result that is still shown."""
        ...

    async def void(self, sale: UUID, reason: str) -> None:
        """Undo one of the last sales: a reversing row in the journal. TillError("not_voidable")."""
        ...
