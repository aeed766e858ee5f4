"""The small network with what else can be issued: gifts, points and mutual credit, all taken at the raffinerie."""

from __future__ import annotations

import pytest

from app.currencies.service import Currency
from app.money import Unit
from tests.support.network import GIFT, POINTS, Network

MUTUAL = Currency("BAR", "network", "mutual", Unit.CENT, "Barter", "Barter", "BAR", None, 5)


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
async def rich(network: Network) -> Network:
    for currency in (GIFT, POINTS, MUTUAL):
        await network.define(currency, at=["raffinerie"])
    return network
