"""kill -9 in the middle of the scheduled run, and again: what stands in the ledger is what an undisturbed run books."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.ledger.verify import verify
from app.platform.context import Context
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.rules.policy import Lapse
from app.topups.service import at_the_counter
from tests.app.lapses.conftest import GROUND, Clock, announce, rule
from tests.support.network import RAF, Network, add_card

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]
WALLETS = 300
# Small pages, so that there is a middle to be killed in.
RUN = "import app.lapses.service as s; s.PAGE = 10; from app.cli.server import lapse; lapse()"
KILLS = 3
DEADLINE_S = 60.0


@pytest.fixture
def database_kind() -> str:
    """A file that can be copied: one to be disturbed, and one not."""
    return "sqlite"


@pytest.fixture
async def due(network: Network, clock: Clock, tmp_path: Path) -> Path:
    """A data folder in which some hundred wallets fall due now, by the clock of any other process."""
    network_data = network.settings.data
    clock.passed = -400
    async with network.engine.begin() as connection:
        cards = [await add_card(connection, f"04B{number:011X}", f"Carte {number}") for number in range(WALLETS)]
    await rule(
        network,
        "RAF",
        Lapse(expires_after_days=365, notice_days=30, beneficiary="network", legal_ground=GROUND),
    )
    venue = network.venues["raffinerie"]
    topups = [
        at_the_counter(network.ledger, venue, card, RAF, 100 + number, uuid7(), actor="test")
        for number, card in enumerate(cards)
    ]
    await asyncio.gather(*topups)
    clock.passed = -60
    assert await announce(network) == WALLETS
    clock.passed = 0
    copy = tmp_path / "due"
    shutil.copytree(network_data, copy)
    here = network.settings.sqlalchemy_url.partition("///")[2]
    with closing(sqlite3.connect(here)) as source, closing(sqlite3.connect(copy / "comptoir.sqlite3")) as target:
        source.backup(target)
    return copy


def start(data: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN]
    settings = {"COMPTOIR_DATA": str(data), "COMPTOIR_LOG_LEVEL": "error", "COMPTOIR_DATABASE_URL": ""}
    environment = {k: v for k, v in {**os.environ, **settings}.items() if v}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=DEADLINE_S)
    return process.returncode


def lapsed(data: Path) -> dict[str, int]:
    """Amounts by the operation's id."""
    with closing(sqlite3.connect(data / "comptoir.sqlite3")) as connection:
        query = "SELECT o.id, t.amount FROM operation o JOIN transfer t ON t.id = o.first_transfer"
        return dict(connection.execute(f"{query} WHERE o.kind LIKE 'lapse.%'").fetchall())


def balances(data: Path) -> dict[str, int]:
    with closing(sqlite3.connect(data / "comptoir.sqlite3")) as connection:
        query = (
            "SELECT b.kind || b.currency || a.kind || a.owner, a.balance FROM account a JOIN book b ON b.id = a.book"
        )
        return dict(connection.execute(query).fetchall())


async def test_a_run_that_is_killed_and_run_again_books_what_one_run_would(due: Path, tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    shutil.copytree(due, calm)
    assert ended(start(calm)) == 0
    wanted = lapsed(calm)
    assert len(wanted) == WALLETS
    chance, in_the_middle = random.Random(4), 0
    for _ in range(KILLS):
        before = len(lapsed(due))
        process, end = start(due), time.monotonic() + DEADLINE_S
        upto = before + chance.randrange(1, WALLETS // KILLS)
        while len(lapsed(due)) < upto and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        in_the_middle += before < len(lapsed(due)) < WALLETS
    assert in_the_middle, "this is about kills in mid-run"
    assert ended(start(due)) == 0
    assert lapsed(due) == wanted
    assert balances(due) == balances(calm)
    said = start(due)
    assert said.communicate(timeout=DEADLINE_S)[0].splitlines()[1].startswith("0 wallets")
    context = Context.open(Settings(data=due))
    report = await verify(context.engine, context.keys.signing.public_key())
    await context.close()
    assert report.findings == []
