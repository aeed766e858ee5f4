"""A running ledger with a follower, a receiver on loopback, and webhooks that lead to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting
from app.ledger.service import Ledger, currency_book, reserve_book
from app.outbox import service, store
from app.outbox.delivery import Deliveries
from app.outbox.follower import Follower
from app.outbox.store import Webhook
from app.platform.context import Context
from app.platform.settings import Settings
from app.rules.ids import uuid7

RAF, RESERVE = currency_book("network", "RAF"), reserve_book("network")
KEYS = (
    AccountKey(RESERVE, "clearing"),
    AccountKey(RESERVE, "liability", "RAF"),
    AccountKey(RAF, "issuance"),
    AccountKey(RAF, "wallet", "wallet:alice"),
)


@dataclass
class Books:
    """One process: `another` is a second one on the same database."""

    context: Context
    ledger: Ledger
    follower: Follower
    accounts: list[int]

    async def book(self, count: int = 1, venue: UUID | None = None) -> list[int]:
        """Top up by a cent, `count` times in one batch; the operations' numbers."""
        clearing, liability, issuance, wallet = self.accounts
        postings = (Posting(clearing, liability, 1), Posting(issuance, wallet, 1))
        operations = [
            Operation(uuid7(), "topup", sha256(b"").digest(), postings, "test", 1, date(2026, 1, 1), venue=venue)
            for _ in range(count)
        ]
        outcomes = await self.ledger.post(operations)
        assert all(isinstance(it, Posted) for it in outcomes)
        return [it.seq for it in outcomes if isinstance(it, Posted)]

    def deliveries(self) -> Deliveries:
        return Deliveries(self.context, self.ledger, self.follower)

    async def add(self, url: str, after: int | None = 0) -> service.WithSecret:
        return await service.add(self.context, self.ledger, url, after, actor="test")

    async def webhook(self, id_: UUID) -> Webhook:
        (found,) = [it for it in await service.listed(self.context) if it.id == id_]
        return found

    async def change(self, id_: UUID, **values: Any) -> None:
        async with self.context.engine.begin() as connection:
            await store.change(connection, id_, **values)


@asynccontextmanager
async def process(settings: Settings, poll_s: float) -> AsyncIterator[Books]:
    context = Context.open(settings)
    ledger = Ledger.open(context.engine, settings.sqlalchemy_url, context.keys.signing)
    await ledger.start()
    follower = Follower(ledger, poll_s, read_every_s=0)
    await follower.start()
    try:
        yield Books(context, ledger, follower, await ledger.accounts(list(KEYS), {"RAF": 1}))
    finally:
        await follower.stop()
        await ledger.stop()
        await context.close()


@pytest.fixture
def outbox_settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url, webhooks_private=True)


@pytest.fixture
async def books(outbox_settings: Settings) -> AsyncIterator[Books]:
    """It polls once a minute: what wakes its followers earlier is its own commits."""
    async with process(outbox_settings, 60) as books:
        yield books


@pytest.fixture
async def another(outbox_settings: Settings, books: Books) -> AsyncIterator[Books]:
    async with process(outbox_settings, 0.01) as other:
        yield other


@dataclass
class Receiver:
    """An HTTP server on loopback that answers what it is told to, and keeps what it got."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Callable[[], Awaitable[None]] | None = None

    @property
    def seqs(self) -> list[int]:
        """The numbers of all operations, in the order in which they came."""
        return [it["seq"] for _, body in self.got for it in json.loads(body)["operations"]]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                self.got.append((headers, body))
                self.arrived.set()
                if self.answer is not None:
                    await self.answer()
                more = "Location: http://127.0.0.1:1/\r\n" if self.status in range(300, 400) else ""
                writer.write(f"HTTP/1.1 {self.status} X\r\n{more}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield receiver
    server.close()


@asynccontextmanager
async def sending(*senders: Deliveries) -> AsyncIterator[list[asyncio.Task[None]]]:
    """They run meanwhile, and let go of their leases at the end."""
    tasks = [asyncio.create_task(it.run()) for it in senders]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until(true: Callable[[], Any] | Callable[[], Awaitable[Any]], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while True:
            found = true()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.01)
