"""`comptoir bench`: all figures with one command, on a durable PostgreSQL of its own unless a URL is given."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import LazyGroup

if TYPE_CHECKING:
    from app.cli.bench.cases import Row
    from app.cli.bench.ground import Ground

CASES = ("sale_http", "sync_batch", "sqlite_sale_http", "history_1e4", "history_1e6")
FASTAPI = "a FastAPI route that only validates the same body"


class Benches(LazyGroup):
    """What else can be measured: commands of other packages, the terminal's among them."""

    registered = "comptoir.benches"


@click.group(cls=Benches, invoke_without_command=True)
@click.option("--url", help="An empty PostgreSQL database to use instead: postgresql://user:password@host/name")
@click.option("--case", "chosen", multiple=True, type=click.Choice(CASES), help="Only these cases; may be repeated.")
@click.option("--quick", is_flag=True, help="A tenth of the requests: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of rows.")
def bench(url: str | None, chosen: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Measure sales per second and what they cost, each figure beside its floor of the same run."""
    if click.get_current_context().invoked_subcommand:
        return
    wanted = set(chosen or CASES)
    rows: list[Row] = []

    def tell(line: str) -> None:
        click.echo(line, err=True)

    with ExitStack() as held:
        scratch = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="comptoir-bench-")))
        if wanted - {"sqlite_sale_http"}:
            from app.platform.throwaway_postgres import throwaway_postgres  # noqa: PLC0415

            address = url or held.enter_context(throwaway_postgres(durable=True)).format(db="postgres")
            rows += _postgres(scratch / "postgres", address, wanted, quick, tell)
        if "sqlite_sale_http" in wanted:
            rows += _sqlite(scratch / "sqlite", rows, quick, tell)
    if as_json:
        click.echo(json.dumps([it.document() for it in rows]))
    else:
        _table(rows)


@contextmanager
def _prepared(folder: Path, address: str | None, devices: int) -> Iterator[tuple[dict[str, str], Ground]]:
    """(environment of the server, what is in its database)."""
    from app.cli.bench.ground import prepare  # noqa: PLC0415
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    folder.mkdir()
    settings = Settings(data=folder, database_url=address)
    upgrade(settings.sqlalchemy_url)
    found = asyncio.run(prepare(settings, devices))
    env = {"COMPTOIR_DATA": str(folder), "COMPTOIR_LOG_LEVEL": "warning"}
    yield env | ({"COMPTOIR_DATABASE_URL": address} if address else {}), found


def _postgres(folder: Path, address: str, wanted: set[str], quick: bool, tell: Callable[[str], None]) -> list[Row]:
    from app.cli.bench import cases  # noqa: PLC0415

    rows: list[Row] = []
    tell("preparing 10,000 cards")
    with _prepared(folder, address, 8) as (env, ground):
        _run_sql(address, cases.FLOORS.read_text())
        if "sale_http" in wanted:
            for workers in (1, 2):
                rows += _sales(folder, env, ground, address, workers, quick, tell)
        if "sync_batch" in wanted:
            rows += _batches(folder, env, ground, address, quick, tell)
        if wanted & {"history_1e4", "history_1e6"}:
            rows += _history(folder, env, ground, address, wanted, quick, tell)
    return rows


def _sales(
    folder: Path,
    env: dict[str, str],
    ground: Ground,
    address: str,
    workers: int,
    quick: bool,
    tell: Callable[[str], None],
) -> list[Row]:
    from app.cli.bench import cases  # noqa: PLC0415

    rows: list[Row] = []
    bodies, token = folder / "bodies", cases.token_of(ground)
    with (
        cases.server("fastapi_noop", env, workers, folder) as (noop, _),
        cases.server("ours", env, workers, folder) as (ours, pid),
    ):
        cases.load(ours, "/api/v1/sales", token, ground.sales(_count(20_000, quick), bodies), 64)
        for clients in (1, 32, 64, 256):
            tell(f"sales over HTTP, {workers} worker(s), {clients} clients")
            count = _count(3_000 if clients == 1 else 20_000, quick)
            floor = cases.load(noop, "/noop", token, ground.sales(count, bodies), clients)
            same = cases.load(ours, "/api/v1/noop", token, ground.sales(count, bodies), clients)
            before = _seals(address)
            seen = cases.load(ours, "/api/v1/sales", token, ground.sales(count, bodies), clients)
            per_commit = count / max(1, _seals(address) - before)
            rows += [
                cases.row(
                    "sale_http",
                    workers,
                    clients,
                    seen,
                    floor["rate"],
                    FASTAPI,
                    per_commit=per_commit,
                    rss_mb=cases.rss_mb(pid),
                ),
                cases.row("sale_http_vs_own_noop", workers, clients, seen, same["rate"], "our route without booking"),
            ]
            if clients == 64:
                sql = cases.sale_floor(address, 32)
                rows.append(
                    cases.row("sale_http_vs_sql", workers, clients, seen, sql, "bare SQL, one transaction a sale")
                )
    return rows


def _batches(
    folder: Path, env: dict[str, str], ground: Ground, address: str, quick: bool, tell: Callable[[str], None]
) -> list[Row]:
    from app.cli.bench import cases  # noqa: PLC0415
    from app.cli.bench.ground import BATCH_ROWS, history  # noqa: PLC0415

    tell("offline batches of 500")
    floor = cases.batch_floor(address)
    with cases.server("ours", env, 1, folder) as (port, _):
        # As before the sales over HTTP: the process has met nearly all cards.
        warm = history(ground, ground.devices[7], _count(60, quick), folder / "batches")
        cases.load(port, "/api/v1/terminals/sync", ground.devices[7].token, warm, 1)
        # One terminal sends its journal in order, so one connection.
        bodies = history(ground, ground.devices[1], _count(60, quick), folder / "batches")
        seen = cases.load(port, "/api/v1/terminals/sync", ground.devices[1].token, bodies, 1)
    return [cases.row("sync_batch", 1, 1, seen, floor, "bare set-based SQL, 500 a transaction", scale=BATCH_ROWS)]


def _history(
    folder: Path,
    env: dict[str, str],
    ground: Ground,
    address: str,
    wanted: set[str],
    quick: bool,
    tell: Callable[[str], None],
) -> list[Row]:
    """What a sale costs with more and more history behind it: the rate at 64 clients beside that with the least."""
    from app.cli.bench import cases  # noqa: PLC0415
    from app.cli.bench.ground import history  # noqa: PLC0415

    rows: list[Row] = []
    first: float | None = None
    bodies, token = folder / "bodies", cases.token_of(ground)
    sizes = {"history_1e4": 10**4, "history_1e5": 10**5, "history_1e6": 10**6}
    with cases.server("ours", env, 1, folder) as (port, pid):
        cases.load(port, "/api/v1/sales", token, ground.sales(_count(20_000, quick), bodies), 64)
        device = iter(ground.devices[2:])
        for name, size in sizes.items():
            if quick and size > 10**5:
                continue
            missing = size - _transfers(address)
            if missing > 0:
                tell(f"{size:,} transfers of history")
                one = next(device)
                filled = history(ground, one, -(-missing // 500), folder / "fill")
                cases.load(port, "/api/v1/terminals/sync", one.token, filled, 1)
            seen = cases.load(port, "/api/v1/sales", token, ground.sales(_count(20_000, quick), bodies), 64)
            first = first or seen["rate"]
            rows.append(cases.row(name, 1, 64, seen, first, "the same with 10,000 transfers", rss_mb=cases.rss_mb(pid)))
    return [it for it in rows if it.case in wanted or it.case == "history_1e5"]


def _sqlite(folder: Path, before: list[Row], quick: bool, tell: Callable[[str], None]) -> list[Row]:
    from app.cli.bench import cases  # noqa: PLC0415

    tell("sales over HTTP on SQLite")
    postgres = next((it.rate for it in before if (it.case, it.workers, it.clients) == ("sale_http", 1, 32)), None)
    with _prepared(folder, None, 1) as (env, ground):
        bodies, token = folder / "bodies", cases.token_of(ground)
        with cases.server("ours", env, 1, folder) as (port, _):
            cases.load(port, "/api/v1/sales", token, ground.sales(_count(20_000, quick), bodies), 32)
            seen = cases.load(port, "/api/v1/sales", token, ground.sales(_count(20_000, quick), bodies), 32)
        if postgres is not None:
            return [cases.row("sqlite_sale_http", 1, 32, seen, postgres, "the same on PostgreSQL")]
        with cases.server("fastapi_noop", env, 1, folder) as (port, _):
            noop = cases.load(port, "/noop", token, ground.sales(_count(20_000, quick), bodies), 32)
    return [cases.row("sqlite_sale_http", 1, 32, seen, noop["rate"], FASTAPI)]


def _count(full: int, quick: bool) -> int:
    return max(1, full // 10) if quick else full


def _seals(address: str) -> int:
    return int(_run_sql(address, "SELECT seal_id FROM ledger_head"))


def _transfers(address: str) -> int:
    return int(_run_sql(address, "SELECT transfer_id FROM ledger_head"))


def _run_sql(address: str, text: str) -> Any:
    import asyncpg  # noqa: PLC0415

    async def run() -> Any:
        connection = await asyncpg.connect(address)
        try:
            if text.lstrip().upper().startswith("SELECT"):
                return await connection.fetchval(text)
            return await connection.execute(text)
        finally:
            await connection.close()

    return asyncio.run(run())


def _table(rows: list[Row]) -> None:
    click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    click.echo(
        f"{'case':<24}{'workers':>8}{'clients':>8}{'per s':>10}{'floor':>10}{'ratio':>7}{'p50 ms':>9}"
        f"{'p99 ms':>9}{'refused':>9}{'a commit':>10}{'load cpu':>10}{'RSS MB':>8}   floor"
    )
    for it in rows:
        click.echo(
            f"{it.case:<24}{it.workers:>8}{it.clients:>8}{it.rate:>10,.0f}{it.floor:>10,.0f}{it.ratio:>7.2f}"
            f"{it.p50_ms:>9.2f}{it.p99_ms:>9.2f}{it.refused:>9}"
            f"{'' if it.per_commit is None else f'{it.per_commit:.1f}':>10}"
            f"{'' if it.cpu_percent is None else f'{it.cpu_percent:.0f} %':>10}"
            f"{'' if it.rss_mb is None else f'{it.rss_mb:.0f}':>8}   {it.floor_is}"
        )
