"""A box that only is a site hub: paired like a terminal, with a key of its own, and nothing to sell with.

It knows of its network what it needs to tell terminals from strangers: their keys. Its snapshot has no cards, no staff
and no prices, and the server books nothing that it asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from app.wire import TerminalStatus
from readers.health import read_machine
from readers.health.systemd import Supervisor
from readers.hub import Neighbourhood, Site
from readers.journal import Clock, Journal
from readers.running import beside, heed, hub, pair, version
from readers.sync import DeviceKey, Link, Pace, Received, Reporter, Server, SnapshotFile, Worker

REPORT_S = 30.0

_log = structlog.get_logger(__name__)


class NotABox(Exception):
    """The data folder is a till's: it has sales in it."""


@dataclass(frozen=True, slots=True)
class BoxConfig:
    """`data` is the folder of pairing, key and snapshot; `listen` port 0 takes any free port. `interfaces`: mDNS on
    those with these addresses only."""

    data: Path
    server: str
    listen: tuple[str, int]
    pair: str | None = None
    find: bool = True
    interfaces: tuple[str, ...] = ()
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Box:
    """A box that runs, and where its hub is."""

    site: Site
    journal: Journal
    address: str


class Shelf:
    """Where the box's snapshots go: it learns the terminals' keys, and keeps nothing else."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._fresh_s: float | None = None

    async def install(self, received: Received) -> None:
        self._site.learn(received.head)
        self._fresh_s = time.monotonic() - received.age_s

    def confirm(self) -> None:
        self._fresh_s = time.monotonic()

    @property
    def age_s(self) -> int | None:
        return None if self._fresh_s is None else int(time.monotonic() - self._fresh_s)


async def run_box(config: BoxConfig) -> None:
    """Run until SIGINT or SIGTERM. NotPaired, PairingFailed, NotABox, JournalError, OSError."""
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    supervisor = Supervisor()
    async with box(config) as running:
        _log.info("hub_running", address=running.address)
        supervisor.tell("READY=1")
        async with beside(supervisor.watch(running.journal.oldest_waiting_us)):
            await stop.wait()
    supervisor.tell("STOPPING=1")
    _log.info("hub_stopped")


@contextlib.asynccontextmanager
async def box(config: BoxConfig) -> AsyncIterator[Box]:
    """Everything that a hub box is, running inside the block. The same errors."""
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = Clock()
    snapshots = SnapshotFile(config.data / "snapshot")
    async with contextlib.AsyncExitStack() as held:
        # It has no rows. It keeps the pairing, and keeps a second box off this folder.
        journal = await Journal.open(config.data / "journal.db", clock)
        held.push_async_callback(journal.close)
        if journal.paired and journal.head:
            raise NotABox
        key = DeviceKey.load_or_make(config.data / "device.key")
        server = await held.enter_async_context(Server(config.server, key, clock))
        await pair(config.pair, journal, server, snapshots, kind="hub")
        site = Site(key, journal)
        shelf = Shelf(site)
        worker = Worker(server, journal, Link(clock.now_us), clock, shelf, snapshots, config.pace)
        await worker.start_from_disk()
        await held.enter_async_context(beside(worker.run()))
        await held.enter_async_context(beside(site.around.watch()))
        listening = await held.enter_async_context(hub(site, config.listen))
        if config.find:
            found = Neighbourhood(site, listening, interfaces=config.interfaces)
            await held.enter_async_context(beside(found.run()))
        looks = partial(_look, config.data, clock, time.monotonic(), shelf, site)
        reporter = Reporter(server, journal, looks, partial(heed, config.data, journal, server), REPORT_S)
        site.on_fork = reporter.wanted.set
        await held.enter_async_context(beside(reporter.run()))
        yield Box(site, journal, f"http://{listening[0]}:{listening[1]}")


async def _look(data: Path, clock: Clock, started_s: float, shelf: Shelf, site: Site) -> TerminalStatus:
    machine = await asyncio.to_thread(read_machine, data)
    return TerminalStatus(
        version=version()[:40],
        at_us=clock.now_us(),
        running_s=int(time.monotonic() - started_s),
        waiting=0,
        reader="none",
        snapshot_age_s=shelf.age_s,
        site=len(site.around.devices),
        forks=site.forks,
        **{name: getattr(machine, name) for name in machine.__slots__},
    )
