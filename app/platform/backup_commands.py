"""The commands `comptoir backup` and `comptoir restore`."""

from __future__ import annotations

from pathlib import Path

import click

from app.platform.backup import make_backup, restore_backup
from app.platform.errors import OperatorError
from app.platform.settings import Settings


@click.command("backup")
@click.option(
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the backup. Default: `backups` in the data folder.",
)
def backup(folder: Path | None) -> None:
    """Save the database and the secrets into one file.

    The server may run meanwhile. The file opens everything: keep it where only you can read it.
    """
    try:
        path = make_backup(Settings(), folder)
    except OperatorError as error:
        raise click.ClickException(str(error)) from error
    click.echo(path)


@click.command("restore")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is there; it is kept in a folder beside.")
def restore(archive: Path, force: bool) -> None:
    """Put a backup in the place of the database and the secrets. Stop the server first."""
    try:
        restored = restore_backup(Settings(), archive, force=force)
    except OperatorError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Restored {archive}, made by Comptoir {restored.manifest.version}.")
    if restored.kept is not None:
        click.echo(f"What was there before is in {restored.kept}.")
