"""`comptoir bench settlement`: what an accountant waits for, on a durable PostgreSQL of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

Tell = Callable[[str], None]
VENUES = 50


@dataclass(frozen=True, slots=True)
class Ground:
    """`address`: an empty, migrated database. `folder`: data of a server on it, and room for files. In it come `sales`
    of a year at so many `venues`, and so many `entries` of the books."""

    address: str
    folder: Path
    entries: int
    sales: int
    venues: int
    tell: Tell


Measure = Callable[[Ground], dict[str, float]]
"""Figures by name, each with its unit at the end."""


@click.command()
@click.option(
    "--entries",
    type=click.IntRange(1_000, 10_000_000),
    default=1_000_000,
    show_default=True,
    help="How many entries the file for the tax office holds; fewer are to try it, not to quote it.",
)
@click.option(
    "--sales",
    type=click.IntRange(1_000, 10_000_000),
    default=1_000_000,
    show_default=True,
    help="How many sales of a year the positions are over; fewer are to try it, not to quote it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def settlement(entries: int, sales: int, as_json: bool) -> None:
    """Measure a large network's accounts: positions, drill-downs, a settlement run, and the file for the tax office."""
    from app.cli.bench.books import fec_figures  # noqa: PLC0415
    from app.cli.bench.settling import settling_figures  # noqa: PLC0415
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415
    from app.platform.throwaway_postgres import throwaway_postgres  # noqa: PLC0415

    measures: tuple[Measure, ...] = (settling_figures, fec_figures)
    found: dict[str, float] = {}
    for measure in measures:
        with (
            tempfile.TemporaryDirectory(prefix="comptoir-bench-") as folder,
            throwaway_postgres(durable=True) as server,
        ):
            address, data = server.format(db="postgres"), Path(folder)
            upgrade(Settings(data=data, database_url=address).sqlalchemy_url)
            found |= measure(Ground(address, data, entries, sales, VENUES, lambda line: click.echo(line, err=True)))
    if as_json:
        click.echo(json.dumps({"sales": sales, "venues": VENUES, "entries": entries, **found}))
    else:
        for name, value in found.items():
            click.echo(f"{name:<24}{value:>12,.2f}")
