"""Networks as files, and a database to apply them to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from app.platform.context import Context
from app.platform.settings import Settings

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "network.yaml"


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("app.identity.passwords._hasher", hasher)
    monkeypatch.setattr("app.identity.passwords._pin_hasher", hasher)


@pytest.fixture
async def context(quick_hashes: None, database_url: str, tmp_path: Path) -> AsyncIterator[Context]:
    """An empty, migrated database: the test runs once on each kind."""
    context = Context.open(Settings(data=tmp_path / "data", database_url=database_url))
    yield context
    await context.close()
