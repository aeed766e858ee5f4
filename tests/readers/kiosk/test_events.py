from __future__ import annotations

import asyncio
import json
from typing import Any

from readers.kiosk.events import stream
from tests.readers.kiosk.fake_till import FakeTill


def read(event: bytes) -> tuple[str, Any]:
    """The name and the data of one server-sent event."""
    assert event.endswith(b"\n\n")
    first, second = event.decode().rstrip("\n").split("\n")
    assert first.startswith("event: ")
    assert second.startswith("data: ")
    return first.removeprefix("event: "), json.loads(second.removeprefix("data: "))


def test_the_screen_comes_at_once_and_again_with_each_change() -> None:
    async def scenario() -> None:
        till = FakeTill()
        events = stream(till)
        name, screen = read(await anext(events))
        assert (name, screen["waiting"]) == ("screen", 0)
        following = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        assert not following.done()
        await till.show(waiting=7)
        name, screen = read(await following)
        assert (name, screen["waiting"]) == ("screen", 7)
        await events.aclose()

    asyncio.run(scenario())


def test_changes_that_came_between_are_told_as_the_last_of_them() -> None:
    async def scenario() -> None:
        till = FakeTill()
        events = stream(till)
        await anext(events)
        for waiting in (1, 2, 3):
            await till.show(waiting=waiting)
        assert read(await anext(events))[1]["waiting"] == 3
        await events.aclose()

    asyncio.run(scenario())


def test_a_quiet_till_gives_signs_of_life() -> None:
    async def scenario() -> None:
        events = stream(FakeTill(), alive_s=0.001)
        names = [read(await anext(events))[0] for _ in range(3)]
        assert names == ["screen", "alive", "alive"]
        await events.aclose()

    asyncio.run(scenario())


def test_a_name_with_a_line_break_does_not_break_the_stream() -> None:
    async def scenario() -> None:
        till = FakeTill()
        await till.show(venue="La\nRaffinerie\r\n\ndata: x")
        events = stream(till)
        assert read(await anext(events))[1]["venue"] == "La\nRaffinerie\r\n\ndata: x"
        await events.aclose()

    asyncio.run(scenario())


def test_a_page_that_goes_away_leaves_nobody_waiting_at_the_till() -> None:
    async def scenario() -> None:
        till = FakeTill()
        events = stream(till)
        await anext(events)
        following = asyncio.ensure_future(anext(events))
        while till.watchers == 0:
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait({following})
        assert till.watchers == 0

    asyncio.run(scenario())
