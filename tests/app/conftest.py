"""The whole application in this process, over each kind of database, with a small network in it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from argon2 import PasswordHasher

from app.ledger.verify import verify
from app.platform.secrets import load_keys, secrets_folder
from app.platform.settings import Settings
from app.platform.telemetry import configure_logging
from tests.support.network import Network, network_of, running

# Reading all the world's certificates takes longer than most tests.
TLS = ssl.create_default_context()


async def idle(*_: object) -> None:
    await asyncio.Event().wait()


@contextlib.contextmanager
def quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What costs time and is not what these tests are about: hashes, collecting garbage at start, logs, and the rounds
    that a server makes by itself (test_background.py sees them start; whoever tests one makes its rounds)."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("app.identity.passwords._hasher", hasher)
    monkeypatch.setattr("app.identity.passwords._pin_hasher", hasher)
    monkeypatch.setattr("app.outbox.delivery.ssl", SimpleNamespace(create_default_context=lambda: TLS))
    # Frozen objects are never collected: a hundred applications in one process would all stay in memory.
    monkeypatch.setattr(
        "app.main.gc",
        SimpleNamespace(enable=lambda: None, collect=lambda: 0, freeze=lambda: None, set_threshold=lambda *_: None),
    )
    monkeypatch.setattr("app.main.run_for_ever", idle)
    monkeypatch.setattr("app.main.lapse_for_ever", idle)
    monkeypatch.setattr("app.main.remind_for_ever", idle)
    monkeypatch.setattr("app.main.close_for_ever", idle)
    monkeypatch.setattr("app.main.close_gone_for_ever", idle)
    monkeypatch.setattr("app.main.tend_for_ever", idle)
    monkeypatch.setattr("app.main.complete_for_ever", idle)
    monkeypatch.setattr("app.main.see_to_passes_for_ever", idle)
    monkeypatch.setattr("app.main.give_back_for_ever", idle)
    monkeypatch.setattr("app.main.offer_for_ever", idle)
    monkeypatch.setattr("app.main.see_to_leases_for_ever", idle)
    monkeypatch.setattr("app.main.forget_for_ever", idle)
    monkeypatch.setattr("app.main.Deliveries.run", idle)
    monkeypatch.setattr("app.main.Mailer.run", idle)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("error", io.StringIO())
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with quickly(monkeypatch):
        yield


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's keys, made once: making them waits for the disk."""
    data = tmp_path_factory.mktemp("keys")
    load_keys(data)
    return secrets_folder(data)


@pytest.fixture
def network_settings(quick: None, database_url: str, secrets: Path, tmp_path: Path) -> Settings:
    shutil.copytree(secrets, secrets_folder(tmp_path / "data"))
    return Settings(data=tmp_path / "data", database_url=database_url, base_url="http://server.test")


@pytest.fixture
async def network(network_settings: Settings) -> AsyncIterator[Network]:
    """Running for one test. At its end the whole ledger is recomputed, whatever the test was about."""
    async with running(network_settings) as app, network_of(app, network_settings) as network:
        yield network
        report = await verify(network.engine)
        assert report.ok, report.findings
