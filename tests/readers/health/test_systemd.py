"""What systemd is told, on a real socket of its kind."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from readers.health.systemd import Supervisor

pytestmark = pytest.mark.anyio


@pytest.fixture
def told(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def environment(told: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(told.getsockname()), **more}


async def heard(told: socket.socket) -> str:
    async with asyncio.timeout(2):
        return (await asyncio.get_running_loop().sock_recv(told, 100)).decode()


async def test_ready_is_told(told: socket.socket) -> None:
    Supervisor(environment(told)).tell("READY=1")
    assert await heard(told) == "READY=1"


async def test_a_socket_without_a_file(tmp_path: Path) -> None:
    name = f"comptoir-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.setblocking(False)
        Supervisor({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
        assert await heard(listener) == "READY=1"


async def test_nobody_to_tell_is_no_fault(tmp_path: Path) -> None:
    Supervisor({}).tell("READY=1")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
    await Supervisor({}).watch(lambda: asyncio.sleep(0))


async def test_alive_is_told_while_the_journal_answers_and_not_when_it_hangs(told: socket.socket) -> None:
    hang = asyncio.Event()
    asked = asyncio.Queue[None]()

    async def works() -> None:
        asked.put_nowait(None)
        if hang.is_set():
            await asyncio.Event().wait()

    supervisor = Supervisor(environment(told, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid())))
    watching = asyncio.create_task(supervisor.watch(works))
    assert await heard(told) == "WATCHDOG=1"
    hang.set()
    while not asked.empty():
        asked.get_nowait()
    # Asked three times more: the first may have been let through before the journal hung.
    for _ in range(3):
        await asked.get()
    said = 0
    while True:
        try:
            told.recv(100)
            said += 1
        except BlockingIOError:
            break
    assert said <= 1
    watching.cancel()
    await asyncio.wait([watching])


async def test_a_watchdog_meant_for_another_process_is_not_ours(told: socket.socket) -> None:
    supervisor = Supervisor(environment(told, WATCHDOG_USEC="20000", WATCHDOG_PID="1"))
    await supervisor.watch(lambda: asyncio.sleep(0))
