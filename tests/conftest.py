"""Real databases for every test that wants one: SQLite files and a PostgreSQL server, both migrated for real."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.platform import database
from app.platform.database import create_engine
from app.platform.migrate import upgrade
from app.platform.throwaway_postgres import throwaway_postgres
from tests.support.machine import keep_bytecode, keep_files_in_memory, workers

keep_bytecode()
keep_files_in_memory()

# Whoever asks for one of these finds the small network of tests.support.network in the database.
NETWORKED = frozenset({"network", "network_settings", "served_network"})


def pytest_xdist_auto_num_workers() -> int:
    return workers()


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """SQLAlchemy keeps compiled statements by engine and dialect; here nearly every test has an engine of its own."""
    kept: dict[str, Any] = {}
    patch = pytest.MonkeyPatch()
    make = database.create_async_engine

    def make_with_kept(*arguments: Any, **more: Any) -> AsyncEngine:
        engine = make(*arguments, **more)
        inner = engine.sync_engine
        inner._compiled_cache = kept.setdefault(inner.dialect.name, inner._compiled_cache)
        return engine

    patch.setattr(database, "create_async_engine", make_with_kept)
    patch.setattr(DefaultDialect, "__hash__", lambda self: hash(type(self)), raising=False)
    patch.setattr(DefaultDialect, "__eq__", lambda self, other: type(self) is type(other), raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One server per test process, with a migrated database `template_comptoir` to clone."""
    with throwaway_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    async def create() -> None:
        connection = await asyncpg.connect(postgres_server.format(db="postgres"))
        await connection.execute("CREATE DATABASE template_comptoir")
        await connection.close()

    asyncio.run(create())
    return "template_comptoir"


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str, postgres_template: str) -> str:
    upgrade(postgres_server.format(db=postgres_template).replace("postgresql://", "postgresql+asyncpg://"))
    return postgres_template


@pytest.fixture(scope="session")
def sqlite_network(sqlite_template: Path) -> Path:
    """A template in which the small network of tests.support.network is founded."""
    from tests.support.network import found_template  # noqa: PLC0415 (the whole server, which few folders need)

    path = sqlite_template.with_name("network.sqlite3")
    shutil.copy(sqlite_template, path)
    found_template(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_network(postgres_server: str, migrated_template: str) -> str:
    """The same on PostgreSQL: the template's name."""
    from tests.support.network import found_template  # noqa: PLC0415

    async def copy() -> None:
        connection = await asyncpg.connect(postgres_server.format(db="postgres"))
        await connection.execute(f"CREATE DATABASE network_comptoir TEMPLATE {migrated_template}")
        await connection.close()

    asyncio.run(copy())
    found_template(postgres_server.format(db="network_comptoir").replace("postgresql://", "postgresql+asyncpg://"))
    return "network_comptoir"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def template(database_kind: str, request: pytest.FixtureRequest) -> Path | tuple[str, str]:
    """What a test's database is copied from. Not async: Alembic runs an event loop of its own."""
    founded = not NETWORKED.isdisjoint(request.fixturenames)
    if database_kind == "sqlite":
        path: Path = request.getfixturevalue("sqlite_network" if founded else "sqlite_template")
        return path
    source = request.getfixturevalue("postgres_network" if founded else "migrated_template")
    return request.getfixturevalue("postgres_server"), source


@asynccontextmanager
async def copied(server: str, source: str) -> AsyncIterator[str]:
    """A copy of a PostgreSQL database, as SQLAlchemy's URL."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server.format(db="postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
    try:
        yield server.format(db=name).replace("postgresql://", "postgresql+asyncpg://")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def database_url(template: Path | tuple[str, str], tmp_path: Path) -> AsyncIterator[str]:
    """A fresh migrated database for one test, as SQLAlchemy's URL; the test runs once on each kind."""
    if isinstance(template, Path):
        path = tmp_path / "comptoir.sqlite3"
        shutil.copy(template, path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    async with copied(*template) as url:
        yield url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()
