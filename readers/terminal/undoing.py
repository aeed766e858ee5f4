"""Why somebody may not take back what was done at the till, as the screen says it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from app.rules.undoing import NotTheirs, not_theirs
from app.wire import CardActRow, SaleRow

WhyNot = Literal["not_voidable", "only_online"] | NotTheirs


def why_not(
    row: SaleRow | CardActRow, *, voided: bool, who: UUID | None, rights: Collection[str], now_us: int, online: bool
) -> WhyNot | None:
    """Why `who` may not take this back now; None: they may. A sale is taken back without network too; what put money
    on a card or took it off is not, for the card may have been used elsewhere since."""
    if voided:
        return "not_voidable"
    if isinstance(row, SaleRow):
        return not_theirs(row.sale.cashier, row.sale.occurred_at_us, who=who, rights=rights, now_us=now_us)
    why = not_theirs(row.cashier, row.at_us, who=who, rights=rights, now_us=now_us)
    return why or (None if online else "only_online")
