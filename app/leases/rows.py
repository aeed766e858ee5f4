"""The rows by which terminals give tickets back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.leases.service import give_back
from app.ledger.service import Ledger
from app.terminals.rows import Exceptions, HandlersOf, Place
from app.wire.tickets import TicketsBackRow


async def book(ledger: Ledger, place: Place, rows: Sequence[TicketsBackRow], _: Exceptions) -> None:
    """What the terminal sold before stands before it in its journal: these it can no longer sell."""
    for row in rows:
        await give_back(ledger.engine, place.terminal.id, row.tickets)


HANDLERS: Final[HandlersOf] = {TicketsBackRow: book}
