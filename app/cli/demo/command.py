"""`comptoir demo`: try the whole network in a browser, or watch it play an evening by itself."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

PORTS = (8000, 8010, 8001)


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demo's data (default: comptoir-data; for --check, one that is thrown away).",
)
@click.option("--fresh", is_flag=True, help="Start over: throw the demo's data away first.")
@click.option("--check", is_flag=True, help="Play an evening, compare every balance, and exit 0 if all agree.")
@click.option("--script", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Play this evening.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome of the evening as one JSON object.")
def demo(data: Path | None, fresh: bool, check: bool, script: Path | None, as_json: bool) -> None:
    """Run a small network on this machine: server, terminal, emulated cards.

    Without options it stays up until Ctrl-C, and a second start continues with the same data.
    """
    from app.cli.demo.crew import NotReady  # noqa: PLC0415
    from app.cli.demo.script import BadScript  # noqa: PLC0415

    with ExitStack() as held:
        playing = check or script is not None
        if data is None and playing:
            data = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="comptoir-demo-")))
        data = (data or Path("comptoir-data")).absolute()
        if fresh:
            _throw_away(data)
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            if playing:
                sys.exit(asyncio.run(_evening(data, script, as_json)))
            asyncio.run(_stay(data))
        except BadScript as error:
            raise click.ClickException(str(error)) from error
        except NotReady as error:
            raise click.ClickException(f"The demo did not start. {error}") from error
        except KeyboardInterrupt:
            click.echo("Arrêté." if not as_json else "", err=True)


def _throw_away(data: Path) -> None:
    """Only a folder that a demo made: --fresh with a wrong --data must not cost anybody their files."""
    if not data.exists() or not any(data.iterdir()):
        return
    if not (data / "demo.json").exists():
        raise click.ClickException(f"{data} was not made by the demo; it is left alone.")
    shutil.rmtree(data)


async def _evening(data: Path, path: Path | None, as_json: bool) -> int:
    from app.cli.demo import outcome  # noqa: PLC0415
    from app.cli.demo.network import read_network  # noqa: PLC0415
    from app.cli.demo.player import player  # noqa: PLC0415
    from app.cli.demo.script import BUILT_IN, read_script  # noqa: PLC0415
    from app.cli.demo.stage import staged  # noqa: PLC0415

    def echo(line: str) -> None:
        click.echo(line, err=as_json)

    script = read_script(path or BUILT_IN, read_network())
    echo(f"{script.title} ({len(script.steps)} étapes)")
    async with (
        staged(data, script.venues or list(read_network()["venues"])[:1], (0, 0, 0)) as stage,
        player(stage) as playing,
    ):
        before = await outcome.balances(playing.client, playing)
        await playing.play(script, echo)
        said = await outcome.balances(playing.client, playing)
        proof: dict[str, Any] = (await playing.client.get("/api/v1/proof")).raise_for_status().json()
        differences = outcome.differences(said, outcome.expected(playing.paper, before))
        differences += await outcome.missing(playing.client)
        document = {
            "ok": not playing.surprises and not differences and proof["ok"],
            "title": script.title,
            "steps": playing.played,
            **said,
            "proof": proof,
            "surprises": playing.surprises,
            "differences": differences,
        }
        if as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            outcome.tell(document, stage.network, echo)
    return 0 if document["ok"] else 1


async def _stay(data: Path) -> None:
    from app.cli.demo.network import read_network  # noqa: PLC0415
    from app.cli.demo.stage import staged  # noqa: PLC0415

    first = next(iter(read_network()["venues"]))
    async with staged(data, [first], PORTS) as stage:
        till = stage.tills[first]
        account, venue = stage.accounts, stage.network["venues"][first]["name"]
        click.echo(f"""
  {stage.network["name"]} : la démonstration tourne (données : {data})

  Plateau de cartes     {stage.tray}      prenez une carte, posez-la sur le lecteur
  Écran du bar          {till.url}      {venue} ; code {account[first].pin} ({account[first].name})
  Page d'une carte      {stage.cards[0].page}
  Qui doit quoi à qui   {stage.server}/admin
  Courriels             {stage.server}/sandbox/mail      ce que le réseau aurait envoyé
""")
        click.echo("  Comptes des pages (identifiant, mot de passe, code au terminal)")
        for it in account.values():
            click.echo(f"    {it.login:<12} {it.password:<14} {it.pin}   {it.name}, {it.role} {it.venue or ''}")
        click.echo("\n  Ctrl-C arrête tout ; un nouveau départ reprend les mêmes données, --fresh recommence.\n")
        gone = await stage.crew.until_one_ends()
        raise click.ClickException(f"{gone} s'est arrêté : voir {data / 'logs'}.")
