"""The database cannot be reached: told in the user's words, nothing half-written, and all is well when it is back."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.ledger.verify import verify
from app.platform.migrate import upgrade
from app.platform.settings import Settings
from app.platform.throwaway_postgres import throwaway_postgres
from tests.support.network import Network, Terminal, network_of, problem, running

pytestmark = pytest.mark.anyio

# The ledger's own patience, which these tests need not share: how often and how long it tries again.
QUICK_RETRIES_S = (0.0, 0.05)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=50")
    monkeypatch.setattr("app.ledger.pipeline.RETRY_DELAYS_S", QUICK_RETRIES_S)
    monkeypatch.setattr("app.platform.database.SQLITE_PRAGMAS", pragmas)
    monkeypatch.setattr("app.ledger.store.sqlite.SQLITE_PRAGMAS", pragmas)


async def everything_refuses(network: Network, bar: Terminal, allowed: set[tuple[int, str]]) -> None:
    """Every way in answers soon and in the same words; `allowed`: those that this fault may be told in."""
    sale = bar.sale("awa", {"Eau": 1})
    journal = bar.journal.copy()
    batch = journal.batch(journal.add(bar.sale_row("awa", {"Eau": 1})))
    path = f"/venues/{bar.venue.id}/topups"
    body = {"card": sale.card, "currency": "RAF", "amount": 100}
    for answer in (await bar.sell(sale), await bar.sync(batch), await network.post("lucas", path, body)):
        assert problem(answer) in allowed
        assert int(answer.headers["retry-after"]) > 0
        assert any(word in answer.json()["detail"].lower() for word in ("nothing is booked twice", "no money is lost"))


async def works_again(network: Network, bar: Terminal) -> None:
    """One sale, one delivery and one top-up of 1.00 each on a card that held 10.00, and none of what was refused."""
    bar.journal.rows.clear()
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 201
    assert (await bar.deliver(bar.sale_row("awa", {"Eau": 1})))["acknowledged"] == 1
    await network.top_up("awa", 100)
    assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}
    assert await network.exceptions() == []


class TestPostgres:
    @pytest.fixture
    def server(self) -> Iterator[str]:
        """A server of this test's own, which it may stop. Not async: Alembic runs an event loop of its own."""
        with throwaway_postgres() as address:
            upgrade(address.format(db="postgres").replace("postgresql://", "postgresql+asyncpg://"))
            yield address.format(db="postgres")

    @pytest.fixture
    async def network(self, server: str, quick: None, impatient: None, tmp_path: Path) -> AsyncIterator[Network]:
        settings = Settings(data=tmp_path, database_url=server, base_url="http://server.test")
        async with running(settings) as app, network_of(app, settings) as network:
            yield network
            report = await verify(network.engine)
            assert report.ok, report.findings

    async def test_a_server_that_was_stopped_and_comes_back(self, network: Network, server: str) -> None:
        await network.top_up("awa", 1000)
        await network.person("lucas")
        bar = await network.terminal("raffinerie")
        await bar.sell("basile", {"Eau": 1})
        folder = Path(parse_qs(urlsplit(server).query)["host"][0]) / "data"
        start_again = stop_postgres(folder)
        await everything_refuses(network, bar, {(503, "database-unavailable"), (503, "outcome-unknown")})
        start_again()
        await works_again(network, bar)


def stop_postgres(folder: Path) -> Callable[[], None]:
    """Stop the server that keeps its data there, clients or not; what is returned starts it again as it was."""
    pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    program = os.readlink(f"/proc/{pid}/exe")
    owner = folder.stat()
    os.kill(pid, signal.SIGINT)
    while Path(f"/proc/{pid}").exists() and "zombie" not in Path(f"/proc/{pid}/status").read_text():
        time.sleep(0.01)

    def start_again() -> None:
        who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        control = Path(program).with_name("pg_ctl")
        options = b" ".join(command[3:]).decode()
        arguments = ["-D", str(folder), "-w", "-l", str(folder.parent / "server.log"), "-o", options, "start"]
        subprocess.run([str(control), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=folder.parent, **who)  # type: ignore[call-overload]

    return start_again


@pytest.mark.usefixtures("impatient")
class TestSqlite:
    @pytest.fixture
    def database_kind(self) -> str:
        return "sqlite"

    @pytest.fixture
    async def bar(self, network: Network) -> Terminal:
        await network.top_up("awa", 1000)
        await network.person("lucas")
        return await network.terminal("raffinerie")

    async def test_a_file_that_is_gone(self, network: Network, bar: Terminal) -> None:
        path = file_of(network)
        away = path.with_name("away.sqlite3")
        path.rename(away)
        await everything_refuses(network, bar, {(503, "database-unavailable"), (503, "outcome-unknown")})
        away.rename(path)
        await works_again(network, bar)

    async def test_a_file_that_somebody_else_holds(self, network: Network, bar: Terminal) -> None:
        other = sqlite3.connect(file_of(network), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await everything_refuses(network, bar, {(503, "database-unavailable"), (503, "outcome-unknown")})
        other.execute("ROLLBACK")
        other.close()
        await works_again(network, bar)


def file_of(network: Network) -> Path:
    return Path(str(network.settings.database_url).removeprefix("sqlite+aiosqlite:///"))
