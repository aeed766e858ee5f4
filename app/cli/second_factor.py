"""`comptoir reset-second-factor`: for the network admin whom nobody else can help."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.platform.settings import Settings


@click.command("reset-second-factor")
@click.argument("login")
def reset_second_factor(login: str) -> None:
    """Take away the second factor of the person LOGIN, who then sets up another one."""
    from app.platform.settings import Settings  # noqa: PLC0415

    if not asyncio.run(_reset(Settings(), login)):
        raise click.ClickException(f"{login} has no second factor here.")
    click.echo(f"{login} has no second factor any more.")


async def _reset(settings: Settings, login: str) -> bool:
    from app.cli.setup import opened  # noqa: PLC0415
    from app.identity import second_factor, store  # noqa: PLC0415
    from app.identity.people import normal_login  # noqa: PLC0415

    async with opened(settings) as context, context.engine.begin() as connection:
        found = await store.person_by_login(connection, normal_login(login))
        if found is None or await second_factor.of_person(connection, found.id) is None:
            return False
        await second_factor.drop(connection, found.id, actor="command line")
        return True
