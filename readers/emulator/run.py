"""Runs the card tray: its fields and its page, until cancelled or signalled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import uvicorn

from readers.emulator.config import TrayConfig
from readers.emulator.field import UdpCardField
from readers.emulator.tray import create_tray


class TrayReady(NamedTuple):
    """Where the tray is: its page, and each reader's nfcpy path by its name."""

    address: str
    readers: dict[str, str]


async def serve_tray(config: TrayConfig, on_ready: Callable[[TrayReady], None] | None = None) -> None:
    """Serve until cancelled, or until SIGINT or SIGTERM in the main thread (raised again at the end); prints nothing.

    `on_ready` is called once when requests are answered; it is how ports given as 0 become known. Raises OSError when
    a port is taken. Everything is closed on return.
    """
    with ExitStack() as held:
        fields = {each.name: held.enter_context(UdpCardField(each.udp_port)) for each in config.fields}
        listener = held.enter_context(socket.create_server((config.host, config.port)))
        host, port = listener.getsockname()[:2]
        ready = TrayReady(f"http://{host}:{port}", {name: field.path for name, field in fields.items()})
        server = _Server(
            uvicorn.Config(
                create_tray(config.cards, fields),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            ),
            lambda: on_ready(ready) if on_ready is not None else None,
        )
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise


class _Server(uvicorn.Server):
    """uvicorn's server that says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()
