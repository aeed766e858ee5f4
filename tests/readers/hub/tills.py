"""Tills of one site whose server is away: real journals, taps and books, sharing through a real hub over bad lines."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.rules.ids import uuid7
from app.wire import SnapshotApplied, SnapshotPeer, VoidRow
from readers.hub import Site, create_hub
from readers.hub.client import Talk, greet
from readers.journal import Clock, Journal
from readers.sync import DeviceKey, Link, Server, read_snapshot
from readers.terminal.book import Book
from readers.terminal.counter import Card, Pending
from readers.terminal.view import BasketItem
from readers.till import SnapshotShelf, Tap, TapSettings
from tests.readers.journal.rows import pairing
from tests.readers.sync.fake_server import FakeServer


class Wire(httpx.AsyncBaseTransport):
    """A till's line to the hub. `down`: nothing passes. `deaf`: requests arrive, answers are lost. `gate`: an answer
    waits on its way until it is opened. `reached`: how many requests the hub took."""

    def __init__(self) -> None:
        self.hub: httpx.ASGITransport | None = None
        self.down = self.deaf = False
        self.reached = 0
        self.gate: asyncio.Event | None = None
        # Set once the hub has answered what now waits at the gate.
        self.answered = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down or self.hub is None:
            raise httpx.ConnectError("no route", request=request)
        answer = await self.hub.handle_async_request(request)
        body = await answer.aread()
        self.reached += answer.status_code == 200
        self.answered.set()
        if self.gate:
            await self.gate.wait()
        if self.deaf:
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


@dataclass(frozen=True)
class Move:
    """A row of a till that took something from a card, or a void that gives it back. `undoes`: the sale of a void."""

    device: UUID
    sequence: int
    event: UUID
    card: str
    amount: int
    undoes: UUID | None = None


@dataclass(frozen=True)
class Known:
    """What one snapshot says: what cards hold, and by device how far its journal is in that."""

    holds: dict[str, int]
    through: dict[UUID, int]
    peers: tuple[SnapshotPeer, ...]

    def contains(self, move: Move) -> bool:
        return move.sequence <= self.through.get(move.device, 0)


@dataclass
class Member:
    """One till. `moves`: its green sales and its voids. `known`: the snapshots that it got, the last one last."""

    folder: Path
    fake: FakeServer
    key: DeviceKey
    known: list[Known] = field(default_factory=list)
    device: UUID = field(default_factory=uuid4)
    moves: list[Move] = field(default_factory=list)
    wire: Wire = field(default_factory=Wire)
    talk: Talk | None = None

    @property
    def book(self) -> Book:
        assert self.shelf.book is not None
        return self.shelf.book

    @property
    def peer(self) -> SnapshotPeer:
        return SnapshotPeer(device=self.device, epoch=1, key=self.key.public)

    async def start(self) -> None:
        """As after a power cut: what is in the journal and in the last stored snapshot, and no more."""
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
        await self.install()
        await self.site.publish()
        self.http = httpx.AsyncClient(transport=self.wire, base_url="http://hub")
        self.talk = None

    async def close(self) -> None:
        await self.journal.close()

    async def install(self) -> None:
        """Sell by the last snapshot."""
        known = self.known[-1]
        head = self.fake.snapshot_now()
        cards = tuple(it.model_copy(update={"balances": {"RAF": known.holds.get(it.uid, 0)}}) for it in head.cards)
        others = (
            SnapshotApplied(device=it.device, epoch=1, through=known.through[it.device], beyond=())
            for it in known.peers
        )
        own = {"device": self.device, "applied_epoch": 1, "applied_through": known.through[self.device]}
        rest = {"cards": cards, "peers": known.peers, "applied_others": tuple(others)}
        body = head.model_copy(update={**own, **rest}).model_dump_json().encode()
        await self.shelf.install(read_snapshot(body, self.fake.sign(body), self.fake.public, self.device))

    async def sell(self, card: str, quantity: int) -> Move | str:
        """The sale if it was green, or why not."""
        assert self.shelf.shop is not None
        basket = self.shelf.shop.basket([BasketItem(self.fake.beer, quantity)], "RAF", 1)
        sale = await self.tap.intend()
        ended = await self.tap.settle(Pending(sale, basket, uuid4(), asked=sale), Card(card, "C"))
        if ended.result.reason is not None:
            return ended.result.reason
        await self.site.publish()
        self.moves.append(Move(self.device, ended.sequence, ended.result.sale, card, basket.price["RAF"]))
        return self.moves[-1]

    async def undo(self, sold: Move) -> Move:
        (paid,) = [it for it in await self.journal.last_sales(1000) if it.row.sale.id == sold.event]
        row = VoidRow(id=uuid7(), sale=sold.event, reason="Erreur", at_us=1)
        await self.tap.void(row, paid.row)
        await self.site.publish()
        self.moves.append(Move(self.device, self.journal.head, row.id, sold.card, sold.amount, sold.event))
        return self.moves[-1]

    # Sharing, a step at a time. Each says whether it went through; one that did not ends the talk, as in the client.

    async def connect(self) -> bool:
        try:
            self.talk = await greet(self.http, self.site)
        except httpx.TransportError:
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
        except httpx.HTTPStatusError as error:
            # The hub began anew, or does not know us yet. Any other refusal is a fault, and no bad line.
            if error.response.status_code not in {403, 409}:
                raise AssertionError(f"the hub refused a till: {error}") from error
        except (httpx.TransportError, ValueError):
            pass
        else:
            return True
        self.talk = None
        return False


def _away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("the server is away", request=request)


def serve(hub: Member, others: list[Member]) -> None:
    """The hub's process starts: a new session, which knows nobody's talk. Each till has an address of its own, and a
    second passes from request to request, so that no till is taken for a stranger who knocks too often."""
    seconds = itertools.count()
    app = create_hub(hub.site, lambda: float(next(seconds)))
    for number, it in enumerate(others, 2):
        it.wire.hub = httpx.ASGITransport(app, client=(f"192.168.1.{number}", 50_000))


def tills(folder: Path, fake: FakeServer, count: int) -> list[Member]:
    """Paired with one network, one after the other."""
    return [Member(folder, fake, DeviceKey(Ed25519PrivateKey.generate())) for _ in range(count)]


class Back:
    """The server, in the moments when a till reaches it: which rows it booked, and what it then says of the cards."""

    def __init__(self, tills: Sequence[Member], holds: dict[str, int]) -> None:
        self._tills = tills
        self._holds = holds
        self._through = {it.device: 0 for it in tills}

    async def receive(self, till: Member, percent: int = 100) -> None:
        """All that the till has, of which that much is booked by now."""
        before, head = self._through[till.device], till.journal.head
        self._through[till.device] = before + (head - before) * percent // 100
        await till.journal.acknowledge(head)

    def snapshot(self, till: Member, paired: Sequence[Member]) -> Known:
        """For a till, with the others that are paired by then. A card's overdraft is in books of its own."""
        left = Counter(self._holds)
        for one in self._tills:
            for move in one.moves:
                if move.sequence <= self._through[one.device]:
                    left[move.card] += move.amount if move.undoes else -move.amount
        holds = {card: max(0, minor) for card, minor in left.items()}
        return Known(holds, dict(self._through), tuple(it.peer for it in paired if it is not till))
