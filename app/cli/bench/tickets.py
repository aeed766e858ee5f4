"""`comptoir bench tickets`: a sale opens, on a durable PostgreSQL of its own.

More buyers than there are places order one each, over HTTP as their phones do, and are answered: with a ticket, paid
and issued, or that none are left. Then the database is asked how many there are.
"""

from __future__ import annotations

import asyncio
import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from app.cli.bench.ground import Ground
    from app.platform.settings import Settings

BUYERS, PLACES = 2_000, 500
CLIENTS, WORKERS = 200, 2
PRICE = 1_200


@dataclass(frozen=True, slots=True)
class Opening:
    """`opening_rate`: orders answered a second, whatever the answer. `check_p50_ms`: half of the checks at the door
    within; None where it was not measured."""

    opening_rate: float
    opening_oversold: int
    opening_p50_ms: float
    opening_p99_ms: float
    sold_rate: float
    issued: int
    told_sold_out: int
    failed: int
    buyers: int
    places: int
    workers: int
    clients: int
    check_p50_ms: float | None = None


LINES = (
    ("opening_rate", "orders answered a second", "wanted: 150"),
    ("opening_oversold", "tickets beyond the places there are", "wanted: 0"),
    ("opening_p50_ms", "half of the answers within, ms", ""),
    ("opening_p99_ms", "99 of 100 within, ms", "wanted: under 2000"),
    ("issued", "tickets issued", ""),
    ("told_sold_out", "buyers told that none are left", ""),
    ("failed", "other answers", "wanted: 0"),
    ("sold_rate", "orders a second where all are paid and issued", ""),
    ("check_p50_ms", "half of the checks at the door within, ms", "wanted: under 20"),
)


@click.command("tickets")
@click.option("--quick", is_flag=True, help="A tenth of the buyers and places: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def tickets(quick: bool, as_json: bool) -> None:
    """Measure a sale that opens with more people waiting than there are places."""
    from app.platform.throwaway_postgres import throwaway_postgres  # noqa: PLC0415

    with (
        tempfile.TemporaryDirectory(prefix="comptoir-bench-") as folder,
        throwaway_postgres(durable=True) as server,
    ):
        found = measure(Path(folder), server.format(db="postgres"), 10 if quick else 1)
    found = replace(found, check_p50_ms=_check_p50_ms(quick))
    if as_json:
        click.echo(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(found).items()}))
        return
    click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.machine()}")
    click.echo(f"{found.buyers} buyers, {found.clients} at once, {found.places} places, {found.workers} workers\n")
    for name, words, wanted in LINES:
        value = getattr(found, name)
        shown = "-" if value is None else f"{value:.2f}"
        click.echo(f"{words:<46}{shown:>10}   {wanted}".rstrip())


def measure(folder: Path, address: str, part: int) -> Opening:
    """On an empty database; `part`: 1 for all, 10 for a tenth of it."""
    from app.cli.bench import cases  # noqa: PLC0415
    from app.cli.bench.ground import prepare  # noqa: PLC0415
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings(data=folder, database_url=address)
    upgrade(settings.sqlalchemy_url)
    buyers, places = BUYERS // part, PLACES // part
    ground = asyncio.run(prepare(settings, 0))
    some = replace(ground, uids=ground.uids[: buyers + places])
    env = {"COMPTOIR_DATA": str(folder), "COMPTOIR_LOG_LEVEL": "warning", "COMPTOIR_DATABASE_URL": address}
    lines = folder / "orders"
    with cases.server("ours", env, WORKERS, folder) as (port, _):
        # Warms the server up too.
        few = asyncio.run(_opened(settings, replace(some, uids=some.uids[buyers:]), places))
        lines.write_text("\n".join(few))
        sold = cases.posts(port, lines, CLIENTS)
        lines.write_text("\n".join(asyncio.run(_opened(settings, replace(some, uids=some.uids[:buyers]), places))))
        seen = cases.posts(port, lines, CLIENTS)
    issued = asyncio.run(_issued(settings))
    told: dict[str, Any] = seen["statuses"]
    return Opening(
        seen["rate"],
        max(0, issued - places),
        seen["p50_ms"],
        seen["p99_ms"],
        sold["rate"],
        issued,
        int(told.get("409", 0)),
        buyers - int(told.get("200", 0)) - int(told.get("409", 0)),
        buyers,
        places,
        WORKERS,
        CLIENTS,
    )


def _check_p50_ms(quick: bool) -> float | None:
    """By the terminal's own bench, for the server knows no terminal; None where there is none."""
    command = [sys.executable, "-c", "from app.cli import main; main()", "bench", "door", "--json"]
    run = subprocess.run([*command, *(["--quick"] if quick else [])], capture_output=True, check=False)  # noqa: S603
    return float(json.loads(run.stdout)["check_p50_ms"]) if run.returncode == 0 else None


async def _opened(settings: Settings, ground: Ground, places: int) -> list[str]:
    """A new event, and an order of each card for one place: its path and its body."""
    from app.cards.service import cards_by_uid  # noqa: PLC0415
    from app.events import service  # noqa: PLC0415
    from app.events.rules import Event, Price  # noqa: PLC0415
    from app.platform.clock import now_us  # noqa: PLC0415
    from app.platform.context import Context  # noqa: PLC0415
    from app.rules.ids import uuid7  # noqa: PLC0415
    from app.venues.service import venues  # noqa: PLC0415

    context, price, hour_us = Context.open(settings), uuid7(), 3_600_000_000
    async with context.engine.begin() as connection:
        venue = next(iter(await venues(connection)))
        starts = now_us() + 24 * hour_us
        new = Event(uuid7(), venue, "Ouverture", "", "", "", starts, starts, starts + hour_us, places)
        made = await service.create(connection, "bench", new)
        await service.set_price(connection, "bench", made.id, Price(price, "Plein tarif", "", "RAF", PRICE, vat=550))
        await service.publish(connection, "bench", made.id)
        found = await cards_by_uid(connection, set(ground.uids))
    await context.close()

    def body() -> str:
        return json.dumps({"id": str(uuid7()), "event": str(made.id), "places": {str(price): 1}})

    return [f"/c/{it.token}/orders {body()}" for it in found.values()]


async def _issued(settings: Settings) -> int:
    """Tickets of the event that opened last."""
    import sqlalchemy as sa  # noqa: PLC0415

    from app.events.tables import event, ticket  # noqa: PLC0415
    from app.platform.context import Context  # noqa: PLC0415

    context = Context.open(settings)
    async with context.reader.connect() as connection:
        newest = sa.select(event.c.id).order_by(event.c.created_at_us.desc()).limit(1).scalar_subquery()
        counted = sa.select(sa.func.count()).select_from(ticket).where(ticket.c.event == newest)
        issued = (await connection.execute(counted)).scalar_one()
    await context.close()
    return int(issued)
