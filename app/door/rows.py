"""The rows of journals that tell of doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.door.service import record
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.terminals.rows import Exceptions, HandlersOf, Place
from app.wire.door import PassageRow


async def book(ledger: Ledger, place: Place, rows: Sequence[PassageRow], _: Exceptions) -> None:
    """What happened is written down, doubtful or not; the event's page tells which of it is."""
    async with ledger.engine.begin() as connection:
        await record(connection, place.terminal.id, rows, now_us())


HANDLERS: Final[HandlersOf] = {PassageRow: book}
