"""Cancels by id: nobody was shown a green light, so nothing of it may stand."""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.ledger.rules.operations import Posted, Tombstone
from app.ledger.service import Ledger
from app.sales.booking import Counter
from app.sales.rows.undoing import take_back
from app.terminals.rows import Exceptions
from app.wire import CancelRow


async def book(ledger: Ledger, counter: Counter, rows: Sequence[CancelRow], exceptions: Exceptions) -> None:
    """What was booked is reversed; an id never seen becomes a tombstone that refuses a late arrival."""
    for row in rows:
        details = json.dumps({"cancel": str(row.id)})
        (outcome,) = await ledger.post([Tombstone(row.sale, counter.actor, details)])
        if isinstance(outcome, Posted):
            await take_back(ledger, counter, row.sale, row.id, row.at_us, {"reason": "cancelled"}, exceptions)
