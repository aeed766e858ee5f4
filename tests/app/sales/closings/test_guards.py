"""The database itself refuses to rewrite a closing, whoever asks."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.sales.closings import guards
from app.sales.closings.gathering import close_day_now
from app.venues.service import the_network
from tests.support.network import Network
from tests.support.tills import Till

REWRITES = (
    "UPDATE closing SET number = 7",
    "DELETE FROM closing",
    "UPDATE closing_part SET part = whole",
    "DELETE FROM closing_part",
)


async def closed(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await till.close()
    venue = network.venues["raffinerie"]
    async with network.engine.begin() as connection:
        at = await the_network(connection)
        assert await close_day_now(connection, network.context.keys.signing, at, venue, venue.day_of(now_us()))


async def test_nothing_is_changed_or_taken_away(network: Network) -> None:
    await closed(network)
    for statement in (*REWRITES, *([] if is_sqlite(network.engine) else ["TRUNCATE closing CASCADE"])):
        async with network.engine.connect() as connection:
            with pytest.raises(DBAPIError, match="closings are never rewritten"):
                await connection.execute(sa.text(statement))


async def test_nothing_is_replaced(network: Network) -> None:
    if not is_sqlite(network.engine):
        pytest.skip("PostgreSQL knows no REPLACE")
    await closed(network)
    for table in guards.KEYS:
        async with network.engine.connect() as connection:
            with pytest.raises(DBAPIError, match="closings are never rewritten"):
                await connection.execute(sa.text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))


async def test_a_guard_that_is_gone_is_missed(network: Network) -> None:
    async with network.engine.begin() as connection:
        assert await connection.run_sync(guards.missing) == []
        (table, name), *_ = guards.guards(connection.dialect.name)
        on = "" if is_sqlite(connection) else f" ON {table}"
        await connection.execute(sa.text(f"DROP TRIGGER {name}{on}"))
        assert await connection.run_sync(guards.missing) == [f"{table}.{name}"]
