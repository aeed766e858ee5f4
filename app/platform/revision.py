"""A number that rises whenever prices, cards, venues or terminals change: how a process knows that what it has looked
up still holds. The database raises it itself, by triggers, in the transaction of the change.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.tables import revision

# By table: what counts as a change. A new card changes nothing that anyone can have looked up, and a terminal says that
# it is alive many times a minute.
WATCHED = {
    "network": ("INSERT", "UPDATE", "DELETE"),
    "currency": ("INSERT", "UPDATE", "DELETE"),
    "policy": ("INSERT",),
    "venue": ("INSERT", "UPDATE", "DELETE"),
    "venue_currency": ("INSERT", "UPDATE", "DELETE"),
    "product": ("INSERT", "UPDATE", "DELETE"),
    "price": ("INSERT", "UPDATE", "DELETE"),
    "price_window": ("INSERT", "UPDATE", "DELETE"),
    "window_price": ("INSERT", "UPDATE", "DELETE"),
    "card": ("UPDATE", "DELETE"),
    "member_plan": ("INSERT", "UPDATE"),
    # A membership that is under way is nobody's yet.
    "member_term": ("UPDATE OF state",),
    "wallet_limit": ("INSERT", "UPDATE", "DELETE"),
    "terminal": ("UPDATE OF status, epoch, venue, name", "DELETE"),
}

_RAISE = "UPDATE revision SET value = value + 1"


async def current(connection: AsyncConnection) -> int:
    value: int = (await connection.execute(sa.select(revision.c.value))).scalar_one()
    return value


def install(connection: sa.Connection) -> None:
    """Put the triggers in place; again after a migration that makes or rebuilds one of the tables."""
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_RAISE}; RETURN NULL; END $$"
        )
    present = sa.inspect(connection).get_table_names()
    # The first migration runs before the tables of later ones are there.
    for table, events in ((table, events) for table, events in WATCHED.items() if table in present):
        for event in events:
            name = f"revision_{table}_{event.split()[0].lower()}"
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgres else ""))
            body = "FOR EACH STATEMENT EXECUTE FUNCTION raise_revision()" if postgres else f"BEGIN {_RAISE}; END"
            connection.exec_driver_sql(f"CREATE TRIGGER {name} AFTER {event} ON {table} {body}")
