"""A kiosk on a loopback port, in a thread with its own event loop, so that a real browser can open it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from typing import Any, Self

import uvicorn

from readers.kiosk import create_kiosk
from tests.readers.kiosk.fake_till import FakeTill

PATIENCE_S = 30


class RunningKiosk:
    """`till` is driven through `do()`, on the kiosk's own loop.

    `stop()` and `start()` are an agent that goes away and comes back.
    """

    def __init__(self, till: FakeTill) -> None:
        self.till = till
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="kiosk")
        self.thread.start()
        with socket.socket() as any_port:
            any_port.bind(("127.0.0.1", 0))
            self.port: int = any_port.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def start(self) -> None:
        config = uvicorn.Config(
            create_kiosk(self.till),
            "127.0.0.1",
            self.port,
            log_config=None,
            lifespan="off",
        )
        self.server = uvicorn.Server(config)
        self.serving = asyncio.run_coroutine_threadsafe(self.server._serve(), self.loop)
        self.do(self._started())

    def stop(self) -> None:
        self.server.should_exit = True
        end = time.monotonic() + PATIENCE_S
        # A page connects anew at once, and may do so before the port is closed.
        while not self.serving.done() and time.monotonic() < end:
            self.do(self._hang_up())
            time.sleep(0.02)
        self.serving.result(0)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def was_asked(self, *call: object) -> None:
        """Wait for this to be the last that the page asked of the till: it shows what it asks before it is answered."""
        end = time.monotonic() + PATIENCE_S
        while not self.till.calls or self.till.calls[-1] != call:
            assert time.monotonic() < end, f"asked instead: {self.till.calls}"
            time.sleep(0.01)

    async def _hang_up(self) -> None:
        for connection in list(self.server.server_state.connections):
            connection.transport.close()

    async def _started(self) -> None:
        while not self.server.started:
            await asyncio.sleep(0.005)
