"""Bring a database to the newest revision, and tell whether it is there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations

VERSION_TABLE = sa.table("alembic_version", sa.column("version_num"))


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run what is missing. Safe to call from several processes at once, and when nothing is missing."""
    command.upgrade(configuration(url), revision)


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the database is at the newest revision that this version knows."""
    newest = ScriptDirectory.from_config(configuration("")).get_current_head()
    try:
        async with engine.connect() as connection:
            found = (await connection.execute(sa.select(VERSION_TABLE.c.version_num))).scalar_one_or_none()
    except (sa.exc.ProgrammingError, sa.exc.OperationalError):
        return False
    return bool(found == newest)
