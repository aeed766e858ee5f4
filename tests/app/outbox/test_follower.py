"""Following the ledger: in order, without gaps, at once, from this process and from others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.outbox import events as event_stream
from app.outbox.events import events
from app.outbox.follower import KEPT, STRETCH, Follower

from .conftest import Books

pytestmark = pytest.mark.anyio

BAR, CAFE = UUID(int=1), UUID(int=2)


async def collect(follower: Follower, after: int, upto: int, venues: set[UUID] | None = None) -> list[int]:
    seen: list[int] = []
    async for operations in follower.follow(after, venues):
        assert operations
        seen += [it.seq for it in operations]
        if seen[-1] >= upto:
            break
    return seen


async def test_what_this_process_books_is_followed_at_once(books: Books) -> None:
    async with asyncio.timeout(20):  # the poll comes after a minute
        following = asyncio.create_task(collect(books.follower, 0, 7))
        for _ in range(7):
            await books.book()
        assert await following == [1, 2, 3, 4, 5, 6, 7]


async def test_what_another_process_books_is_followed_too(books: Books, another: Books, database_kind: str) -> None:
    async with asyncio.timeout(20):
        following = asyncio.create_task(collect(another.follower, 0, 3))
        await asyncio.sleep(0)
        await books.book(3)
        assert await following == [1, 2, 3]


async def test_many_writers_leave_no_gap_and_no_disorder_for_many_followers(books: Books, another: Books) -> None:
    """Both processes book at once while followers start at all kinds of places."""
    total = 401
    async with asyncio.timeout(60):
        followers = [
            asyncio.create_task(collect(it.follower, start, total))
            for it in (books, another)
            for start in (0, 0, 5, 150)
        ]

        async def write(it: Books) -> None:
            for _ in range(20):
                await it.book(10)

        await asyncio.gather(write(books), write(another))
        await books.book()  # the first process does not poll soon, so the last news is its own
        for number, following in enumerate(followers):
            seen = await following
            start = (0, 0, 5, 150)[number % 4]
            assert seen == list(range(start + 1, total + 1))


async def test_a_venues_follower_gets_its_own_and_moves_on_past_the_rest(books: Books) -> None:
    for venue in (BAR, CAFE, None, CAFE, BAR, CAFE):
        await books.book(1, venue)
    assert await collect(books.follower, 0, 6, {CAFE}) == [2, 4, 6]
    stretch = await books.follower.next(4, venues={BAR})
    assert ([it.seq for it in stretch.operations], stretch.upto) == ([5], 6)
    far_behind = await books.follower.next(0, limit=3, venues={BAR})
    assert ([it.seq for it in far_behind.operations], far_behind.upto) == ([1], 3)


async def test_nothing_new_is_nothing_after_the_time_given(books: Books) -> None:
    await books.book(2)
    stretch = await books.follower.next(2, timeout_s=0.01)
    assert (stretch.operations, stretch.upto) == ([], 2)


async def test_followers_that_wait_are_let_go_at_the_end(books: Books) -> None:
    waiting = [asyncio.create_task(books.follower.next(0)), asyncio.create_task(collect(books.follower, 0, 1))]
    await asyncio.sleep(0)
    books.follower.leave()
    async with asyncio.timeout(5):
        stretch, seen = await asyncio.gather(*waiting)
    assert (stretch.upto, seen) == (0, [])


async def test_those_who_are_up_to_date_share_one_reading(books: Books) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        asked.append(text)

    following = [asyncio.create_task(collect(books.follower, 0, 5)) for _ in range(40)]
    await asyncio.sleep(0)
    sa.event.listen(books.context.engine.sync_engine, "before_cursor_execute", note)
    async with asyncio.timeout(20):
        await books.book(5)
        assert await asyncio.gather(*following) == [[1, 2, 3, 4, 5]] * 40
    reads = [text for text in asked if text.startswith("SELECT operation.")]
    assert len(reads) == 1


async def test_what_is_kept_for_others_is_bounded(books: Books) -> None:
    seq = 0
    for _ in range(KEPT + 5):
        (seq,) = await books.book()
        await books.follower.next(seq - 1)
    kept = books.follower._kept
    assert len(kept) == KEPT
    assert all(it.upto - start <= STRETCH for start, it in kept)


# The same as server-sent events.


def parsed(text: str) -> list[dict[str, str]]:
    """Messages as a browser reads them: fields by name; comments left out."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block if not line.startswith(":")) for block in blocks]


async def some(stream: AsyncIterator[str], count: int) -> list[dict[str, str]]:
    messages: list[dict[str, str]] = []
    async for text in stream:
        messages += parsed(text)
        if len([it for it in messages if "data" in it]) >= count:
            break
    return messages


async def test_events_carry_the_numbers_by_which_a_client_goes_on(books: Books) -> None:
    await books.book(5)
    messages = await some(events(books.follower, 0, None), 5)
    assert [it["id"] for it in messages] == ["0", "1", "2", "3", "4", "5"]
    assert {it["event"] for it in messages[1:]} == {"operation"}
    again = await some(events(books.follower, 3, None), 2)
    assert [it["id"] for it in again] == ["3", "4", "5"]
    assert '"seq":4' in again[1]["data"]


async def test_a_venues_stream_moves_its_number_on_without_events(books: Books) -> None:
    for venue in (BAR, CAFE, CAFE):
        await books.book(1, venue)
    messages = await some(events(books.follower, 0, {BAR}), 1)
    assert [(it["id"], "data" in it) for it in messages] == [("0", False), ("1", True), ("3", False)]


async def test_a_silent_stream_shows_that_it_is_alive_and_ends_after_its_time(books: Books) -> None:
    texts = [text async for text in events(books.follower, 0, None, alive_s=0.01, lives_s=0.1)]
    assert texts[0].startswith("retry: ")
    assert len(texts) > 2
    assert set(texts[1:]) == {": alive\n\n"}


async def test_a_slow_client_holds_one_stretch_however_much_is_booked(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "STRETCH", 10)
    stream = events(books.follower, 0, None)
    await anext(stream)
    await books.book(300)
    stretches = [parsed(await anext(stream)) for _ in range(30)]
    assert [len(it) for it in stretches] == [10] * 30
    assert [int(it["id"]) for messages in stretches for it in messages] == list(range(1, 301))
