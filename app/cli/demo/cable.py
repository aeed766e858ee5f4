"""The network cable between a terminal and the server: a TCP relay on loopback that can be unplugged."""

from __future__ import annotations

import asyncio
from contextlib import suppress

CHUNK_BYTES = 64 * 1024


class Cable:
    """`port` is the end at the terminal; `server_port` where the other end is plugged in."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self.port = 0

    async def plug(self) -> None:
        """Connections pass from now on."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """Connections break off, and new ones are refused."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._relays)
        await listener.wait_closed()

    def _connected(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(near_reader, near_writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            near_writer.transport.abort()
            return
        ends = {near_writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pour(near_reader, far_writer), _pour(far_reader, near_writer))
        finally:
            self._open -= ends
            for writer in ends:
                writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
