from __future__ import annotations

import pytest

from tests.support.network import Network
from tests.support.settling import Settling, settling_of


@pytest.fixture
async def settling(network: Network, monkeypatch: pytest.MonkeyPatch) -> Settling:
    return await settling_of(network, monkeypatch)
