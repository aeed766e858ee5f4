"""A network whose clock can be turned, with policies under which things lapse."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from app.currencies.policies import add_policy
from app.lapses import service
from app.lapses.rules import DAY_US
from app.lapses.store import Notice, notices_of
from app.ledger.service import BookedOperation
from app.platform.clock import now_us
from app.rules.policy import Lapse, Policy
from tests.support.network import Network

GROUND = "Article 4 of the rules of the association"


@dataclass
class Clock:
    """The server's clock, `passed` days ahead."""

    passed: float = 0.0

    def time_ns(self) -> int:
        return time.time_ns() + int(self.passed * DAY_US) * 1000

    def go(self, days: float) -> None:
        self.passed += days


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    # It starts at noon (UTC): days turn at six, and a test means the same at whatever hour it runs.
    turned = Clock(((12 - time.time() / 3600) % 24) / 24)
    monkeypatch.setattr("app.platform.clock.time", SimpleNamespace(time_ns=turned.time_ns))
    return turned


async def rule(network: Network, code: str, lapse: Lapse, **more: object) -> None:
    """From now on these terms hold."""
    async with network.engine.begin() as connection:
        await add_policy(connection, code, Policy(lapse=lapse, **more), now_us(), "test")  # type: ignore[arg-type]


async def announce(network: Network) -> int:
    return await service.announce(network.engine, network.ledger)


async def book(network: Network) -> int:
    return await service.book(network.engine, network.ledger)


async def told(network: Network, card: str) -> list[Notice]:
    async with network.engine.connect() as connection:
        return await notices_of(connection, network.cards[card].owner)


async def lapsed(network: Network) -> list[BookedOperation]:
    """The operations of what lapsed, the oldest first."""
    stretch = await network.ledger.history.after(0, 10_000)
    return [it for it in stretch.operations if it.kind.startswith("lapse.")]


async def standing(network: Network, kind: str) -> dict[str, int]:
    """Accounts of a kind with their balances, by currency and owner; the empty ones left out."""
    rows = await network.ledger.balances(kinds=[kind])
    return {f"{it.key.book.currency} {it.key.owner}".strip(): it.balance for it in rows if it.balance}
