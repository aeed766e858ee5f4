"""A whole terminal without reader thread and web pages, against the fake server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from readers.journal import Clock, Journal
from readers.sync import DeviceKey, Link, Pace, Server, SnapshotFile, Worker
from readers.taps import CardGone, CardSeen, Moment, ReaderFound
from readers.terminal.view import BasketItem, Result
from readers.till import CardTill, Carrying, SignIn, SnapshotShelf, Tap, TapSettings
from readers.till.acting import Tools
from readers.till.acts import acts_of
from readers.till.receipts import codes_of
from readers.till.tabs import TabDesk
from tests.readers.sync.fake_server import CODE, PIN, FakeServer, Line

QUICK = Pace(snapshot_s=0.05, retry_s_min=0.02, retry_s_max=0.1, keep_s=0, quarantine_s=0.05)


@dataclass
class Terminal:
    server: FakeServer
    till: CardTill
    journal: Journal
    worker: Worker
    link: Link
    shelf: SnapshotShelf
    clock: Clock

    async def until(self, condition: Callable[[], object], timeout_s: float = 5) -> None:
        """Wait for a condition on what the screen or the server knows."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.002)

    def lay(self, uid: str, assurance: str = "C") -> None:
        self.till.on_reader(CardSeen(bytes.fromhex(uid), assurance, *Moment.now()))  # type: ignore[arg-type]

    def take(self, uid: str) -> None:
        self.till.on_reader(CardGone(bytes.fromhex(uid), *Moment.now()))

    async def ask(self, quantity: int = 1, currency: str = "RAF") -> UUID:
        return await self.till.pay([BasketItem(self.server.beer, quantity)], currency)

    async def tap(self, uid: str, quantity: int = 1, currency: str = "RAF", assurance: str = "C") -> Result:
        """Sell beers to a card, which leaves again."""
        await self.ask(quantity, currency)
        self.lay(uid, assurance)
        await self.until(lambda: self.till.screen().phase in ("paid", "refused"))
        result = self.till.screen().result
        assert result is not None
        self.take(uid)
        return result

    async def go_offline(self) -> None:
        self.server.down = True
        await self.until(lambda: not self.link.online)

    async def go_online(self) -> None:
        self.server.down = False
        await self.until(lambda: self.link.online and not self.journal.waiting)


@contextlib.asynccontextmanager
async def a_terminal(
    folder: Path,
    server: FakeServer,
    *,
    deadline_s: float = 2,
    pace: Pace = QUICK,
    sign_in: bool = True,
    carrying: Carrying | None = None,
) -> AsyncIterator[Terminal]:
    """Opens the folder as the agent does; pairs it the first time; online and signed in if the server answers."""
    clock = Clock()
    link = Link(clock.now_us)
    journal = await Journal.open(folder / "journal.db", clock)
    async with Server(
        "http://server", DeviceKey.load_or_make(folder / "device.key"), clock, transport=Line(server)
    ) as line:
        if not journal.paired:
            await journal.pair(await line.pair(CODE, "1"), CODE)
        shelf = SnapshotShelf(journal, clock)
        tap = Tap(journal, shelf, line, link, clock, TapSettings(deadline_s), carrying)
        tabs = TabDesk(journal, shelf, line, link, clock)
        till = CardTill(
            journal,
            shelf,
            tap,
            link,
            clock,
            SignIn(clock.monotonic_ns),
            acts_of(Tools(journal, shelf, tap, line, link, clock), tabs),
            tabs,
        )
        till.receipts.codes = codes_of(line, journal, link)
        worker = Worker(line, journal, link, clock, shelf, SnapshotFile(folder / "snapshot"), pace)
        terminal = Terminal(server, till, journal, worker, link, shelf, clock)
        await worker.start_from_disk()
        await till.start()
        till.on_reader(ReaderFound("test"))
        running = asyncio.create_task(worker.run())
        try:
            if sign_in:
                await terminal.until(lambda: shelf.shop and (link.online or server.down))
                await till.sign_in(PIN)
            yield terminal
        finally:
            await till.close()
            running.cancel()
            await asyncio.wait([running])
            await journal.close()
