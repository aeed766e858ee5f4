"""What was practised in training mode: kept, shown apart, and booked nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects import postgresql, sqlite

from app.ledger.service import Ledger
from app.platform.database import is_sqlite
from app.sales.booking import Counter
from app.sales.tables import training
from app.terminals.rows import Exceptions
from app.wire import TrainingRow


async def book(ledger: Ledger, counter: Counter, rows: Sequence[TrainingRow], _: Exceptions) -> None:
    """The ledger is only asked for its database: nothing of a training is ever posted."""
    async with ledger.engine.begin() as connection:
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        for row in rows:
            values = {
                "event": row.id,
                "terminal": counter.terminal.id,
                "venue": counter.venue.id,
                "number": row.number,
                "what": row.what,
                "cashier": row.cashier,
                "at_us": row.at_us,
                "payload": row.model_dump_json(),
            }
            await connection.execute(insert(training).values(values).on_conflict_do_nothing())
