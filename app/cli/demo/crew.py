"""The demo's processes: started, waited for, killed on demand, and stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

READY_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 8.0
LOOK_EVERY_S = 0.5
# Enough of a log to see what went wrong, not all of it.
LOG_TAIL_BYTES = 2000


class NotReady(RuntimeError):
    """A process ended, or did not answer in time."""


class Crew:
    """Processes by name; each writes its log to `logs`/<name>.log."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._commands: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Run `comptoir <arguments>` under this Python."""
        command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
        self._commands[name] = (command, {**os.environ, **(env or {})})
        self._spawn(name)

    def kill(self, name: str) -> None:
        """SIGKILL, as a power cut would have it, and start it again at once."""
        process = self._processes[name]
        process.kill()
        process.wait()
        self._spawn(name)

    async def answers(self, name: str, url: str) -> None:
        """Wait until `url` answers. Raises NotReady with the end of the process's log."""
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT_S
        async with httpx.AsyncClient() as client:
            while asyncio.get_running_loop().time() < deadline:
                if self._processes[name].poll() is not None:
                    raise NotReady(f"{name} ended at once:\n{self._tail(name)}")
                with suppress(httpx.HTTPError):
                    if (await client.get(url)).is_success:
                        return
                await asyncio.sleep(0.05)
        raise NotReady(f"{name} does not answer at {url}:\n{self._tail(name)}")

    def stop(self) -> None:
        """End all, the last started first; what does not end in time is killed."""
        for process in reversed(self._processes.values()):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    async def until_one_ends(self) -> str:
        """The name of the first process that is no longer running."""
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    return name
            await asyncio.sleep(LOOK_EVERY_S)

    def _spawn(self, name: str) -> None:
        command, env = self._commands[name]
        with (self._logs / f"{name}.log").open("ab") as log:
            # A group of its own: Ctrl-C reaches the demo, which ends the others in order.
            self._processes[name] = subprocess.Popen(  # noqa: S603
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _tail(self, name: str) -> str:
        text = (self._logs / f"{name}.log").read_bytes()
        return text[-LOG_TAIL_BYTES:].decode(errors="replace")


def free_port(wanted: int = 0) -> int:
    """`wanted` if it is free, else (or for 0) any port that is."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
