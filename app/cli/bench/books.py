"""The file for the tax office of a large year: its time, and the memory of the process that writes it.

The entries are sales of a bar, two lines each, made by one statement; the month that holds them is sealed as every
month is, so the database has looked at every entry and every number.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import perf_counter, sleep

from sqlalchemy import text

from app.accounting.books import closing, keeping, store
from app.accounting.books.entries import Bookkeeper
from app.accounting.books.reading import Read
from app.accounting.tables import NETWORK_BOOKS
from app.cli.bench.settlement import Ground
from app.currencies.service import NETWORK
from app.platform.context import Context
from app.platform.settings import Settings
from app.sales.closings import store as closings
from app.venues.rules import NetworkSettings
from app.venues.service import set_network

_MONTH = date(2026, 11, 1)
_SIREN = "732829320"
# How often the process is asked what it holds.
_LOOK_S = 0.02
_SALES = """
    INSERT INTO books_line (books, exercise, journal, number, place, closing, day, account, party, piece, piece_day,
                            label, debit, credit)
    SELECT :books, 2026, 'VE', number, place, 1, day, CASE place WHEN 1 THEN '165100' ELSE '467200' END, '',
           gen_random_uuid()::text, day, 'Vente', CASE place WHEN 1 THEN cents ELSE 0 END,
           CASE place WHEN 1 THEN 0 ELSE cents END
    FROM (SELECT number, DATE '2026-11-01' + (30 * (number - 1) / :entries)::int AS day, 100 + number % 900 AS cents
          FROM generate_series(1, :entries) AS number) AS sale, (VALUES (1), (2)) AS line (place)"""


def fec_figures(ground: Ground) -> dict[str, float]:
    """`fec_s` from the start of `comptoir books fec` to its end, `fec_cpu_s` the processor time that it took itself,
    `fec_rss_mb` its largest resident memory, `fec_mb` what it wrote."""
    ground.tell(f"{ground.entries:,} entries")
    asyncio.run(_fill(ground))
    ground.tell("the file for the tax office")
    command = [sys.executable, "-c", "from app.cli import main; main()", "books", "fec", NETWORK, "--year", "2026"]
    env = {**os.environ, "COMPTOIR_DATA": str(ground.folder), "COMPTOIR_DATABASE_URL": ground.address}
    started = perf_counter()
    with subprocess.Popen([*command, "--to", str(ground.folder)], env=env, stdout=subprocess.DEVNULL) as child:  # noqa: S603
        memory_kb = 0
        while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
            memory_kb = max(memory_kb, _held_kb(child.pid))
            sleep(_LOOK_S)
        _, status, used = ended
        seconds = perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"comptoir books fec ended with {child.returncode}")
    size = (ground.folder / f"{_SIREN}FEC20261130.txt").stat().st_size
    return {
        "fec_s": seconds,
        "fec_cpu_s": used.ru_utime + used.ru_stime,
        "fec_rss_mb": memory_kb / 1024,
        "fec_mb": size / 1e6,
    }


def _held_kb(pid: int) -> int:
    """The most that a process has held so far. What wait4 says of it counts what its parent held when it was made."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


async def _fill(ground: Ground) -> None:
    context = Context.open(Settings(data=ground.folder, database_url=ground.address))
    async with context.engine.begin() as connection:
        await set_network(connection, "Bench", NetworkSettings())
        books = await keeping.books_named(connection, NETWORK)
        kept = {"legal_name": "Bench", "siren": _SIREN, "regime": "association"}
        await keeping.keep(connection, books, **kept, year_starts=1, changed={})
        await connection.execute(text(f"SET LOCAL statement_timeout = '{store.CLOSING_TIMEOUT_S}s'"))
        await connection.execute(text(_SALES), {"books": NETWORK_BOOKS, "entries": ground.entries})
    async with context.engine.connect() as connection:
        await store.open_draft(connection)
        await closings.lock(connection)
        keeper = Bookkeeper(books.owner, books.chart, {})
        await closing.seal_month(
            connection, context.keys.signing, books, closing.Due(_MONTH, None), 2026, Read(), keeper, {}
        )
        await store.drop_draft(connection)
        await connection.commit()
    await context.close()
