"""Many real processes on one PostgreSQL, all at the same accounts at once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.rules.ids import uuid7
from tests.faults.ledger_processes import Poster, opened, posters, proven, sales, top_up, until

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

PROCESSES = 3


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


@pytest.fixture
async def ids(database_url: str) -> dict[str, int]:
    return await opened(database_url)


@pytest.fixture
def crew(database_url: str, ids: dict[str, int]) -> Iterator[list[Poster]]:
    with posters(database_url, ids, PROCESSES) as running:
        yield running


async def test_one_wallet_is_not_spent_twice(database_url: str, ids: dict[str, int], crew: list[Poster]) -> None:
    await top_up(database_url, ids, alice=1000)
    for poster in crew:
        poster.post(sales(100, ("alice", "claim", 7)))
    for poster in crew:
        poster.all_answered()
    told = Counter(outcome for poster in crew for outcome, _ in poster.answers.values())
    assert told == {"booked": 1000 // 7, "insufficient-funds": 300 - 1000 // 7}
    balances, _ = await proven(database_url, ids)
    assert (balances["alice"], balances["claim"]) == (1000 % 7, 1000 - 1000 % 7)


async def test_transfers_in_a_ring_neither_lock_up_nor_lose_anything(
    database_url: str, ids: dict[str, int], crew: list[Poster]
) -> None:
    """Each process goes round the ring its own way, several steps in one operation: the classic deadlock."""
    await top_up(database_url, ids, **{f"ring_{n}": 500 for n in range(6)})
    for turn, poster in enumerate(crew):
        steps = [(f"ring {n}", f"ring {(n + 1) % 6}", 1) for n in range(6)]
        steps = steps[turn:] + steps[:turn]
        poster.post(sales(60, *(steps if turn % 2 else [(b, a, amount) for a, b, amount in reversed(steps)])))
        across = sales(60, (f"ring {turn}", f"ring {turn + 3}", 2), (f"ring {turn + 3}", f"ring {turn}", 1))
        poster.post(across, together=True)
    for poster in crew:
        poster.all_answered()
        assert {outcome for outcome, _ in poster.answers.values()} == {"booked"}
    balances, booked = await proven(database_url, ids)
    assert len(booked) == 6 + 2 * 60 * PROCESSES
    assert [balances[f"ring {n}"] for n in range(6)] == [440, 440, 440, 560, 560, 560]


async def test_the_same_ids_everywhere_at_once_are_booked_once(
    database_url: str, ids: dict[str, int], crew: list[Poster]
) -> None:
    await top_up(database_url, ids, alice=100_000)
    same = sales(120, ("alice", "claim", 3))
    other = [(id_, [("alice", "claim", 4)]) for id_, _ in same]
    for poster in crew[:-1]:
        poster.post(same)
    crew[-1].post(other)
    for poster in crew:
        poster.all_answered()
    for id_, _ in same:
        told = sorted(poster.answers[id_][0] for poster in crew)
        assert told in (["Conflict", "booked", "known"], ["Conflict", "Conflict", "booked"])
    balances, booked = await proven(database_url, ids)
    assert len(booked) == 1 + 120
    won = sum(crew[-1].answers[id_][0] == "booked" for id_, _ in same)
    assert balances["claim"] == 3 * (120 - won) + 4 * won


async def test_what_everybody_takes_back_at_once_is_taken_back_once(
    database_url: str, ids: dict[str, int], crew: list[Poster]
) -> None:
    await top_up(database_url, ids, alice=10_000)
    sold = sales(40, ("alice", "claim", 100))
    crew[0].post(sold)
    crew[0].all_answered()
    numbers = [crew[0].answers[id_][1][0] for id_, _ in sold]
    for poster in crew:
        # In parts of 40: two of them go through, whoever comes first; a third would be too much.
        poster.post((str(uuid7()), [[ids["claim"], ids["alice"], 40, number]]) for number in numbers)
    for poster in crew:
        poster.all_answered()
    told = Counter(poster.answers[id_][0] for poster in crew for id_ in poster.asked[-40:])
    assert told == {"booked": 2 * 40, "already-reversed": (PROCESSES - 2) * 40}
    balances, _ = await proven(database_url, ids)
    assert balances["claim"] == 40 * 20


async def test_a_process_that_is_paused_with_the_head_in_its_hands_does_not_stop_the_others(
    database_url: str, ids: dict[str, int]
) -> None:
    """SIGSTOP in the middle of a batch: the database ends that transaction after its timeout, and all is well again
    even when the process wakes up later and goes on as if nothing had been."""
    await top_up(database_url, ids, alice=1000)
    settings = ("idle_in_transaction_session_timeout=700", "lock_timeout=400")
    with posters(database_url, ids, 2, *settings) as (paused, other):
        paused.say({"do": "freeze"})
        paused.post(sales(1, ("alice", "claim", 5)))
        until(lambda: _is_stopped(paused), "the process to stop")
        start = time.monotonic()
        other.post(sales(20, ("alice", "claim", 1)))
        await asyncio.to_thread(other.all_answered, 10)
        assert time.monotonic() - start > 0.3, "the head was locked indeed"
        assert {outcome for outcome, _ in other.answers.values()} == {"booked"}
        assert paused.answers == {}
        os.kill(paused.process.pid, signal.SIGCONT)
        paused.all_answered()
        assert [outcome for outcome, _ in paused.answers.values()] == ["booked"]
    balances, _ = await proven(database_url, ids)
    assert balances["claim"] == 25


def _is_stopped(poster: Poster) -> bool:
    status = Path(f"/proc/{poster.process.pid}/stat").read_text().rpartition(")")[2].split()
    return status[0] == "T"
