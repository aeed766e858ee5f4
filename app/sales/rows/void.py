"""Voids: staff undid at the terminal what was paid there."""

from __future__ import annotations

from collections.abc import Sequence

from app.ledger.service import Ledger
from app.sales.booking import Counter
from app.sales.rows.undoing import details_of, take_back
from app.terminals.rows import Exceptions
from app.wire import VoidRow


async def book(ledger: Ledger, counter: Counter, rows: Sequence[VoidRow], exceptions: Exceptions) -> None:
    for row in rows:
        await take_back(ledger, counter, row.sale, row.id, row.at_us, details_of(row), exceptions)
