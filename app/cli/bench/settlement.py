"""`comptoir bench settlement`: what an accountant waits for, on a durable PostgreSQL of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ground:
    """`address`: an empty, migrated database. `folder`: data of a server on it, and room for files."""

    address: str
    folder: Path
    entries: int
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
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def settlement(entries: int, as_json: bool) -> None:
    """Measure the books of a large network: the file for the tax office, and the memory that writing it takes."""
    from app.cli.bench.books import fec_figures  # noqa: PLC0415
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415
    from app.platform.throwaway_postgres import throwaway_postgres  # noqa: PLC0415

    measures: tuple[Measure, ...] = (fec_figures,)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="comptoir-bench-") as folder, throwaway_postgres(durable=True) as server:
        address = server.format(db="postgres")
        data = Path(folder)
        upgrade(Settings(data=data, database_url=address).sqlalchemy_url)
        ground = Ground(address, data, entries, lambda line: click.echo(line, err=True))
        for measure in measures:
            found |= measure(ground)
    if as_json:
        click.echo(json.dumps({"entries": entries, **found}))
    else:
        for name, value in found.items():
            click.echo(f"{name:<24}{value:>12,.2f}")
