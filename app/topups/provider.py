"""What Comptoir asks of a payment provider. Strong authentication and card numbers stay on the provider's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

PaymentStatus = Literal["open", "paid", "failed", "cancelled"]
# dispute: the holder's bank asks for a card payment back; return: a bank gives a direct debit back; refund: somebody
# gave the payment back on the provider's own pages.
DisputeKind = Literal["dispute", "return", "refund"]


@dataclass(frozen=True, slots=True)
class Checkout:
    """`reference`: the provider's name for the payment. `url`: where the holder pays."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that the provider has taken back from us. `reference`: its name for the dispute, `payment` for the
    payment. `fee_cents`: what it charges for it. `won`: it gave the money back, and of the fee `fee_back_cents`."""

    reference: str
    payment: str
    kind: DisputeKind
    euro_cents: int
    fee_cents: int = 0
    won: bool = False
    fee_back_cents: int = 0


class Provider(Protocol):
    """One payment provider. A payment's status is asked of it, never taken from a browser or a webhook's body."""

    name: str

    async def open_checkout(self, topup: UUID, euro_cents: int, label: str, return_url: str) -> Checkout:
        """A payment page for exactly this amount; the same top-up asked for twice gives the same payment."""
        ...

    async def status(self, reference: str) -> PaymentStatus: ...

    async def disputes(self) -> Sequence[Dispute]:
        """Those that were opened or changed lately, at least of the last 120 days; an old one told again is no harm."""
        ...
