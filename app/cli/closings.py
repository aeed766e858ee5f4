"""`comptoir closings`: archives of closings, and the check that needs only the file and the public key."""

from __future__ import annotations

import asyncio
from typing import TextIO

import click


@click.group()
def closings() -> None:
    """Closings of tills and venues: take them along, and check them anywhere."""


@closings.command()
@click.argument("venue")
def export(venue: str) -> None:
    """Print the sealed archive of a VENUE (its short name), or of the books of "network", as JSON."""
    click.echo(asyncio.run(_export(venue)))


async def _export(slug: str) -> str:
    from app.accounting.books.keeping import all_books  # noqa: PLC0415
    from app.cli.server import database  # noqa: PLC0415
    from app.platform.clock import now_us  # noqa: PLC0415
    from app.platform.secrets import load_keys  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415
    from app.sales.closings import archive, store  # noqa: PLC0415

    async with database() as engine, engine.connect() as connection:
        found = next((it for it in await all_books(connection) if it.slug == slug), None)
        if found is None:
            raise click.ClickException(f"There is no venue {slug}.")
        chains = await store.chains_at(connection, found.id)
    return archive.write(chains, found.id, load_keys(Settings().data).signing, now_us())


@closings.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--key", help="The public key you trust, in base64; without it, the one that the file names.")
def verify(file: TextIO, key: str | None) -> None:
    """Check an archive, without server or database. Exit 1 when anything is not as it was sealed."""
    from app.ledger.seals import key_of  # noqa: PLC0415
    from app.sales.closings.archive import check  # noqa: PLC0415

    try:
        found = check(file.read(), key_of(key) if key else None)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for finding in found.findings:
        click.echo(f"WRONG: {finding}", err=True)
    click.echo(f"{found.closings} closings, {found.elsewhere} at other venues.")
    if found.findings:
        raise click.ClickException(f"{len(found.findings)} findings.")
    click.echo("Every check passed.")
