"""The small network behind a real port, in a thread of its own, and terminals that are processes of their own.

`Hall.gate` tells a test of the moments at which a request is on its way: a process may be killed at exactly these.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import sqlalchemy as sa
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cli.demo.cable import Cable
from app.ledger.verify import verify
from app.platform.settings import Settings
from app.terminals.service import make_pairing_code
from app.terminals.tables import terminal as terminal_table
from app.wire import AnyRow, CancelRow, SaleRow, VoidRow, read_payload
from readers.journal import Clock, JournalFile
from tests.readers.agent.processes import DEADLINE_MS, ROOT, AtTheTill, Field, a_free_port, until
from tests.support.forge import DIED, POINT_BYTES, Wanted, asked, mapped
from tests.support.network import PIN, Network, network_of, running
from tests.support.serving import free_port, served

PATIENCE_S = 30
MOMENTS = {"/api/v1/sales": "sale", "/api/v1/terminals/sync": "rows", "/api/v1/terminals/snapshot": "snapshot"}

# Every sale of a terminal that stands, in the order in which the ledger has them.
STANDING = sa.text(
    "SELECT o.id, o.business_day, o.occurred_at_us, o.late, sum(t.amount) AS amount"
    " FROM operation o JOIN transfer t ON t.operation_seq = o.seq WHERE o.kind = 'sale' AND o.terminal = :terminal"
    " AND NOT EXISTS (SELECT 1 FROM operation r WHERE r.reverses = o.id)"
    " GROUP BY o.id, o.business_day, o.occurred_at_us, o.late, o.seq ORDER BY o.seq"
).bindparams(sa.bindparam("terminal", type_=sa.Uuid))


class Booked(NamedTuple):
    """A sale as the ledger has it. `day`: its business day; `late`: not the one on which it says that it was made."""

    amount: int
    day: date
    at_us: int
    late: bool


class Gate:
    """Before the application. `told` is called with "sale arrived", "sale booked", "rows arrived", "rows booked",
    "snapshot half sent"; what it does has happened before the request goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.told: Callable[[str], None] = lambda _: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        about = MOMENTS.get(scope.get("path", ""))
        if about is None:
            await self._app(scope, receive, send)
            return
        told = self.told
        if about == "snapshot":
            await self._app(scope, receive, self._halved(send, told))
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        told(f"{about} arrived")
        answer: list[Message] = []

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, again, keep)
        told(f"{about} booked")
        for message in answer:
            await send(message)

    @staticmethod
    def _halved(send: Send, told: Callable[[str], None]) -> Send:
        async def half_by_half(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] != "http.response.body" or len(body) < 2:
                await send(message)
                return
            half = len(body) // 2
            await send({**message, "body": body[:half], "more_body": True})
            told("snapshot half sent")
            await send({**message, "body": body[half:]})

        return half_by_half


class Forge:
    """Where terminals are forked (tests.support.forge)."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.forge"]
        self._process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def fork(self, wanted: Wanted) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(asked(wanted))
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


class Agent(AtTheTill):
    """`comptoir terminal` as a process of its own."""

    def __init__(self, pid: int, field: Field, port: int) -> None:
        super().__init__(field, port, PIN)
        self.pid = pid
        self._watched = os.pidfd_open(pid)
        # Killed by a request's thread and put away by the test's: a descriptor that is closed too early is soon the
        # next terminal's.
        self._watching = threading.RLock()
        self._closed = False
        # Asked on a connection of its own each time: a process that is gone leaves none behind to try.
        self._http.headers["Connection"] = "close"

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._watched, number)

    def is_gone(self, within_s: float = 0) -> bool:
        return bool(select.select([self._watched], [], [], within_s)[0])

    def kill(self) -> None:
        with self._watching:
            if not self._closed:
                self.signal(signal.SIGKILL)
                assert self.is_gone(PATIENCE_S)

    def delivered(self) -> None:
        until(lambda: (now := self.screen())["online"] and not now["waiting"] and now["reader"] == "ok")

    def close(self) -> None:
        with self._watching:
            self.kill()
            self._closed = True
            os.close(self._watched)
        super().close()


class Terminal:
    """One terminal's folder, through all its starts. `name` is the admin's for it."""

    def __init__(self, hall: Hall, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        self.hall, self.folder, self.name = hall, folder, name
        self.data = folder / "data"
        self._device: UUID | None = None
        self._points, self._clock = folder / "points", folder / "clock"
        self._points.write_bytes(bytes(POINT_BYTES))
        self._clock.write_bytes(bytes(8))

    @contextmanager
    def running(
        self,
        field: Field,
        *,
        deadly: bool = False,
        shifted: bool = False,
        url: str | None = None,
        deadline_ms: int = DEADLINE_MS,
    ) -> Iterator[Agent]:
        """Start it. `deadly`: `arm` works; `shifted`: `shift` does."""
        port = a_free_port()
        arguments = ["--data", str(self.data), "--server", url or self.hall.url, "--reader", field.path]
        arguments += ["--kiosk-port", str(port), "--snapshot-s", "0.2", "--deadline-ms", str(deadline_ms)]
        if not self.data.exists():
            arguments += ["--pair", self.hall.code(self.name)]
        wanted = Wanted(
            tuple(arguments),
            str(self.folder / "terminal.log"),
            str(self._points) if deadly else "",
            str(self._clock) if shifted else "",
        )
        agent = Agent(self.hall.forge.fork(wanted), field, port)
        try:
            yield agent
        finally:
            agent.close()

    def arm(self, point: str) -> None:
        """It gets SIGKILL when it comes to this moment (tests.support.forge)."""
        with mapped(self._points, POINT_BYTES) as file:
            file[:] = point.encode().ljust(POINT_BYTES, b"\0")

    def died_at(self) -> str | None:
        point = self._points.read_bytes().rstrip(b"\0").decode()
        return point.removeprefix(DIED) if point.startswith(DIED) else None

    def shift(self, seconds: float) -> None:
        """Its wall clock is off by this much from now on."""
        with mapped(self._clock, 8) as file:
            file[:] = struct.pack("d", seconds)

    def journal(self) -> list[AnyRow]:
        """What is in its journal, once its chain was checked whole. It must be down."""
        file = JournalFile(self.data / "journal.db", Clock())
        try:
            file.verify()
            return [read_payload(row.payload) for row in file.rows_after(0, 10**6, 10**9)]
        finally:
            file.close()

    def sold(self) -> dict[UUID, int]:
        """What stands by its journal: amount by sale. It must be down."""
        rows = self.journal()
        undone = {row.sale for row in rows if isinstance(row, VoidRow | CancelRow)}
        sales = [row.sale for row in rows if isinstance(row, SaleRow) and row.sale.id not in undone]
        assert len({sale.id for sale in sales}) == len(sales), "one row a sale"
        return {sale.id: sum(tender.amount for tender in sale.tenders) for sale in sales}

    @property
    def device(self) -> UUID:
        """As the server knows it, once it is paired."""
        if self._device is None:
            self._device = self.hall.device(self.name)
        return self._device

    def booked(self) -> dict[UUID, int]:
        """What stands by the server's ledger: amount by sale, in order."""
        return {sale: it.amount for sale, it in self.hall.standing(self.device).items()}


class Hall:
    """`do` runs something in the server's thread."""

    def __init__(self, settings: Settings, forge: Forge) -> None:
        self.forge = forge
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hall")
        self._thread.start()
        self._held = AsyncExitStack()
        self.do(self._open())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _open(self) -> None:
        port = free_port()
        app = await self._held.enter_async_context(running(self._settings))
        self.network: Network = await self._held.enter_async_context(network_of(app, self._settings))
        self.gate = Gate(app)
        self.url = await self._held.enter_async_context(served(self.gate, port))
        await self.network.hired("lucas")

    def close(self) -> None:
        """Down, once the whole ledger was recomputed."""
        try:
            report = self.do(verify(self.network.engine))
            assert report.ok, report.findings
        finally:
            self.do(self._held.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def terminal(self, folder: Path, name: str | None = None) -> Terminal:
        return Terminal(self, folder, name or f"Bar {uuid4().hex[:6]}")

    def code(self, name: str) -> str:
        async def made() -> str:
            async with self.network.engine.begin() as connection:
                return await make_pairing_code(connection, self.network.venues["raffinerie"].id, name)

        return str(self.do(made()))

    def product(self, name: str) -> UUID:
        return self.network.product("raffinerie", name).id

    def top_up(self, card: str, amount: int) -> None:
        self.do(self.network.top_up(card, amount))

    def holds(self, card: str) -> int:
        return int(self.do(self.network.holds(card))["RAF"])

    def device(self, name: str) -> UUID:
        """The terminal of this name."""

        async def found() -> UUID:
            async with self.network.engine.connect() as connection:
                query = sa.select(terminal_table.c.id).where(terminal_table.c.name == name)
                return (await connection.execute(query)).scalar_one()

        return self.do(found())  # type: ignore[no-any-return]

    def standing(self, device: UUID) -> dict[UUID, Booked]:
        """By sale, in the order in which the ledger has them."""

        async def found() -> dict[UUID, Booked]:
            async with self.network.engine.connect() as connection:
                rows = (await connection.execute(STANDING, {"terminal": device})).all()
            return {
                UUID(str(it.id)): Booked(
                    int(it.amount), date.fromisoformat(str(it.business_day)), it.occurred_at_us, bool(it.late)
                )
                for it in rows
            }

        return self.do(found())  # type: ignore[no-any-return]

    def skew_s(self, device: UUID) -> float:
        """How far the server thinks that a terminal's clock is off."""

        async def found() -> int:
            async with self.network.engine.connect() as connection:
                query = sa.select(terminal_table.c.skew_ms).where(terminal_table.c.id == device)
                return int((await connection.execute(query)).scalar_one())

        return float(self.do(found())) / 1000

    @contextmanager
    def cable(self) -> Iterator[Line]:
        """A cable of one's own to the server."""
        cable = Cable(int(self.url.rpartition(":")[2]))
        self.do(cable.plug())
        try:
            yield Line(self, cable)
        finally:
            self.do(cable.unplug())


class Line:
    def __init__(self, hall: Hall, cable: Cable) -> None:
        self._hall, self._cable = hall, cable
        self.url = f"http://127.0.0.1:{cable.port}"

    def plug(self) -> None:
        self._hall.do(self._cable.plug())

    def unplug(self) -> None:
        self._hall.do(self._cable.unplug())
