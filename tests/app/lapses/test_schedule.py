"""The scheduled run of a server, and the command that makes or foretells it."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from app.cli import lapsing
from app.cli.server import lapse
from app.lapses import daily
from app.platform.clock import now_us
from app.rules.business_day import business_day
from app.rules.policy import Lapse
from tests.app.lapses.conftest import GROUND, Clock, lapsed, rule, told
from tests.support.network import Network

YEAR = Lapse(expires_after_days=365, notice_days=30, beneficiary="network", legal_ground=GROUND)


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def today() -> date:
    return business_day(now_us(), "Europe/Paris")


async def test_one_run_a_day_announces_in_time_and_books_when_it_is_due(network: Network, clock: Clock) -> None:
    """Day by day for a year and some: the money goes on the first turn of a day after its year, and not before."""
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(330)
    ran: date | None = None
    held: list[int] = []
    for _ in range(40):
        ran = await daily.run_daily(network.context, network.ledger, ran)
        assert ran == today()
        held.append((await network.holds("awa"))["RAF"])
        clock.go(1)
    assert held == [300] * 36 + [0] * 4
    (it,) = await lapsed(network)
    assert not it.late


async def test_a_day_that_was_run_is_not_run_again(
    network: Network, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[date] = []

    async def run(*_: object) -> tuple[int, int, int]:
        runs.append(today())
        return 0, 0, 0

    monkeypatch.setattr(daily, "run", run)
    ran = await daily.run_daily(network.context, network.ledger, None)
    assert await daily.run_daily(network.context, network.ledger, ran) == ran
    clock.go(1)
    await daily.run_daily(network.context, network.ledger, ran)
    assert len(runs) == 2


async def test_what_goes_wrong_is_tried_again(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    enough = asyncio.Event()

    async def fails(*_: object) -> None:
        tries.append(1)
        if len(tries) == 3:
            enough.set()
        raise OSError("the database is away")

    monkeypatch.setattr(daily, "run", fails)
    task = asyncio.create_task(daily.run_for_ever(network.context, network.ledger, every_s=0.001))
    await asyncio.wait_for(enough.wait(), 10)
    task.cancel()
    await asyncio.wait([task])


async def test_the_command_foretells_what_it_then_books(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    ahead = today() + timedelta(days=40)
    before = await lapsing.foreseen(network.context, ahead)
    assert before[0].split()[1:] == ["expiry", network.cards["awa"].owner, "€3.00", "RAF@1"]
    assert before[-1] == "1 in all. Nothing was changed."
    assert await told(network, "awa") == []
    assert (await lapsing.run(network.context, None))[0] == "1 new notices to holders"
    clock.go(33)
    assert (await lapsing.run(network.context, today() - timedelta(days=10)))[1].startswith("0 wallets")
    assert (await lapsing.run(network.context, None))[1].startswith("1 wallets")
    assert (await lapsing.foreseen(network.context, None))[-1] == "0 in all. Nothing was changed."


def test_the_command_explains_itself_and_refuses_what_is_no_date() -> None:
    assert "books nothing twice" in " ".join(CliRunner().invoke(lapse, ["--help"]).output.split())
    assert CliRunner().invoke(lapse, ["--until", "tomorrow"]).exit_code == 2
