"""The sandbox provider: a real payment page without real money, for demonstrations and tests.

It plays somebody else's system: it has books of its own, and our side asks it for a payment's status as it would ask
any provider.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, NotFound
from app.topups.provider import Back, Checkout, Dispute, NotGenuine, Notice, Payment, PaymentStatus, ProviderRefused
from app.topups.tables import sandbox_dispute, sandbox_payment, sandbox_refund

# As real providers do, a payment page that nobody used closes after a day.
OPEN_US = 24 * 3600 * 1_000_000

# What providers charge in Europe for a dispute, give or take.
DISPUTE_FEE_CENTS = 2000

_NAMESPACE = UUID("5f0c8d5e-0b0a-4a0e-9a46-0c5f0d8a7b11")


@dataclass(frozen=True, slots=True)
class SandboxPayment:
    reference: str
    euro_cents: int
    label: str
    return_url: str
    status: PaymentStatus


class Sandbox:
    """`secret` keeps references from being guessed; `base_url` is where its page is found."""

    name = "sandbox"

    def __init__(self, engine: AsyncEngine, base_url: str, secret: bytes | None = None) -> None:
        self._engine, self._base_url = engine, base_url.rstrip("/")
        self._namespace = uuid5(_NAMESPACE, (secret or secrets.token_bytes(16)).hex())

    async def open_checkout(self, topup: UUID, euro_cents: int, label: str, return_url: str) -> Checkout:
        reference = f"sb_{uuid5(self._namespace, topup.hex).hex}"
        insert = sqlite.insert if is_sqlite(self._engine) else postgresql.insert
        values = {"reference": reference, "euro_cents": euro_cents, "label": label, "return_url": return_url}
        async with self._engine.begin() as connection:
            await connection.execute(
                insert(sandbox_payment).values(status="open", created_at_us=now_us(), **values).on_conflict_do_nothing()
            )
        return Checkout(reference, f"{self._base_url}/sandbox/pay/{reference}")

    async def look_up(self, reference: str) -> Payment:
        found = await self.payment(reference)
        return Payment(found.reference, found.status, found.euro_cents)

    async def paid_since(self, since_us: int) -> AsyncIterator[Payment]:
        async with self._engine.connect() as connection:
            mine = (sandbox_payment.c.status == "paid", sandbox_payment.c.created_at_us >= since_us)
            rows = (await connection.execute(sa.select(sandbox_payment).where(*mine))).all()
        for row in rows:
            yield Payment(row.reference, "paid", row.euro_cents)

    def notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Anybody may send one: nothing in it is believed."""
        try:
            return Notice(headers.get("sandbox-event", ""), (str(json.loads(body)["reference"]),))
        except (ValueError, LookupError, TypeError) as error:
            raise NotGenuine from error

    async def close(self) -> None:
        """Its books are in our own database."""

    async def payment(self, reference: str) -> SandboxPayment:
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(sa.select(sandbox_payment).where(sandbox_payment.c.reference == reference))
            ).one_or_none()
        if row is None:
            raise NotFound("There is no such payment.")
        closed = row.status == "open" and row.created_at_us < now_us() - OPEN_US
        status: PaymentStatus = "cancelled" if closed else row.status
        return SandboxPayment(row.reference, row.euro_cents, row.label, row.return_url, status)

    async def refund(self, payment: str, refund: UUID, euro_cents: int) -> Back:
        reference = f"rf_{refund.hex}"
        async with self._engine.begin() as connection:
            of = sa.select(sandbox_payment).where(sandbox_payment.c.reference == payment).with_for_update()
            paid = (await connection.execute(of)).one_or_none()
            rows = await connection.execute(sa.select(sandbox_refund).where(sandbox_refund.c.payment == payment))
            known = {row.id: row.euro_cents for row in rows}
            if refund in known:
                return Back(reference, "paid")
            gone = await connection.execute(sa.select(sandbox_dispute).where(sandbox_dispute.c.payment == payment))
            if paid is None or paid.status != "paid" or gone.first() is not None:
                raise ProviderRefused(self.name, 400, "not-refundable")
            if sum(known.values()) + euro_cents > paid.euro_cents:
                raise ProviderRefused(self.name, 400, "more-than-paid")
            row = {"id": refund, "payment": payment, "euro_cents": euro_cents, "at_us": now_us()}
            await connection.execute(sa.insert(sandbox_refund).values(row))
        return Back(reference, "paid")

    async def disputes(self) -> list[Dispute]:
        async with self._engine.connect() as connection:
            query = sa.select(sandbox_dispute, sandbox_payment.c.euro_cents).join_from(sandbox_dispute, sandbox_payment)
            rows = (await connection.execute(query.order_by(sandbox_dispute.c.at_us))).all()
            given_back = (await connection.execute(sa.select(sandbox_refund))).all()
        refunds = [
            Dispute(f"rf_{row.id.hex}", row.payment, "refund", row.euro_cents, asked=row.id) for row in given_back
        ]
        return refunds + [
            Dispute(
                row.payment.replace("sb_", "dp_", 1),
                row.payment,
                "dispute",
                row.euro_cents,
                DISPUTE_FEE_CENTS,
                row.won,
                DISPUTE_FEE_CENTS if row.won else 0,
            )
            for row in rows
        ]

    async def dispute(self, reference: str, *, won: bool) -> SandboxPayment:
        """The payer's bank takes a payment back, or gives it back to us. Conflict: it was not paid, or not disputed."""
        found = await self.payment(reference)
        async with self._engine.begin() as connection:
            here = sandbox_dispute.c.payment == reference
            known = (await connection.execute(sa.select(sandbox_dispute).where(here))).one_or_none()
            if found.status != "paid" or (won and known is None):
                raise Conflict("This payment cannot be disputed now.")
            if known is None:
                row = {"payment": reference, "won": False, "at_us": now_us()}
                await connection.execute(sa.insert(sandbox_dispute).values(**row))
            elif won:
                await connection.execute(sa.update(sandbox_dispute).where(here).values(won=True))
        return found

    async def finish(self, reference: str, status: Literal["paid", "failed", "cancelled"]) -> SandboxPayment:
        """What the payer chose on the page. A payment ends once; choosing the same again changes nothing."""
        async with self._engine.begin() as connection:
            await connection.execute(
                sa.update(sandbox_payment)
                .where(
                    sandbox_payment.c.reference == reference,
                    sandbox_payment.c.status == "open",
                    sandbox_payment.c.created_at_us >= now_us() - OPEN_US,
                )
                .values(status=status)
            )
        found = await self.payment(reference)
        if found.status != status:
            raise Conflict("This payment has ended already.")
        return found
