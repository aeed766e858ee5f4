"""Tills of one site whose server is away: real journals, taps and books, sharing through a real hub over bad lines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.rules.ids import uuid7
from app.wire import SnapshotPeer, VoidRow
from readers.hub import Site, create_hub
from readers.hub.client import Talk, greet
from readers.journal import Clock, Journal
from readers.sync import DeviceKey, Link, Received, Server, read_snapshot
from readers.terminal.counter import Card, Pending
from readers.terminal.view import BasketItem
from readers.till import SnapshotShelf, Tap, TapSettings
from tests.readers.journal.rows import pairing
from tests.readers.sync.fake_server import FakeServer


class Wire(httpx.AsyncBaseTransport):
    """A till's line to the hub. `down`: nothing passes. `deaf`: requests arrive, answers are lost. `gate`: an answer
    waits on its way until it is opened."""

    def __init__(self) -> None:
        self.hub: httpx.ASGITransport | None = None
        self.down = self.deaf = False
        self.gate: asyncio.Event | None = None
        # Set once the hub has answered what now waits at the gate.
        self.answered = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down or self.hub is None:
            raise httpx.ConnectError("no route", request=request)
        answer = await self.hub.handle_async_request(request)
        body = await answer.aread()
        self.answered.set()
        if self.gate:
            await self.gate.wait()
        if self.deaf:
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


@dataclass
class Member:
    """One till. `sold`: (card, amount) of its green sales that nobody undid, by id."""

    folder: Path
    fake: FakeServer
    key: DeviceKey
    device: UUID = field(default_factory=uuid4)
    peers: tuple[SnapshotPeer, ...] = ()
    sold: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    wire: Wire = field(default_factory=Wire)
    talk: Talk | None = None

    async def start(self) -> None:
        """As after a power cut: what is in the journal and in the stored snapshot, and no more."""
        clock = Clock()
        self.journal = await Journal.open(self.folder / f"{self.device}.db", clock)
        if not self.journal.paired:
            await self.journal.pair(pairing(device=self.device), "code")
        link = Link(clock.now_us)
        self.shelf = SnapshotShelf(self.journal, clock)
        away = httpx.MockTransport(_away)
        server = Server("http://server", self.key, clock, transport=away)
        self.tap = Tap(self.journal, self.shelf, server, link, clock, TapSettings())
        self.site = Site(self.key, self.journal, self.shelf.add_other)
        self.shelf.site_entries = self.site.entries
        self.shelf.on_install = lambda received: self.site.learn(received.head)
        await self.shelf.install(self.snapshot())
        await self.site.publish()
        self.http = httpx.AsyncClient(transport=self.wire, base_url="http://hub")
        self.talk = None

    async def close(self) -> None:
        await self.journal.close()

    def snapshot(self) -> Received:
        """The last one before the server went away."""
        head = self.fake.snapshot_now().model_copy(update={"device": self.device, "peers": self.peers})
        body = head.model_dump_json().encode()
        return read_snapshot(body, self.fake.sign(body), self.fake.public, self.device)

    async def sell(self, card: str, quantity: int) -> tuple[UUID, int] | str:
        """(the sale, its amount) if it was green, or why not."""
        assert self.shelf.shop is not None
        basket = self.shelf.shop.basket([BasketItem(self.fake.beer, quantity)], "RAF", 1)
        sale = await self.tap.intend()
        ended = await self.tap.settle(Pending(sale, basket, uuid4(), asked=sale), Card(card, "C"))
        if ended.result.reason is not None:
            return ended.result.reason
        await self.site.publish()
        amount = basket.price["RAF"]
        self.sold[ended.result.sale] = card, amount
        return ended.result.sale, amount

    async def undo(self, sale: UUID) -> None:
        (paid,) = [it for it in await self.journal.last_sales(1000) if it.row.sale.id == sale]
        row = VoidRow(id=uuid7(), sale=sale, reason="Erreur", at_us=1)
        await self.tap.void(row, paid.row)
        await self.site.publish()
        del self.sold[sale]

    # Sharing, a step at a time. Each says whether it went through; one that did not ends the talk, as in the client.

    async def connect(self) -> bool:
        try:
            self.talk = await greet(self.http, self.site)
        except httpx.HTTPError:
            return False
        return True

    async def push(self) -> bool:
        return await self._step("push")

    async def pull(self) -> bool:
        return await self._step("pull")

    async def _step(self, what: str) -> bool:
        if self.talk is None:
            return False
        try:
            await (self.talk.push() if what == "push" else self.talk.pull(0.001))
        except (httpx.HTTPError, ValueError):
            self.talk = None
            return False
        return True


def _away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("the server is away", request=request)


def serve(hub: Member, others: list[Member]) -> None:
    """The hub's process starts: a new session, which knows nobody's talk."""
    app = create_hub(hub.site)
    for it in others:
        it.wire.hub = httpx.ASGITransport(app)


def tills(folder: Path, fake: FakeServer, count: int) -> list[Member]:
    """Paired with one network, and named to each other by its server."""
    found = [Member(folder, fake, DeviceKey(Ed25519PrivateKey.generate())) for _ in range(count)]
    for one in found:
        one.peers = tuple(SnapshotPeer(device=it.device, epoch=1, key=it.key.public) for it in found if it is not one)
    return found
