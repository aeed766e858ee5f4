"""Terminals of one network behind lines that cut, repeat, delay and lose; each may die at a named point and return.

`Storm` is one terminal's line to the real application. `Bar` is the terminal: the agent's own journal, shelf, tap and
synchronisation, without reader and pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import UUID

import httpx

from app.rules.ids import uuid7
from app.terminals.service import make_pairing_code
from app.wire import AnyRow, SaleRow, VoidRow
from readers.journal import Clock, Journal, JournalFile
from readers.sync import DeviceKey, Link, Pace, Server, SnapshotFile, SyncError, Worker
from readers.terminal.counter import Card, Pending
from readers.terminal.view import BasketItem
from readers.till import SnapshotShelf, Tap, TapSettings
from tests.support.network import BASE, CARDS, Network

Weather = Literal["clear", "cut", "answer lost", "delivered twice", "held back"]
Point = Literal["before sending", "after sending", "before commit", "after commit"]
# A snapshot with every round: what a terminal then believes can be compared with what the server holds.
PACE = Pace(snapshot_s=0, keep_s=0)
PRODUCT = "Eau"


class Died(BaseException):
    """The process is gone: nothing of the agent runs on from here."""


class Storm(httpx.AsyncBaseTransport):
    """`weather` holds for every request; what is held back arrives when `late` is delivered, long after its answer was
    given up. `death` kills the process at the next sale or journal delivery."""

    def __init__(self, network: Network) -> None:
        self._inner = httpx.ASGITransport(network.app)
        self.weather: Weather = "clear"
        self.death: Point | None = None
        self.late: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadly = request.url.path.endswith(("/sales", "/sync"))
        if deadly and self.death == "before sending":
            raise Died
        if self.weather == "cut":
            raise httpx.ConnectError("no route", request=request)
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=await request.aread())
        if self.weather == "held back" and deadly:
            self.late.append(copy)
            raise httpx.ReadTimeout("no answer", request=request)
        answer = await self._answered(copy)
        if self.weather == "delivered twice" and deadly:
            answer = await self._answered(copy)
        if deadly and self.death == "after sending":
            raise Died
        if self.weather == "answer lost":
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        """The whole answer, still to be read by whoever asked: as the bytes that travelled."""
        answer = await self._inner.handle_async_request(request)
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(raw))

    async def deliver(self, number: int) -> None:
        """One of the requests that were held back arrives at last."""
        answer = await self._inner.handle_async_request(self.late.pop(number % len(self.late)))
        await answer.aread()


class _MortalFile(JournalFile):
    """A journal whose process may die right before or right after a sale's row is durable."""

    storm: Storm

    def append(self, payloads: Sequence[AnyRow]) -> int:
        sold = any(isinstance(row, SaleRow) for row in payloads)
        if sold and self.storm.death == "before commit":
            raise Died
        sequence = super().append(payloads)
        if sold and self.storm.death == "after commit":
            raise Died
        return sequence


@dataclass
class Bar:
    """One terminal. `green`: what it showed as paid, (card's name, amount) by sale; `undone`: what staff took back."""

    network: Network
    folder: Path
    storm: Storm
    code: str
    cashier: UUID
    green: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    undone: set[UUID] = field(default_factory=set)
    # Cards of which its snapshot says that they are blocked.
    denied: set[str] = field(default_factory=set)

    @classmethod
    async def opened(cls, network: Network, folder: Path, name: str) -> Bar:
        folder.mkdir()
        async with network.engine.begin() as connection:
            code = await make_pairing_code(connection, network.venues["raffinerie"].id, name)
        it = cls(network, folder, Storm(network), code, await network.hired("lucas"))
        await it.start()
        return it

    async def start(self) -> None:
        """As the agent starts on this folder, whatever happened before."""
        clock = Clock()
        self.link = Link(clock.now_us)
        thread = ThreadPoolExecutor(1)

        def opened() -> Journal:
            file = _MortalFile(self.folder / "journal.db", clock)
            file.storm = self.storm
            return Journal(file, thread)

        self.journal = await asyncio.get_running_loop().run_in_executor(thread, opened)
        self.server = Server(BASE, DeviceKey.load_or_make(self.folder / "device.key"), clock, transport=self.storm)
        if not self.journal.paired:
            await self.journal.pair(await self.server.pair(self.code, "1"), self.code)
        self.shelf = SnapshotShelf(self.journal, clock)
        self.tap = Tap(self.journal, self.shelf, self.server, self.link, clock, TapSettings(deadline_s=30))
        snapshots = SnapshotFile(self.folder / "snapshot")
        self.worker = Worker(self.server, self.journal, self.link, clock, self.shelf, snapshots, PACE)
        self.clock = clock
        await self.worker.start_from_disk()

    async def close(self) -> None:
        await self.journal.close()
        await self.server._http.aclose()

    async def die(self) -> None:
        """What was only in memory is gone."""
        self.storm.death = None
        await self.close()
        await self.start()

    async def sell(self, card: str, quantity: int) -> str | None:
        """Sell to a card; why it was refused. Died."""
        shop = self.shelf.shop
        if shop is None:
            return "no snapshot"
        known = self.believes(card)
        basket = shop.basket(
            [BasketItem(self.network.product("raffinerie", PRODUCT).id, quantity)], "RAF", self.clock.now_us()
        )
        sale = await self.tap.intend()
        ended = await self.tap.settle(Pending(sale, basket, self.cashier, asked=sale), Card(CARDS[card], "C"))
        if ended.result.reason is not None:
            return ended.result.reason
        self.green[ended.result.sale] = (card, basket.price["RAF"])
        if ended.result.offline:
            assert card not in self.denied, "what is on the deny list pays nothing here"
            assert self.believes(card) == known - basket.price["RAF"], "what it sold is gone from what it knows"
        return None

    async def void(self, sale: UUID) -> None:
        """Staff take a sale back that was green."""
        paid = (await self.sold())[sale]
        (card, amount), known = self.green[sale], self.believes(self.green[sale][0])
        self.undone.add(sale)
        row = VoidRow(id=uuid7(), sale=sale, reason="Erreur", cashier=self.cashier, at_us=self.clock.now_us())
        await self.tap.void(row, paid)
        assert self.believes(card) == known + amount, "what was taken back is there again"

    async def round(self) -> bool:
        """One turn of the background work; whether it went through. Died."""
        try:
            await self.worker.round()
        except SyncError:
            self.link.lost()
            return False
        return True

    def believes(self, card: str) -> int:
        """What this terminal thinks that the card holds, in RAF."""
        assert self.shelf.book is not None
        return (self.shelf.book.available(CARDS[card]) or {}).get("RAF", 0)

    async def sold(self) -> dict[UUID, SaleRow]:
        """The sales that stand in its journal, by id."""
        rows = await self.journal.last_sales(10_000)
        return {it.row.sale.id: it.row for it in rows if not it.voided}
