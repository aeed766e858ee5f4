"""`comptoir verify` also misses the guards of what is never rewritten beside the ledger."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.cli.server import guards_missing
from app.platform.context import Context
from app.platform.database import is_sqlite
from tests.support.network import both

pytestmark = pytest.mark.anyio


@both
async def test_a_guard_that_was_taken_away_is_named(context: Context) -> None:
    assert await guards_missing(context.engine) == []
    sqlite = is_sqlite(context.engine)
    names = {
        "closing": "guard_closing_update" if sqlite else "guard_rewrite",
        "settlement_event": "guard_settlement_event_turn" if sqlite else "guard_turn",
        "exposure_acceptance": "guard_exposure_acceptance_delete" if sqlite else "guard_truncate",
        "books_line": "guard_books_line_late" if sqlite else "guard_books_late",
        "till_record": "till_record_delete" if sqlite else "till_record_whole",
        "policy": "guard_policy_delete" if sqlite else "guard_next",
    }
    async with context.engine.begin() as connection:
        for table, name in names.items():
            await connection.execute(sa.text(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}")))
    assert await guards_missing(context.engine) == [f"{table}.{name}" for table, name in names.items()]
