"""What Comptoir asks of a payment provider. Strong authentication and card numbers stay on the provider's pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

PaymentStatus = Literal["open", "paid", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Checkout:
    """`reference`: the provider's name for the payment. `url`: where the holder pays."""

    reference: str
    url: str


class Provider(Protocol):
    """One payment provider. A payment's status is asked of it, never taken from a browser or a webhook's body."""

    name: str

    async def open_checkout(self, topup: UUID, euro_cents: int, label: str, return_url: str) -> Checkout:
        """A payment page for exactly this amount; the same top-up asked for twice gives the same payment."""
        ...

    async def status(self, reference: str) -> PaymentStatus: ...
