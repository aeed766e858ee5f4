"""What a till and a hub box have in common as programs: tasks, web servers, pairing, and what the server asks for."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from app.wire import DeviceKind, StatusReply
from readers.health.logs import bundle
from readers.hub import Site, create_hub
from readers.journal import Journal
from readers.sync import Rejected, Server, SnapshotFile, Unreachable

_log = structlog.get_logger(__name__)


class NotPaired(Exception):
    """The data folder belongs to no terminal yet, and no code was given."""


class PairingFailed(Exception):
    """The server did not take the code; the message is for the operator."""


def version() -> str:
    try:
        return installed("comptoir")
    except PackageNotFoundError:
        return "0"


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs beside the block, and is cancelled at its end."""
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def pair(
    code: str | None,
    journal: Journal,
    server: Server,
    snapshots: SnapshotFile,
    *,
    lenient: bool = False,
    kind: DeviceKind = "till",
) -> bool:
    """Pair with the code, unless this folder is paired already and the code is not a new one.

    Whether it has to wait: rows of this epoch were sold at its venue, so they are delivered first. NotPaired,
    PairingFailed.
    """
    if code is None:
        if not journal.paired:
            raise NotPaired
        return False
    if journal.paired and journal.pairing.code_digest == hashlib.sha256(code.encode()).hexdigest():
        return False
    if journal.paired and journal.waiting:
        _log.warning("pairing_waits", rows=journal.waiting)
        return True
    try:
        reply = await server.pair(code, version(), kind)
    except (Rejected, Unreachable) as error:
        if lenient:
            # The code grew old while rows were delivered. Selling on as before is better than no till.
            _log.error("pairing_failed", why=str(error))
            return False
        raise PairingFailed(str(error)) from error
    # What is stored belongs to the venue before.
    await asyncio.to_thread(snapshots.forget)
    pairing = await journal.pair(reply, code)
    _log.info("terminal_paired", device=str(pairing.device), epoch=pairing.epoch, venue=pairing.venue_name)
    return False


async def heed(data: Path, journal: Journal, server: Server, reply: StatusReply) -> None:
    """What the server thinks of this terminal is found out with each round of synchronisation; here it is logged.
    Logs that somebody asked for are sent. Rejected, Unreachable."""
    if reply.standing != "active":
        _log.warning("terminal_standing", standing=reply.standing)
    if reply.logs is not None:
        pairing = journal.pairing
        about = f"comptoir {version()}, terminal {pairing.device}, epoch {pairing.epoch}, waiting {journal.waiting}"
        content = await asyncio.to_thread(bundle, data, about)
        await server.send_logs(pairing.device, pairing.epoch, reply.logs, content)
        _log.info("logs_sent", size=len(content))


@contextlib.asynccontextmanager
async def web(
    app: ASGIApp, at: tuple[str, int], limit_concurrency: int | None = None
) -> AsyncIterator[tuple[str, int]]:
    """A web server in this process; yields where it listens. OSError: the port is taken."""
    with socket.create_server(at) as listener:
        host, port = listener.getsockname()[:2]
        server = _Web(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                limit_concurrency=limit_concurrency,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            yield host, port
        finally:
            # Event streams and held replies never end by themselves, and the server would wait for them.
            for connection in list(server.server_state.connections):
                connection.transport.close()
            server.should_exit = True
            await asyncio.wait([serving])


@contextlib.asynccontextmanager
async def hub(site: Site, at: tuple[str, int]) -> AsyncIterator[tuple[str, int]]:
    """The hub's web server; yields where it listens. OSError: the port is taken."""
    async with web(create_hub(site), at, limit_concurrency=128) as listening:
        try:
            yield listening
        finally:
            site.wake()


class _Web(uvicorn.Server):
    """uvicorn without its signal handlers: the agent has its own, and more to close than a web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
