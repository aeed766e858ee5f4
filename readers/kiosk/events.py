"""The screen as server-sent events: the whole screen whenever it differs, and a sign of life in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from pydantic import TypeAdapter

from readers.terminal.commands import Till
from readers.terminal.view import Screen

ALIVE_S: Final = 10.0

SCREEN: Final = TypeAdapter(Screen)


def screen_json(till: Till) -> bytes:
    """The screen now, as the page reads it."""
    return SCREEN.dump_json(till.screen())


async def stream(till: Till, alive_s: float = ALIVE_S) -> AsyncIterator[bytes]:
    """Events for as long as a page listens: `screen` with each revision, `alive` after `alive_s` without a new one.

    The sign of life is an event and not a comment: only an event tells the page that an agent whose connection is still
    open has stopped working.
    """
    shown = -1
    while True:
        revision = await till.wait_change(shown, alive_s)
        if revision == shown:
            yield b"event: alive\ndata: {}\n\n"
            continue
        shown = revision
        yield b"event: screen\ndata: %s\n\n" % screen_json(till)
