"""The measurements, each on a terminal's folder of its own state; times in seconds, memory in MB (10^6 bytes)."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from readers.agent import AgentConfig, Running, agent
from readers.bench.hand import Hand, HandDriver, changed
from readers.bench.server import comptoir, free_port
from readers.emulator import UdpCardField
from readers.journal.schema import Connection
from readers.journal.store import connect
from readers.taps import Presence

OpenConnection = Callable[[Path], Connection]

# Nobody listens there: the discard port.
NOWHERE = "http://127.0.0.1:9"
READY_TIMEOUT_S = 60.0
SYNC_TIMEOUT_S = 300.0
# Between two taps while a backlog is delivered: a bar at its busiest.
BETWEEN_TAPS_S = 0.05


def quiet() -> None:
    """Ten thousand taps are not for a screen."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@dataclass(frozen=True, slots=True)
class Backlog:
    """`sales` delivered in `seconds`, and what the taps took that were made meanwhile."""

    sales: int
    seconds: float
    taps_s: list[float]


@asynccontextmanager
async def terminal(
    data: Path, url: str, code: str | None, pin: str, open_connection: OpenConnection = connect
) -> AsyncIterator[tuple[Running, HandDriver]]:
    """The whole agent in this process, signed in; its reader is a hand."""
    driver = HandDriver()

    def opened(_: Presence) -> HandDriver:
        return driver

    config = AgentConfig(data, url, opened, kiosk_port=0, pair=code, open_connection=open_connection)
    async with agent(config) as running:
        await changed(running.till, lambda: running.till.screen().catalogue_version)
        await running.till.sign_in(pin)
        yield running, driver


async def first_sync(data: Path, url: str, code: str, pin: str) -> float:
    """From an empty folder to a terminal that sells: pairing, and the first snapshot over HTTP."""
    began = time.monotonic()
    async with terminal(data, url, code, pin) as (running, _):
        await changed(running.till, lambda: running.till.screen().online)
        return time.monotonic() - began


async def decisions(
    data: Path, pin: str, cards: int, count: int, open_connection: OpenConnection = connect
) -> list[float]:
    """Taps without network, decided by the terminal and durably in its journal."""
    async with terminal(data, NOWHERE, None, pin, open_connection) as (running, driver):
        hand = Hand.at(running, driver, cards)
        await hand.tap()
        hand.taps_s.clear()
        for _ in range(count):
            await hand.tap()
        return hand.taps_s


async def online(
    data: Path, url: str, pin: str, cards: int, count: int, open_connection: OpenConnection = connect
) -> list[float]:
    """Taps that the server books first."""
    async with terminal(data, url, None, pin, open_connection) as (running, driver):
        await changed(running.till, lambda: running.till.screen().online)
        hand = Hand.at(running, driver, cards)
        await hand.tap()
        hand.taps_s.clear()
        for _ in range(count):
            await hand.tap()
        return hand.taps_s


async def backlog(data: Path, url: str, pin: str, cards: int, sales: int, tell: Callable[[str], None]) -> Backlog:
    """From the agent's start until the server holds the `sales` that waited in its journal, while the till sells on."""
    began = time.monotonic()
    async with terminal(data, url, None, pin) as (running, driver):
        journal = running.journal
        head = journal.head
        hand = Hand.at(running, driver, cards, cards // 2)
        # A small backlog may be delivered before anybody can tap: there is a tap in any case.
        await hand.tap()
        while journal.acknowledged < head:
            await asyncio.sleep(BETWEEN_TAPS_S)
            await hand.tap()
            if time.monotonic() - began > SYNC_TIMEOUT_S:
                tell(f"only {journal.acknowledged} of {head} rows were delivered")
                break
        return Backlog(sales, time.monotonic() - began, hand.taps_s)


def started(data: Path, url: str, log: Path) -> tuple[float, float]:
    """(seconds from process start until it could sell, resident memory then) of a real `comptoir terminal` that is its
    site's hub too."""
    port = free_port()
    with UdpCardField() as field, log.open("ab") as out:
        arguments = ["--data", str(data), "--server", url, "--reader", field.path, "--kiosk-port", str(port)]
        arguments += ["--hub-listen", f"127.0.0.1:{free_port()}"]
        began = time.monotonic()
        process = subprocess.Popen(comptoir("terminal", *arguments), stdout=out, stderr=out)  # noqa: S603
        try:
            _until_it_sells(f"http://127.0.0.1:{port}", process, log)
            ready_s = time.monotonic() - began
            return ready_s, _resident_mb(process.pid)
        finally:
            process.terminate()
            process.wait(READY_TIMEOUT_S)


def _until_it_sells(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Its page answers, it is online, its reader is found, and its products are on the screen."""
    end = time.monotonic() + READY_TIMEOUT_S
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < end and process.poll() is None:
            try:
                screen = client.get("/api/screen").raise_for_status().json()
            except httpx.HTTPError:
                time.sleep(0.01)
                continue
            if screen["online"] and screen["reader"] == "ok" and screen["catalogue_version"]:
                return
            time.sleep(0.01)
    raise RuntimeError(f"the terminal did not come up:\n{log.read_text()[-2000:]}")


def _resident_mb(pid: int) -> float:
    """The most that the process has held so far: what decoding a snapshot takes is memory too."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError("this system does not tell what memory a process holds")
    return int(found[1]) * 1024 / 1e6
