"""`comptoir terminal install`, `uninstall`, `pair`, `check` and `kiosk`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import click

from readers.health import is_volatile
from readers.install.kiosk import show
from readers.install.plan import Change, changes, removable, remove, set_setting, write
from readers.install.texts import DATA, KIOSK_UNIT, UNIT, Kiosk, Wishes, every_path, files

ROOT = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Another root than this machine's, such as a mounted image: its files are written, nothing is started.",
)
YES = click.option("--yes", is_flag=True, help="Do not ask.")
DRY = click.option("--dry-run", is_flag=True, help="Show, and change nothing.")


@click.command()
@ROOT
@YES
@DRY
@click.option("--server", help="The server's address, for the settings file if there is none yet.")
@click.option("--reader", help="The card reader, such as tty:AMA0:pn532, for the settings file if there is none yet.")
@click.option("--pair", "code", help="The pairing code, for the settings file if there is none yet.")
@click.option(
    "--kiosk",
    type=click.Choice(["auto", "desktop", "cage", "none"]),
    default="auto",
    show_default=True,
    help="Who shows the staff screen: the desktop at sign-in, cage without a desktop, or nobody.",
)
@click.option("--kiosk-port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option("--program", help="The whole path of `comptoir` on the terminal.  [default: the one that runs]")
def install(
    root: Path,
    yes: bool,
    dry_run: bool,
    server: str | None,
    reader: str | None,
    code: str | None,
    kiosk: Literal["auto", "desktop", "cage", "none"],
    kiosk_port: int,
    program: str | None,
) -> None:
    """Make this machine a terminal: service, reader, watchdog, staff screen. Each change is shown first."""
    chosen: Kiosk = kiosk_of(root) if kiosk == "auto" else kiosk
    settings = {
        "COMPTOIR_TERMINAL_SERVER": server or "",
        "COMPTOIR_TERMINAL_READER": reader or "",
        "COMPTOIR_TERMINAL_PAIR": code or "",
    }
    if kiosk_port != 8001:
        settings["COMPTOIR_TERMINAL_KIOSK_PORT"] = str(kiosk_port)
    check_lines(settings)
    wishes = Wishes(program or own_program(), chosen, kiosk_port, browser_of(root), settings)
    wanted = changes(root, files(wishes))
    if not wanted:
        click.echo("Everything stands as it should. Nothing to do.")
        return
    for change in wanted:
        click.echo(change.diff())
    click.echo(f"Staff screen: {chosen}.")
    write_and_run(root, wanted, after_install(chosen), yes, dry_run)
    click.echo(f"Done. Settings are in /etc/comptoir/terminal.env; sales are kept in {DATA}.")


@click.command()
@ROOT
@YES
@DRY
def uninstall(root: Path, yes: bool, dry_run: bool) -> None:
    """Take away what `install` wrote. The settings and the sales stay where they are."""
    paths = removable(root, every_path())
    if not paths:
        click.echo("Nothing of ours stands here.")
        return
    for path in paths:
        click.echo(f"- /{path}")
    click.echo(f"Kept: /etc/comptoir/terminal.env and {DATA}, which may hold sales that were not sent.")
    take_away(root, paths, [it.name for it in (KIOSK_UNIT, UNIT) if it in paths], yes, dry_run)


@click.command()
@ROOT
@click.argument("code")
def pair(root: Path, code: str) -> None:
    """Pair an installed terminal (again) with a one-time code. What it has not sent is delivered first."""
    check_code(code)
    try:
        set_setting(root, "COMPTOIR_TERMINAL_PAIR", code)
    except OSError as error:
        raise click.ClickException(f"{error}. Run it as root, after `comptoir terminal install`.") from error
    run([["systemctl", "restart", UNIT.name]] if root == Path("/") else [])
    click.echo("The terminal pairs with this code when it starts. Its screen shows the venue.")


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), required=True)
def check(data: Path) -> None:
    """Whether sales would survive a power cut in this folder; the service asks before it starts."""
    if is_volatile(data):
        raise click.ClickException(
            f"{data} is in memory only: a power cut would lose sales. Nothing was sold.\n"
            "Give it a partition of its own (docs/raspberry-pi.md, “Read-only root”)."
        )


@click.command()
@click.option("--browser", default="chromium", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
def kiosk(browser: str, port: int) -> None:
    """Show the staff screen, full screen, once the till answers; the desktop or cage starts it."""
    show(browser, port)


def own_program() -> str:
    """The `comptoir` of the environment that runs now."""
    return str(Path(sys.executable).with_name("comptoir"))


def kiosk_of(root: Path) -> Kiosk:
    """A desktop where there is one, else cage, else nobody."""
    binaries = root / "usr/bin"
    if any((binaries / name).exists() for name in ("labwc", "wayfire", "lxsession")):
        return "desktop"
    return "cage" if (binaries / "cage").exists() else "none"


def browser_of(root: Path) -> str:
    """Raspberry Pi OS 12 calls it chromium-browser, Debian and Raspberry Pi OS 13 chromium."""
    old = (root / "usr/bin/chromium-browser").exists() and not (root / "usr/bin/chromium").exists()
    return "chromium-browser" if old else "chromium"


def after_install(kiosk: Kiosk) -> list[list[str]]:
    """What makes the files take effect on a machine that runs."""
    units = [UNIT.name, *([KIOSK_UNIT.name] if kiosk == "cage" else [])]
    return [
        ["systemd-sysusers"],
        ["udevadm", "control", "--reload"],
        ["udevadm", "trigger"],
        ["systemctl", "daemon-reexec"],
        ["systemctl", "restart", "--no-block", *units],
    ]


def check_lines(settings: Mapping[str, str]) -> None:
    """click.UsageError for a value that would be more than one line of the settings."""
    for name, value in settings.items():
        if any(sign in value for sign in "\n\r\0"):
            raise click.UsageError(f"{name} must be one line")


def check_code(code: str) -> None:
    """click.UsageError for what can't be a pairing code."""
    if not code.isprintable() or not code.isascii() or len(code) > 32:
        raise click.UsageError("A pairing code looks like K7QM-3XPA.")


def write_and_run(
    root: Path, wanted: Sequence[Change], commands: Sequence[Sequence[str]], yes: bool, dry_run: bool
) -> None:
    """Write what was shown, once it was agreed to, and let it take effect if this is the machine's own root."""
    commands = [] if root != Path("/") else commands
    for line in commands:
        click.echo("Then: " + " ".join(line))
    _carry_on(f"Write these {len(wanted)} files?", yes, dry_run)
    try:
        write(root, wanted)
    except OSError as error:
        raise click.ClickException(f"{error}. Run it as root; a second run does the rest.") from error
    run(commands)


def take_away(root: Path, paths: Sequence[Path], units: Sequence[str], yes: bool, dry_run: bool) -> None:
    """Stop these units and take these files away, once it was agreed to."""
    _carry_on(f"Take away these {len(paths)} files?", yes, dry_run)
    try:
        if root == Path("/"):
            run([["systemctl", "disable", "--now", *units]] if units else [])
        remove(root, paths)
    except OSError as error:
        raise click.ClickException(f"{error}. Run it as root; a second run does the rest.") from error
    run([["systemctl", "daemon-reload"]] if root == Path("/") else [])
    click.echo("Done.")


def _carry_on(question: str, yes: bool, dry_run: bool) -> None:
    if dry_run:
        click.echo("Nothing was changed.")
        sys.exit(0)
    if not yes and not click.confirm(question):
        click.echo("Nothing was changed.")
        sys.exit(1)


def run(commands: Sequence[Sequence[str]]) -> None:
    """One that is not there or fails is told and does not stop the others: the files stand, and a restart does it."""
    for line in commands:
        program = shutil.which(line[0])
        if program is None or subprocess.call([program, *line[1:]]) != 0:  # noqa: S603 (our own words)
            click.echo(f"Did not work: {' '.join(line)}. Restart the machine instead.", err=True)
