"""`comptoir readers`: which readers are there, whether they work, and what to do where they do not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from readers.drivers.plugged import Blocked

ADVICE: Final[dict[Blocked, str]] = {
    "kernel": "The kernel's driver {} holds it. `comptoir terminal install` keeps it away for good; for now:"
    " sudo modprobe -r {}",
    "pcscd": "The smart card service {} takes it for other programs. Use it through that service (below), or for now:"
    " sudo systemctl stop {}.socket {}.service",
    "extra": "To use its readers: sudo apt install gcc swig libpcsclite-dev; pip install 'comptoir[{}]'",
    "rights": "This user may not open {}. `comptoir terminal install` writes the rule; for now, plug it in again"
    " after: sudo usermod -aG dialout,plugdev $USER, and sign in anew.",
    "console": "The Pi talks to itself on {}. sudo raspi-config, Interface Options, Serial Port: no login shell, the"
    " port's hardware on; then start it anew.",
}
LOOK_S: Final = 3.0


@click.command()
@click.option("--test", "path", metavar="READER", help="Open this reader, and say which card lies on it.")
def readers(path: str | None) -> None:
    """List the readers that are plugged in, and say what is in the way of each."""
    if path is not None:
        _test(path)
        return
    from readers.drivers.plugged import plugged  # noqa: PLC0415

    found = plugged()
    for it in found:
        click.echo(f"{it.path}  {it.name}" + ("" if it.sure else "  (a port: there may be a PN532 behind it)"))
        for why, what in it.blocked:
            click.echo(f"    {ADVICE[why].replace('{}', what)}")
    if not found:
        click.echo("No reader is plugged in. A board with the bridge is listed by: comptoir bridge list", err=True)
        raise SystemExit(1)
    click.echo("\nTo try one: comptoir readers --test READER. A board with the bridge: comptoir bridge list", err=True)


def _test(path: str) -> None:
    from readers.drivers import open_driver  # noqa: PLC0415
    from readers.taps import CardSeen, ReaderFault, ReaderLost, UnusableCard  # noqa: PLC0415

    try:
        driver = open_driver(path)
    except ReaderFault as error:
        raise click.ClickException(f"{error}") from error
    try:
        click.echo(f"{driver.name}: it opens. Lay a card on it.")
        end = time.monotonic() + LOOK_S
        while time.monotonic() < end:
            match driver.poll(0.2):
                case CardSeen(uid) | UnusableCard(_, uid) if uid:
                    click.echo(f"It reads: {uid.hex().upper()}")
                    return
                case ReaderLost(_, detail):
                    raise click.ClickException(f"It was lost: {detail}")
                case _:
                    continue
        click.echo(f"It answers, and saw no card for {LOOK_S:.0f} seconds.")
    finally:
        driver.close()
