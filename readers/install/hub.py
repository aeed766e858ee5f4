"""`comptoir hub install`, `uninstall` and `pair`: a machine that only is a site hub."""

from __future__ import annotations

from pathlib import Path

import click

from readers.install.commands import DRY, ROOT, YES, check_code, check_lines, own_program, run, take_away, write_and_run
from readers.install.plan import changes, removable, set_setting
from readers.install.texts import HARDENED, Target, watchdog

MARK = "# Written by `comptoir hub install`; `comptoir hub uninstall` takes it away."

UNIT = Path("etc/systemd/system/comptoir-hub.service")
ENABLED = Path("etc/systemd/system/multi-user.target.wants/comptoir-hub.service")
USERS = Path("etc/sysusers.d/comptoir-hub.conf")
WATCHDOG = Path("etc/systemd/system.conf.d/60-comptoir-hub.conf")
SETTINGS = Path("etc/comptoir/hub.env")
DATA = Path("/var/lib/comptoir-hub")


@click.command("install")
@ROOT
@YES
@DRY
@click.option("--server", help="The server's address, for the settings file if there is none yet.")
@click.option("--pair", "code", help="The pairing code, for the settings file if there is none yet.")
@click.option("--listen", help="Another address and port than 0.0.0.0:8765, for the settings file.")
@click.option("--program", help="The whole path of `comptoir` on the box.  [default: the one that runs]")
def hub_install(
    root: Path, yes: bool, dry_run: bool, server: str | None, code: str | None, listen: str | None, program: str | None
) -> None:
    """Make this machine a site hub: a service that starts with it. Each change is shown first."""
    settings = {
        "COMPTOIR_HUB_SERVER": server or "",
        "COMPTOIR_HUB_PAIR": code or "",
        "COMPTOIR_HUB_LISTEN": listen or "",
    }
    check_lines(settings)
    wanted = changes(root, files(program or own_program(), settings))
    if not wanted:
        click.echo("Everything stands as it should. Nothing to do.")
        return
    for change in wanted:
        click.echo(change.diff())
    commands = [
        ["systemd-sysusers"],
        ["systemctl", "daemon-reexec"],
        ["systemctl", "restart", "--no-block", UNIT.name],
    ]
    write_and_run(root, wanted, commands, yes, dry_run)
    click.echo(f"Done. Settings are in /{SETTINGS}; its key is kept in {DATA}.")


@click.command("uninstall")
@ROOT
@YES
@DRY
def hub_uninstall(root: Path, yes: bool, dry_run: bool) -> None:
    """Take away what `install` wrote. The settings and the box's key stay where they are."""
    paths = removable(root, [ENABLED, UNIT, USERS, WATCHDOG], MARK)
    if not paths:
        click.echo("Nothing of ours stands here.")
        return
    for path in paths:
        click.echo(f"- /{path}")
    click.echo(f"Kept: /{SETTINGS} and {DATA}.")
    take_away(root, paths, [UNIT.name] if UNIT in paths else [], yes, dry_run)


@click.command("pair")
@ROOT
@click.argument("code")
def hub_pair(root: Path, code: str) -> None:
    """Pair an installed box (again) with a one-time code."""
    check_code(code)
    try:
        set_setting(root, "COMPTOIR_HUB_PAIR", code, SETTINGS)
    except OSError as error:
        raise click.ClickException(f"{error}. Run it as root, after `comptoir hub install`.") from error
    run([["systemctl", "restart", UNIT.name]] if root == Path("/") else [])
    click.echo("The box pairs with this code when it starts. The admin page of the terminals shows it.")


def files(program: str, settings: dict[str, str]) -> list[Target]:
    """Everything that is to stand, relative to the root."""
    return [
        Target(USERS, f'{MARK}\nu comptoir-hub - "Comptoir site hub" {DATA} /usr/sbin/nologin\n'),
        Target(SETTINGS, _settings(settings), mode=0o600, keep=True),
        Target(WATCHDOG, watchdog(MARK)),
        Target(UNIT, _unit(program)),
        Target(ENABLED, link="/" + str(UNIT)),
    ]


def _settings(settings: dict[str, str]) -> str:
    lines = [f"{name}={value}" for name, value in settings.items() if value]
    return "\n".join(["# Settings of this site hub: docs/site-hub.md names them all.", *lines]) + "\n"


def _unit(program: str) -> str:
    return f"""{MARK}
[Unit]
Description=Comptoir site hub
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.service.html
# It waits for nothing from the network: it finds the network when there is one.
RequiresMountsFor={DATA}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=comptoir-hub
Group=comptoir-hub
StateDirectory={DATA.name}
StateDirectoryMode=0700
Environment=COMPTOIR_HUB_DATA={DATA}
EnvironmentFile=/{SETTINGS}
ExecStart={program} hub
Restart=always
RestartSec=2
# Status 2: not paired, or the code was not taken. Trying again would not help.
RestartPreventExitStatus=2
WatchdogSec=30
TimeoutStartSec=60
TimeoutStopSec=10

# It has nothing to do with any device.
PrivateDevices=yes
{HARDENED}
[Install]
WantedBy=multi-user.target
"""
