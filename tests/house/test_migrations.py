"""The migrations, run from empty on both databases, lead to exactly what the code believes in."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.identity.tables import audit, audit_mention
from app.ledger import guards
from app.ledger.rules.operations import Hold, Posted
from app.ledger.service import Ledger
from app.ledger.verify import verify
from app.platform.database import create_engine
from app.platform.migrate import configuration, upgrade
from app.rules.ids import uuid7
from migrations.metadata import metadata
from tests.app.ledger.conftest import KEY as LEDGER_KEY
from tests.app.ledger.conftest import KEYS, Books

T = TypeVar("T")
UPGRADE = "import sys; from app.platform.migrate import upgrade; upgrade(sys.argv[1])"


@pytest.fixture
def empty(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database in which there is nothing yet. Not async: Alembic runs an event loop of its own."""
    if database_kind == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'comptoir.sqlite3'}"
        return
    server: str = request.getfixturevalue("postgres_server")
    name = f"empty_{uuid.uuid4().hex}"
    asyncio.run(_administer(server, f"CREATE DATABASE {name}"))
    yield server.format(db=name).replace("postgresql://", "postgresql+asyncpg://")
    asyncio.run(_administer(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _administer(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server.format(db="postgres"))
    await connection.execute(statement)
    await connection.close()


def within(url: str, ask: Callable[[sa.Connection], T]) -> T:
    """What `ask` finds in one transaction, which is committed."""

    async def run() -> T:
        engine = create_engine(url)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(ask)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def head(connection: sa.Connection) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in connection.exec_driver_sql("SELECT id, operation_seq, transfer_id FROM ledger_head")]


def test_up_from_empty_leaves_every_guard_in_place(empty: str) -> None:
    upgrade(empty)
    assert within(empty, guards.missing) == []
    assert within(empty, head) == [(1, 0, 0)]


def test_up_from_empty_arrives_at_the_one_newest_revision(empty: str) -> None:
    upgrade(empty)
    found = within(empty, lambda connection: MigrationContext.configure(connection).get_current_heads())
    assert list(found) == ScriptDirectory.from_config(configuration(empty)).get_heads()
    assert len(found) == 1


def test_tables_columns_and_indexes_in_the_database_are_those_of_the_code(empty: str) -> None:
    upgrade(empty)

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))

    assert within(empty, differences) == []


def test_check_constraints_in_the_database_are_those_of_the_code(empty: str) -> None:
    """Alembic's comparison leaves them out, and floors, ceilings and kinds of accounts live in them."""
    upgrade(empty)

    def stands(connection: sa.Connection) -> dict[str, dict[str, str]]:
        inspector = sa.inspect(connection)
        return {
            table: {str(check["name"]): check["sqltext"] for check in inspector.get_check_constraints(table)}
            for table in metadata.tables
        }

    written = {
        table.name: {str(c.name): str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        for table in metadata.tables.values()
    }
    found = within(empty, stands)
    assert {t: sorted(checks) for t, checks in found.items()} == {t: sorted(checks) for t, checks in written.items()}
    assert "ck_account_floor" in found["account"]
    if empty.startswith("sqlite"):  # keeps the text as it was written; PostgreSQL writes it anew
        assert found == written


def test_running_the_upgrade_again_changes_nothing(empty: str) -> None:
    upgrade(empty)
    within(empty, lambda c: c.exec_driver_sql("UPDATE ledger_head SET operation_seq = 7, transfer_id = 9").rowcount)
    upgrade(empty)
    assert within(empty, head) == [(1, 7, 9)]
    assert within(empty, guards.missing) == []


def test_a_filled_ledger_comes_through_every_later_migration(empty: str) -> None:
    """What was booked under the first schema is there, unchanged and proven, under the newest."""
    upgrade(empty, "0001")
    booked = asyncio.run(_evening(empty))
    upgrade(empty)
    assert within(empty, guards.missing) == []
    assert asyncio.run(_proven(empty)) == booked
    assert asyncio.run(_evening(empty))["alice"] == 2 * booked["alice"], "and it goes on"


def test_rows_of_an_older_audit_log_are_found_by_whom_they_name(empty: str) -> None:
    """More of them than are read at a time, several within a microsecond."""
    scripts = ScriptDirectory.from_config(configuration("")).walk_revisions()
    before = next(str(it.down_revision) for it in scripts if it.path.endswith("_audit_mentions.py"))
    upgrade(empty, before)
    person = uuid.uuid4()
    rows = [
        {"id": uuid7(), "at_us": number // 3, "actor": "server", "action": "a", "subject": "network", "details": "{}"}
        for number in range(2500)
    ]
    rows[0] |= {"subject": "/admin/positions.csv", "details": '{"asked": "venue=canal"}'}
    rows[1999] |= {"actor": f"person:{person}"}
    rows[2000] |= {"subject": f"person:{person}"}
    rows[2499] |= {"details": f'{{"was": "person:{person}"}}'}
    within(empty, lambda connection: connection.execute(audit.insert(), rows).rowcount)
    upgrade(empty)
    found = within(empty, lambda connection: {tuple(it) for it in connection.execute(sa.select(audit_mention))})
    assert found == {
        ("canal", 0, rows[0]["id"]),
        *((str(person), rows[number]["at_us"], rows[number]["id"]) for number in (1999, 2000, 2499)),
    }


async def _evening(url: str) -> dict[str, int]:
    """A top-up, a hold that is captured and a sale, by hand: pages and services want the newest tables."""
    engine = create_engine(url)
    ledger = Ledger.open(engine, url, LEDGER_KEY)
    await ledger.start()
    try:
        names = ("clearing", "liability", "issuance", "alice", "claim")
        ids = dict(zip(names, await ledger.accounts([KEYS[name] for name in names], {"RAF": 1}), strict=True))
        books = Books(ledger, engine, ids)
        await books.top_up("alice", 1000)
        hold = Hold(uuid7(), b"", ids["alice"], 300, 4_000_000_000_000_000, "test")
        await ledger.post([hold])
        await ledger.post([replace(books.operation(("alice", "claim", 200)), captures=hold.id)])
        assert isinstance(await books.post(("alice", "claim", 100)), Posted)
        return await _held(ledger)
    finally:
        await ledger.stop()
        await engine.dispose()


async def _proven(url: str) -> dict[str, int]:
    engine = create_engine(url)
    ledger = Ledger.open(engine, url, LEDGER_KEY)
    await ledger.start()
    try:
        report = await verify(engine, LEDGER_KEY.public_key())
        assert report.ok, report.findings
        return await _held(ledger)
    finally:
        await ledger.stop()
        await engine.dispose()


async def _held(ledger: Ledger) -> dict[str, int]:
    kinds = {"wallet": "alice", "claim": "claim", "issuance": "issuance", "clearing": "clearing"}
    return {kinds[row.key.kind]: row.balance for row in await ledger.balances(kinds=kinds)}


def test_processes_that_start_together_migrate_once(empty: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, empty], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0, 0], ended
    assert within(empty, head) == [(1, 0, 0)]
    assert within(empty, guards.missing) == []


def test_alembic_alone_sees_every_table_of_the_house(sqlite_template: Path) -> None:
    """`alembic revision --autogenerate` runs without the server, so no room has been imported for it."""
    ask = "from migrations.metadata import metadata; print(*metadata.tables)"
    seen = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    tables = within(f"sqlite+aiosqlite:///{sqlite_template}", lambda c: sa.inspect(c).get_table_names())
    assert sorted(seen) == sorted(set(tables) - {"alembic_version"})
