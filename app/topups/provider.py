"""What Comptoir asks of a payment provider. Strong authentication and card numbers stay on the provider's pages.

ProviderAway (Unavailable)      it does not answer, or not in time: nothing is known, and asking again does no harm
ProviderRefused (DomainError)   it answers that it will not: a wrong key, a request that it does not understand
NotGenuine                      a notice that does not come from it
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from app.platform.errors import DomainError, Unavailable

PaymentStatus = Literal["open", "paid", "failed", "cancelled"]
# dispute: the holder's bank asks for a card payment back; return: a bank gives a direct debit back; refund: somebody
# gave the payment back on the provider's own pages.
DisputeKind = Literal["dispute", "return", "refund"]
# pending: asked for, and not at the payer's bank yet; failed: it never will be, and the money is with us.
BackStatus = Literal["pending", "paid", "failed"]

AWAY_RETRY_S = 30


class ProviderAway(Unavailable):
    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"{provider} does not answer ({reason}).", AWAY_RETRY_S, "provider-away")


class ProviderRefused(DomainError):
    """`status` is its HTTP status, `reason` its own name for what is wrong."""

    def __init__(self, provider: str, status: int, reason: str) -> None:
        super().__init__("provider-refused", f"{provider} refuses ({status} {reason}).")
        self.status, self.reason = status, reason


class NotGenuine(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Checkout:
    """`reference`: the provider's name for the payment. `url`: where the holder pays."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the provider tells it. `euro_cents`: what is or was to be paid, None if it is not in euros.
    `fee_cents`: what the provider keeps of it, None as long as it does not say. `topup`: the one it was opened for.
    `refunded_cents`: of what was paid, what has been given back."""

    reference: str
    status: PaymentStatus
    euro_cents: int | None
    fee_cents: int | None = None
    topup: UUID | None = None
    refunded_cents: int = 0


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that the provider has taken back from us. `reference`: its name for the dispute, `payment` for the
    payment, or the id of the top-up it was opened for. `fee_cents`: what it charges for it. `won`: it gave the money
    back, and of the fee `fee_back_cents`. `asked`: it is a refund that this server asked for, under this id."""

    reference: str
    payment: str
    kind: DisputeKind
    euro_cents: int
    fee_cents: int = 0
    won: bool = False
    fee_back_cents: int = 0
    asked: UUID | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """A payment that was given back, all or in part. `reference`: the provider's name for it."""

    reference: str
    status: BackStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A provider's word that something happened. `event`: its name for the notice, by which it is known when it comes
    twice, "" if it has none. `names`: of payments, as in `Dispute.payment`. `taken_back`: whether it may be about one
    that was taken back, None if it does not say. What happened is then asked for."""

    event: str
    names: tuple[str, ...]
    taken_back: bool | None = None


class Provider(Protocol):
    """One payment provider. A payment's status is asked of it, never taken from a browser or a webhook's body."""

    name: str

    async def open_checkout(self, topup: UUID, euro_cents: int, label: str, return_url: str) -> Checkout:
        """A payment page for exactly this amount; the same top-up asked for twice gives the same payment."""
        ...

    async def look_up(self, reference: str) -> Payment: ...

    async def refund(self, payment: str, refund: UUID, euro_cents: int) -> Back:
        """Give so much of a payment (its reference) back to whoever paid it. Asked for again under the same id, it is
        the same refund, and tells what became of it. ProviderRefused where it never will be."""
        ...

    async def disputes(self) -> Sequence[Dispute]:
        """Those that were opened or changed lately, at least of the last 120 days; an old one told again is no harm."""
        ...

    def paid_since(self, since_us: int) -> AsyncIterator[Payment]:
        """Payments opened since then for a top-up of this server, and paid."""
        ...

    def notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """What a notice is about. Raises NotGenuine."""
        ...

    async def close(self) -> None: ...
