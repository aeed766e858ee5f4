"""What systemd is told (sd_notify(3)): that the terminal is ready, that it stops, and every few seconds that it works.

Without systemd nothing is told and nothing fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping


class Supervisor:
    """The socket that systemd gave us; `environment` is the process's own."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # An abstract socket's name begins with a zero byte, which no environment can hold: it is written as "@".
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog_s = int(environment.get("WATCHDOG_USEC") or 0) / 1e6 if watched else 0.0

    def tell(self, state: str) -> None:
        """Such as "READY=1". Never raises: a supervisor that is gone is no reason to stop selling."""
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
        ):
            out.sendto(state.encode(), self._address)

    async def watch(self, works: Callable[[], Awaitable[object]]) -> None:
        """Say that we are alive for as long as `works` answers, until cancelled. When it hangs or fails, nothing is
        said, and systemd starts the terminal anew: at any moment that loses nothing."""
        if not self._address or not self._watchdog_s:
            return
        while True:
            # Half of what is asked for, as systemd's manual advises.
            half_s = self._watchdog_s / 2
            with contextlib.suppress(Exception):
                async with asyncio.timeout(half_s):
                    await works()
                self.tell("WATCHDOG=1")
            await asyncio.sleep(half_s)
