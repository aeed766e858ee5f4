"""The console command `comptoir`. Its subcommands are registered by each package under the entry-point group
`comptoir.commands`, and loaded only when they are asked for: the terminal does not load the server, nor the server
the terminal."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import click

GROUP = "comptoir.commands"


class LazyGroup(click.Group):
    """A click group whose commands are the entry points of the group `registered`."""

    registered = GROUP

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_commands(self.registered))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        found = _commands(self.registered).get(name)
        if found is None:
            return None
        command = found.load()
        if not isinstance(command, click.Command):
            raise TypeError(f"the entry point {name} is no command")
        return command


def _commands(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="comptoir")
def main() -> None:
    """Comptoir: one NFC card, several local currencies, many venues."""
