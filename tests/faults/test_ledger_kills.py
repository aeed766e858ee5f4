"""kill -9 in mid-load: of a process that posts, of a backend of PostgreSQL, of the whole server. The clients send the
same ids again until they know. Every acknowledged operation is in the ledger, once, and the ledger proves itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator

import asyncpg
import pytest
from sqlalchemy import make_url

from app.platform.migrate import upgrade
from app.platform.throwaway_postgres import throwaway_postgres
from tests.faults.ledger_processes import Poster, Server, opened, posters, proven, sales, top_up, until

pytestmark = pytest.mark.faults

SEED = int(os.environ.get("COMPTOIR_KILLS_SEED", str(random.SystemRandom().randrange(10**6))))
ROUNDS = int(os.environ.get("COMPTOIR_KILLS_ROUNDS", "2"))
EACH = 400
FLOAT = 10**6


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with throwaway_postgres(durable=True) as address:
        yield Server(address)


@pytest.fixture
def url(server: Server, request: pytest.FixtureRequest) -> str:
    """A database for this test. Nothing here is async, for what is killed here must not be the test's own loop."""
    name = request.node.name.lower()[:60]
    asyncio.run(_create(server, name))
    found = server.address.format(db=name).replace("postgresql://", "postgresql+asyncpg://")
    upgrade(found)
    return found


async def _create(server: Server, name: str) -> None:
    connection = await asyncpg.connect(server.address.format(db="postgres"))
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()


@pytest.fixture
def ids(url: str) -> dict[str, int]:
    ids = asyncio.run(opened(url))
    asyncio.run(top_up(url, ids, alice=FLOAT))
    return ids


@pytest.fixture
def chance() -> random.Random:
    print(f"COMPTOIR_KILLS_SEED={SEED}")
    return random.Random(SEED)


def test_a_poster_that_is_killed_loses_and_doubles_nothing(
    url: str, ids: dict[str, int], chance: random.Random
) -> None:
    asked = 0
    for _ in range(ROUNDS):
        operations = sales(EACH, ("alice", "claim", 2))
        asked += EACH
        with posters(url, ids, 2) as (killed, heir):
            killed.post(operations)
            some = chance.randrange(1, EACH // 2)
            until(lambda: len(killed.answers) >= some, "it to be in the middle of it")  # noqa: B023
            killed.kill()
            heir.post(operations)
            heir.all_answered()
            assert all(outcome == "booked" for outcome, _ in killed.answers.values())
            for id_, (_, numbers) in killed.answers.items():
                assert heir.answers[id_] == ("known", numbers), "an acknowledged operation is known, as it was told"
    _all_is_there(url, ids, asked)


def test_a_backend_that_is_killed_loses_and_doubles_nothing(
    url: str, ids: dict[str, int], server: Server, chance: random.Random
) -> None:
    """PostgreSQL then throws everybody out and recovers from its log."""

    def kill_one() -> Callable[[], None]:
        os.kill(chance.choice(asyncio.run(_backends(server, url))), signal.SIGKILL)
        return lambda: None

    _under_load(url, ids, chance, kill_one)


def test_a_server_that_is_killed_loses_and_doubles_nothing(
    url: str, ids: dict[str, int], server: Server, chance: random.Random
) -> None:
    _under_load(url, ids, chance, server.kill)


def _under_load(url: str, ids: dict[str, int], chance: random.Random, kill: Callable[[], Callable[[], None]]) -> None:
    """`kill` gives back what brings the database up again."""
    with posters(url, ids, 2) as crew:
        for _ in range(ROUNDS):
            before = _answered(crew)
            for poster in crew:
                poster.post(sales(EACH, ("alice", "claim", 2)))
            some = before + chance.randrange(1, EACH)
            until(lambda: _answered(crew) >= some, "them to be in the middle of it")  # noqa: B023
            bring_up = kill()
            left = before + 2 * EACH - _answered(crew)
            bring_up()
            assert left > 0, "this is about kills in mid-load"
            for poster in crew:
                poster.all_answered()
    for poster in crew:
        assert {outcome for outcome, _ in poster.answers.values()} <= {"booked", "known"}
    _all_is_there(url, ids, 2 * EACH * ROUNDS)


def _answered(crew: list[Poster]) -> int:
    return sum(len(poster.answers) for poster in crew)


async def _backends(server: Server, url: str) -> list[int]:
    """Those that the posters' ledgers write through."""
    connection = await asyncpg.connect(server.address.format(db="postgres"))
    rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = $1", make_url(url).database)
    await connection.close()
    return [row["pid"] for row in rows]


def _all_is_there(url: str, ids: dict[str, int], asked: int) -> None:
    balances, booked = asyncio.run(proven(url, ids))
    assert len(booked) == asked + 1
    assert (balances["alice"], balances["claim"]) == (FLOAT - 2 * asked, 2 * asked)
