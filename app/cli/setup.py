"""Setting a network up from nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.identity.roles import Grant, Role
from app.identity.service import create_person
from app.platform.context import Context
from app.platform.errors import Conflict, NotFound
from app.platform.migrate import upgrade
from app.platform.settings import Settings
from app.venues.rules import NetworkSettings
from app.venues.service import set_network, the_network


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Context]:
    context = Context.open(settings)
    try:
        yield context
    finally:
        await context.close()


async def has_network(context: Context) -> bool:
    async with context.reader.connect() as connection:
        try:
            await the_network(connection)
        except NotFound:
            return False
    return True


async def init_network(name: str, zone: str, login: str, admin: str, password: str) -> None:
    """Name the network and make its first administrator. Raises Conflict when there is a network already."""
    settings = Settings()
    async with opened(settings) as context:
        if await has_network(context):
            raise Conflict("There is a network on this database already.")
        await create_person(context, login, admin, password, grants=[Grant(Role.NETWORK_ADMIN)], actor="command line")
        async with context.engine.begin() as connection:
            await set_network(connection, name, NetworkSettings(zone=zone))


def migrated(settings: Settings) -> None:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade(settings.sqlalchemy_url)
