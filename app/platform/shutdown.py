"""Hearing of the end early: answers without an end (event streams) must end before the server can.

A server that is told to stop first waits for its open requests and only then for the application, so an endless answer
would hold it up until it is cut off. The signal itself comes first.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop_signal(tell: Callable[[], None]) -> Iterator[None]:
    """Within it, `tell` runs in the event loop as soon as the process is told to stop; whoever handled the signal
    before still does. Outside the main thread there are no signals, and nothing happens."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    # Only where the server listens itself: else a signal must end the process as it always does.
    listened = [number for number, earlier in before.items() if callable(earlier)]
    for number in listened:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in listened:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
