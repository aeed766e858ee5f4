"""Who may take back a sale at the till: a mistake is mended at once by who made it, anything else by who may void."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from app.wire import SaleRow

# The customer is still at the counter.
OWN_MINUTES = 15

WhyNot = Literal["not_voidable", "not_yours", "too_late"]


def why_not(row: SaleRow, *, voided: bool, who: UUID | None, rights: Collection[str], now_us: int) -> WhyNot | None:
    """Why `who` may not take this sale back now; None: they may."""
    if voided:
        return "not_voidable"
    if "void" in rights:
        return None
    if row.sale.cashier is None or row.sale.cashier != who:
        return "not_yours"
    late = now_us - row.sale.occurred_at_us > OWN_MINUTES * 60 * 1_000_000
    return "too_late" if late else None
