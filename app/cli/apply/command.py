"""`comptoir apply` and `comptoir export`: a network kept as a file."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.cli.apply.document import NetworkEntry
    from app.cli.apply.service import Proposal
    from app.platform.settings import Settings


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan and what became of it as one JSON object.")
def apply(file: Path, yes: bool, as_json: bool) -> None:
    """Make the network like FILE: shows what would change, asks, and does it all or nothing.

    Exit 0: the network is like the file. Exit 1: the file was refused, or the answer was no.
    """
    from app.cli.apply.plan import Impossible  # noqa: PLC0415
    from app.cli.apply.reading import read_network_file  # noqa: PLC0415
    from app.cli.apply.text import BadNetworkFile  # noqa: PLC0415
    from app.cli.setup import migrated  # noqa: PLC0415
    from app.platform.errors import DomainError  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    try:
        want = read_network_file(file.read_text(encoding="utf-8"))
    except BadNetworkFile as error:
        _refused(file, [str(it) for it in error.problems], as_json)
    except UnicodeDecodeError as error:
        _refused(file, [f"it is not UTF-8: {error}"], as_json)
    settings = Settings()
    migrated(settings)
    try:
        asyncio.run(_apply(settings, want, yes, as_json))
    except Impossible as error:
        _refused(file, error.reasons, as_json)
    except DomainError as error:
        _refused(file, [error.detail], as_json)


def _refused(file: Path, reasons: list[str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": False, "applied": False, "problems": reasons}, ensure_ascii=False))
    else:
        click.echo(f"{file} is refused; nothing was changed.", err=True)
        for reason in reasons:
            click.echo(f"  {reason}", err=True)
    sys.exit(1)


async def _apply(settings: Settings, want: NetworkEntry, yes: bool, as_json: bool) -> None:
    from app.cli.apply.service import accept, propose  # noqa: PLC0415
    from app.cli.setup import opened  # noqa: PLC0415

    async with opened(settings) as context:
        proposal = await propose(context, want)
        if not as_json:
            _tell(proposal)
        wanted = bool(proposal.changes) and (yes or (not as_json and click.confirm("Apply?")))
        if wanted:
            await accept(context, proposal, "command line")
    ok = wanted or not proposal.changes
    if as_json:
        click.echo(json.dumps(_document(proposal, wanted), ensure_ascii=False))
    elif wanted:
        count = len(proposal.changes)
        click.echo(f"Applied: {count} change{'' if count == 1 else 's'}.")
        for login, key in proposal.keys.items():
            click.echo(f"  {login}: password {key.password}, PIN {key.pin} (told this once)")
    elif proposal.changes:
        click.echo("Nothing was changed.")
    if not ok:
        sys.exit(1)


def _tell(proposal: Proposal) -> None:
    for change in proposal.changes:
        click.secho(str(change), fg={"+": "green", "~": "yellow", "-": "red"}[change.sign])
    if not proposal.changes:
        click.echo("no changes")


def _document(proposal: Proposal, applied: bool) -> dict[str, object]:
    """Without --yes nobody is asked here, so this is a plan to look at."""
    return {
        "ok": applied or not proposal.changes,
        "applied": applied,
        "changes": [
            {"sign": it.sign, "subject": it.subject, "name": list(it.name), "text": it.text} for it in proposal.changes
        ],
        "people": [
            {"login": login, "password": key.password, "pin": key.pin}
            for login, key in (proposal.keys if applied else {}).items()
        ],
    }


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write to this file.")
@click.option("--people", is_flag=True, help="With those who may sign in: their logins, names and roles.")
def export(out: Path | None, people: bool) -> None:
    """Write the network as a file for `comptoir apply`."""
    from app.cli.apply.writing import write_network_file  # noqa: PLC0415
    from app.platform.errors import DomainError  # noqa: PLC0415

    try:
        found = asyncio.run(_found(people))
    except DomainError as error:
        raise click.ClickException(error.detail) from error
    if found is None:
        raise click.ClickException("There is no network yet: `comptoir apply FILE` or `comptoir init` sets one up.")
    text = write_network_file(found)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


async def _found(people: bool) -> NetworkEntry | None:
    from app.cli.apply.service import network_now  # noqa: PLC0415
    from app.cli.setup import opened  # noqa: PLC0415
    from app.platform.migrate import is_current  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings()
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise click.ClickException(f"There is no database at {settings.sqlite_path}.")
    async with opened(settings) as context:
        if not await is_current(context.engine):
            raise click.ClickException("The database is of another version: run `comptoir migrate` first.")
        return await network_now(context, people=people)
