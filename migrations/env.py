"""Runs migrations on whichever database the settings name; one at a time, and never waiting for ever."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from alembic import context

from app.platform.database import create_engine
from app.platform.settings import Settings
from migrations.metadata import metadata

# Two processes starting at once must not both migrate; the number is arbitrary and ours.
ADVISORY_LOCK = 5_207_114


def run(connection: sa.Connection) -> None:
    # All revisions in one transaction, on SQLite too (whose data definition is transactional, whatever Alembic assumes):
    # a second process waits for the lock, and then finds nothing to do.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        context.run_migrations()


async def run_async(url: str) -> None:
    engine = create_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


def main() -> None:
    url = context.config.attributes.get("url") or Settings().sqlalchemy_url
    asyncio.run(run_async(url))


main()
