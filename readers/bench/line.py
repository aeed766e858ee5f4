"""`comptoir bench line`: a first sync and deltas of 20,000 cards over lines as slow as a bad evening's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from readers.bench.command import CARDS, PRODUCTS

# What TCP and IP add to each packet of 1,400 bytes.
PACKET_BYTES, HEADER_BYTES = 1400, 40
# (bits a second, seconds there and back): an old mobile network, and a poor one of today.
LINES = ((1_000_000, 0.05), (64_000, 0.3))
# A hundred cards that moved since the last look, and one.
MOVED = (1, 100)


@dataclass(frozen=True, slots=True)
class OnALine:
    """Seconds from the question to a snapshot that was checked, and the bytes that the line carried for it; of deltas
    by the number of cards that had moved."""

    bits_per_s: int
    round_trip_s: float
    first_sync_s: float
    first_sync_bytes: int
    delta_s: dict[int, float]
    delta_bytes: dict[int, int]


class SlowLine:
    """A TCP proxy that lets so many bits a second through in each direction, and holds each for half a round trip."""

    def __init__(self, bits_per_s: int, round_trip_s: float) -> None:
        self._bits_per_s = bits_per_s
        self._delay_s = round_trip_s / 2
        # By direction: when the line is free again.
        self._free_s = {"up": 0.0, "down": 0.0}
        self.down_bytes = 0

    @contextlib.asynccontextmanager
    async def before(self, host: str, port: int) -> AsyncIterator[str]:
        """Yields an address that leads to host and port over this line."""
        pumps: set[asyncio.Task[None]] = set()
        ends: list[asyncio.StreamWriter] = []

        async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection(host, port)
            ends.extend((writer, far_writer))
            for way, source, sink in (("up", reader, far_writer), ("down", far_reader, writer)):
                pumps.add(asyncio.create_task(self._pump(way, source, sink)))

        server = await asyncio.start_server(joined, "127.0.0.1", 0, limit=PACKET_BYTES)
        try:
            yield "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
        finally:
            server.close()
            for task in pumps:
                task.cancel()
            if pumps:
                await asyncio.wait(pumps)
            for end in ends:
                end.transport.abort()
            # The loop closes their sockets at its next turn.
            await asyncio.sleep(0)

    async def _pump(self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await source.read(PACKET_BYTES):
                size = len(data) + HEADER_BYTES
                self.down_bytes += size * (way == "down")
                free_s = max(self._free_s[way], loop.time()) + size * 8 / self._bits_per_s
                self._free_s[way] = free_s
                await asyncio.sleep(free_s - loop.time())
                loop.call_later(self._delay_s, sink.write, data)
        except ConnectionError:
            pass
        else:
            loop.call_later(self._delay_s, sink.close)


@click.command("line")
@click.option("--quick", is_flag=True, help="A tenth of the cards: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def line(quick: bool, as_json: bool) -> None:
    """Measure a first sync and deltas of 20,000 cards over lines of 1 Mbit/s and 64 kbit/s."""
    with tempfile.TemporaryDirectory(prefix="comptoir-bench-") as scratch:
        try:
            found = measure(Path(scratch), CARDS // (10 if quick else 1), LINES)
        except (RuntimeError, OSError) as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps([asdict(it) for it in found]))
        return
    for it in found:
        click.echo(f"{it.bits_per_s // 1000:,} kbit/s, {1000 * it.round_trip_s:.0f} ms there and back")
        click.echo(f"  first sync {it.first_sync_s:.1f} s, {it.first_sync_bytes:,} bytes")
        for moved, seconds in it.delta_s.items():
            click.echo(f"  delta after {moved} moved {seconds:.2f} s, {it.delta_bytes[moved]:,} bytes")


def measure(scratch: Path, cards: int, lines: tuple[tuple[int, float], ...]) -> list[OnALine]:
    """RuntimeError, OSError."""
    from readers.bench import cases  # noqa: PLC0415
    from readers.bench.server import prepare, serving  # noqa: PLC0415

    cases.quiet()
    ground = prepare(scratch / "server", cards, PRODUCTS)
    seller, codes = scratch / "seller", iter(ground.codes)
    with serving(ground, scratch / "log") as url:
        asyncio.run(cases.first_sync(seller, url, next(codes), ground.pin))
        for bits, _ in lines:
            (scratch / str(bits)).mkdir()
        return [
            asyncio.run(_on(bits, trip, url, next(codes), scratch / str(bits), seller, ground.pin, cards))
            for bits, trip in lines
        ]


async def _on(
    bits_per_s: int, round_trip_s: float, url: str, code: str, data: Path, seller: Path, pin: str, cards: int
) -> OnALine:
    """One terminal's own client on a slow line; what moves is sold at another terminal on a fast one."""
    from readers.bench import cases  # noqa: PLC0415
    from readers.journal import Clock  # noqa: PLC0415
    from readers.sync import DeviceKey, Server, read_snapshot  # noqa: PLC0415
    from readers.sync.snapshots import apply_delta, is_delta  # noqa: PLC0415

    slow = SlowLine(bits_per_s, round_trip_s)
    key, clock = DeviceKey.load_or_make(data / "device.key"), Clock()
    delta_s: dict[int, float] = {}
    delta_bytes: dict[int, int] = {}
    async with slow.before("127.0.0.1", int(url.rpartition(":")[2])) as address, Server(address, key, clock) as server:
        began, before = time.monotonic(), slow.down_bytes
        paired = await server.pair(code, "bench")
        reply = await server.snapshot(paired.device, None)
        if reply is None:
            raise RuntimeError("the server sent no snapshot")
        signature = reply.headers["Comptoir-Signature"]
        held = read_snapshot(reply.body, signature, paired.server_key, paired.device, etag=reply.headers["ETag"])
        first_s, first_bytes = time.monotonic() - began, slow.down_bytes - before
        for moved in MOVED:
            await cases.online(seller, url, pin, cards, moved - 1)
            began, before = time.monotonic(), slow.down_bytes
            reply = await server.snapshot(paired.device, held.etag, held.base)
            if reply is None or not is_delta(reply.body):
                raise RuntimeError("the server sent no delta")
            held = apply_delta(
                held, reply.body, reply.headers["Comptoir-Signature"], paired.server_key, etag=reply.headers["ETag"]
            )
            delta_s[moved], delta_bytes[moved] = time.monotonic() - began, slow.down_bytes - before
    return OnALine(bits_per_s, round_trip_s, first_s, first_bytes, delta_s, delta_bytes)
