"""`comptoir books`: close months of the books, and write the file for the tax office."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.ledger.service import Ledger
    from app.platform.context import Context


@click.group()
def books() -> None:
    """The books of the network and of its venues."""


@books.command()
@click.argument("which", metavar="BOOKS", required=False)
def close(which: str | None) -> None:
    """Close every month that is over, in the BOOKS of a venue (its short name), of "network", or in all."""
    for line in asyncio.run(_close(which)):
        click.echo(line)


@books.command()
@click.argument("which", metavar="BOOKS")
@click.option("--year", type=int, required=True, help="The exercise, by the year in which it begins.")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path, exists=True),
    default=Path(),
    help="The folder to write to (default: here).",
)
def fec(which: str, year: int, to: Path) -> None:
    """Write the file of entries (FEC) of the closed months of an exercise of BOOKS: a venue's short name, "network"."""
    click.echo(asyncio.run(_fec(which, year, to)))


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Context, Ledger]]:
    from app.ledger.service import Ledger  # noqa: PLC0415
    from app.platform.context import Context  # noqa: PLC0415
    from app.platform.errors import DomainError  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings()
    context = Context.open(settings)
    try:
        # Only read from: nothing is posted, so its writer is never started.
        yield context, Ledger.open(context.engine, settings.sqlalchemy_url, context.keys.signing)
    except DomainError as error:
        raise click.ClickException(error.detail) from error
    finally:
        await context.close()


async def _close(which: str | None) -> list[str]:
    from app.accounting.books.service import close_all  # noqa: PLC0415

    async with _opened() as (context, ledger):
        made = await close_all(ledger, context.keys.signing, which, "command line")
    return [f"{slug}: {month:%Y-%m} closed, {entries} entries." for slug, month, entries in made] or [
        "No month is to be closed."
    ]


async def _fec(which: str, year: int, to: Path) -> str:
    from app.accounting.books.service import fec_of  # noqa: PLC0415

    async with _opened() as (_, ledger):
        name, parts = await fec_of(ledger, which, year)
        path = to / name
        with path.open("wb") as file:
            async for part in parts:
                file.write(part)
    return str(path)
