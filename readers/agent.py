"""The terminal's agent: the only place that puts reader, till, journal, sync and pages together."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog

from readers.drivers import open_driver
from readers.health.systemd import Supervisor
from readers.hub import HubClient, Neighbourhood, Site
from readers.journal import Clock, Journal
from readers.journal.schema import Connection
from readers.journal.store import connect
from readers.kiosk import create_kiosk
from readers.kiosk.server import LOOPBACK
from readers.printer import Printer
from readers.running import beside, heed, hub, pair, version, web
from readers.showing import follow
from readers.sync import CardKeys, DeviceKey, KeyRing, Link, Pace, Reporter, Server, SnapshotFile, Worker
from readers.sync.door import DoorFeed
from readers.sync.tickets import TicketFeed
from readers.taps import Driver, Errands, Presence, Reader, ReaderEvent, ReaderFound, ReaderLost
from readers.terminal.view import PrinterShown
from readers.till import CardTill, Carrying, Looks, SignIn, SnapshotShelf, Tap, TapSettings
from readers.till.acting import Tools
from readers.till.acts import acts_of
from readers.till.receipts import codes_of
from readers.till.tabs import TabDesk

# Half a minute keeps the fleet's page true and is nothing on any line: a report is about 700 bytes.
REPORT_S = 30.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """`data` is the folder of journal, key and snapshot; `reader` a path for readers.drivers, or a function that opens
    a driver; `pair` a one-time code; `printer` a path for readers.printer. `kiosk_port` 0 takes any free port.
    `open_connection` opens a journal on another disk than the folder's own: a benchmark's."""

    data: Path
    server: str
    reader: str | Callable[[Presence], Driver]
    kiosk_host: str = "127.0.0.1"
    kiosk_port: int = 8001
    pair: str | None = None
    lenient: bool = False
    printer: str | None = None
    tap: TapSettings = field(default_factory=TapSettings)
    pace: Pace = field(default_factory=Pace)
    report_s: float = REPORT_S
    open_connection: Callable[[Path], Connection] = connect
    # Addresses of site hubs, where this terminal is one itself, and whether hubs are announced and looked for by mDNS:
    # on the interfaces with these addresses, or on all.
    hubs: tuple[str, ...] = ()
    hub_listen: tuple[str, int] | None = None
    hub_find: bool = False
    hub_interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """An agent that runs: its till, where its pages are, and what it knows of its site. `pairs_later`: the code that
    it was given waits until the server has every row of the epoch before."""

    till: CardTill
    journal: Journal
    kiosk_url: str
    site: Site
    pairs_later: bool = False


async def run_agent(config: AgentConfig, on_ready: Callable[[Running], None] = lambda _: None) -> None:
    """Run until SIGINT or SIGTERM, or until cancelled. NotPaired, PairingFailed, JournalError, OSError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Not the main thread, or not Unix: then whoever started us cancels us.
        with contextlib.suppress(RuntimeError, NotImplementedError, ValueError):
            loop.add_signal_handler(signum, stop.set)
    supervisor = Supervisor()
    while not stop.is_set():
        async with agent(config) as running:
            _log.info("terminal_running", name=running.journal.pairing.name, kiosk=running.kiosk_url)
            on_ready(running)
            supervisor.tell("READY=1")
            # The journal's own thread answers: neither the loop nor the disk hangs.
            async with beside(supervisor.watch(running.journal.oldest_waiting_us)):
                waits: list[asyncio.Task[object]] = [asyncio.create_task(stop.wait())]
                if running.pairs_later:
                    waits.append(asyncio.create_task(_delivered(running)))
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in waits:
                        task.cancel()
        # Begun again where a code waited: the pairing is at the start, while nothing can be sold.
        config = replace(config, lenient=running.pairs_later)
    supervisor.tell("STOPPING=1")
    _log.info("terminal_stopped")


async def _delivered(running: Running) -> None:
    """Until the server has every row, and nobody stands at the till."""
    seen = -1
    while running.journal.waiting or running.till.screen().phase != "ready":
        seen = await running.till.wait_change(seen, 5)


@contextlib.asynccontextmanager
async def agent(config: AgentConfig) -> AsyncIterator[Running]:
    """Everything that a terminal is, running inside the block. NotPaired, PairingFailed, JournalError, OSError."""
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = Clock()
    link = Link(clock.now_us)
    snapshots = SnapshotFile(config.data / "snapshot", clock)
    async with contextlib.AsyncExitStack() as held:
        # The journal first: a second agent on this folder must touch nothing.
        journal = await Journal.open(config.data / "journal.db", clock, config.open_connection)
        held.push_async_callback(journal.close)
        key = DeviceKey.load_or_make(config.data / "device.key")
        server = await held.enter_async_context(Server(config.server, key, clock))
        pairs_later = await pair(config.pair, journal, server, snapshots, lenient=config.lenient)
        shelf = SnapshotShelf(journal, clock)
        card_keys = CardKeys(config.data / "card-keys", key, server, journal, clock)
        errands = Errands()
        tap = Tap(journal, shelf, server, link, clock, config.tap, Carrying(errands, card_keys.ring))
        tabs = TabDesk(journal, shelf, server, link, clock)
        feed = DoorFeed(config.data / "door", server, journal)
        lent = TicketFeed(config.data / "tickets", server, journal, shelf.tickets, clock)
        till = CardTill(
            journal,
            shelf,
            tap,
            link,
            clock,
            SignIn(clock.monotonic_ns),
            acts_of(Tools(journal, shelf, tap, server, link, clock), tabs),
            tabs,
            feed,
            lent,
        )
        till.receipts.codes = codes_of(server, journal, link)
        worker = Worker(server, journal, link, clock, shelf, snapshots, config.pace)
        site = Site(key, journal, shelf.add_other)
        shelf.site_entries, shelf.on_install = site.entries, lambda received: site.learn(received.head)
        worker.on_halt = card_keys.heed
        card_keys.start_from_disk()
        await worker.start_from_disk()
        await feed.start_from_disk()
        await lent.start_from_disk()
        await till.start()
        held.push_async_callback(till.close)
        await held.enter_async_context(beside(worker.run()))
        await held.enter_async_context(beside(card_keys.run()))
        await held.enter_async_context(beside(feed.run()))
        await held.enter_async_context(beside(lent.run()))
        await held.enter_async_context(beside(till.run()))
        await held.enter_async_context(beside(tap.run()))
        looks = Looks(config.data, version(), journal, shelf, till, clock, site)
        reporter = Reporter(server, journal, looks, partial(heed, config.data, journal, server), config.report_s)
        await _site(config, site, till, reporter, held)
        reader = await held.enter_async_context(_reader(config, till, reporter, card_keys.ring, errands))
        await held.enter_async_context(beside(follow(till, shelf, reader)))
        await held.enter_async_context(beside(reporter.run()))
        held.enter_context(_printer(config, till))
        # The address that it is bound to is a name of ours; any other name is somebody else's page.
        pages = create_kiosk(till, hosts=(*LOOPBACK, config.kiosk_host, socket.gethostname()))
        host, port = await held.enter_async_context(web(pages, (config.kiosk_host, config.kiosk_port)))
        yield Running(till, journal, f"http://{host}:{port}", site, pairs_later)


async def _site(
    config: AgentConfig, site: Site, till: CardTill, reporter: Reporter, held: contextlib.AsyncExitStack
) -> None:
    """Share with the other terminals of this site, as far as we are told to. OSError: the hub's port is taken."""
    if not (config.hubs or config.hub_listen or config.hub_find):
        return
    site.expected = bool(config.hubs)
    site.on_fork = reporter.wanted.set
    site.around.on_change = lambda: till.on_site(site.shown)
    till.on_site(site.shown)
    await held.enter_async_context(beside(site.run()))
    await held.enter_async_context(beside(site.around.watch()))
    for address in config.hubs:
        await held.enter_async_context(beside(HubClient(address, site).run()))
    listening = await held.enter_async_context(hub(site, config.hub_listen)) if config.hub_listen else None
    if config.hub_find:
        found = Neighbourhood(site, listening, known=config.hubs, interfaces=config.hub_interfaces)
        await held.enter_async_context(beside(found.run()))


@contextlib.asynccontextmanager
async def _reader(
    config: AgentConfig, till: CardTill, reporter: Reporter, keys: KeyRing, errands: Errands
) -> AsyncIterator[Reader]:
    """The reader's thread; its events are handed to the event loop. That it is lost or back, the server is told."""
    loop = asyncio.get_running_loop()
    path = config.reader
    opener = path if callable(path) else lambda presence: open_driver(path, presence, keys)

    def tell(event: ReaderEvent) -> None:
        # The loop closes while the reader's thread may still be in its last call.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(till.on_reader, event)
            if isinstance(event, ReaderFound | ReaderLost):
                loop.call_soon_threadsafe(reporter.wanted.set)

    reader = Reader(opener, tell, errands=errands)
    reader.start()
    try:
        yield reader
    finally:
        await asyncio.to_thread(reader.stop)


@contextlib.contextmanager
def _printer(config: AgentConfig, till: CardTill) -> Iterator[None]:
    """The printer's thread, where there is one; what it says is handed to the event loop."""
    if config.printer is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def tell(state: PrinterShown) -> None:
        # As with the reader: the loop may be closed already.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(till.on_printer, state)

    printer = Printer(config.printer, tell)
    printer.start()
    till.receipts.printer = printer
    till.on_printer("ok")
    try:
        yield
    finally:
        printer.stop()
