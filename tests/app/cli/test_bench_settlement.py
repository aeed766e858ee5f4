"""What `comptoir bench settlement` measures on is a ledger like any other: only its making is short."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.cli.bench.settlement import Ground
from app.cli.bench.settling import settling_figures
from app.ledger.figures.follow import catch_up
from app.ledger.verify import verify
from app.platform.context import Context
from app.platform.settings import Settings

FIGURES = ("day_flow", "month_flow", "lot", "lot_use", "spent_from", "spent_month", "shortfall")


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_it_measures_on_a_ledger_in_which_verify_finds_nothing(database_url: str, tmp_path: Path) -> None:
    address = database_url.replace("+asyncpg", "")
    ground = Ground(address, tmp_path, entries=0, sales=3_000, venues=5, tell=lambda _: None)
    found = await asyncio.to_thread(settling_figures, ground)
    assert {"positions_s", "drill_p99_ms", "run_s"} <= set(found)
    assert all(value > 0 for value in found.values()), found
    context = Context.open(Settings(data=tmp_path, database_url=address))
    try:
        await catch_up(context.engine)
        report = await verify(context.engine, context.keys.signing.public_key())
        assert report.ok, report.findings
        assert report.operations > 3_300, "sales, what was loaded before them, and the run"
        written = await _figures(context)
        async with context.engine.begin() as connection:
            for table in FIGURES:
                await connection.execute(sa.text(f"DELETE FROM {table}"))
            await connection.execute(sa.text("UPDATE figures_head SET transfer = 0"))
        await catch_up(context.engine)
        assert await _figures(context) == written, "as they are made from one transfer after the other"
    finally:
        await context.close()


async def _figures(context: Context) -> dict[str, set[Any]]:
    async with context.engine.connect() as connection:
        return {it: {tuple(row) for row in await connection.execute(sa.text(f"SELECT * FROM {it}"))} for it in FIGURES}
