"""The network with the sandbox provider."""

from __future__ import annotations

import pytest

from app.platform.settings import Settings


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox"})
