"""Payments are the sandbox's, whose own notices are lost."""

from __future__ import annotations

import pytest

from app.platform.settings import Settings


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox"})


@pytest.fixture(autouse=True)
def _no_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(base_url: str, reference: str) -> None:
        pass

    monkeypatch.setattr("app.topups.pages.sandbox._notify", lost)
