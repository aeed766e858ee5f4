"""`comptoir bench site` and `comptoir bench line` measure what they say, on networks small enough for a test."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from readers.bench import line, site
from readers.bench.line import HEADER_BYTES, PACKET_BYTES, SlowLine

pytestmark = pytest.mark.faults


def test_each_sale_is_heard_at_the_other_till(tmp_path: Path) -> None:
    found = site.measure(tmp_path, 50, 3)
    assert found.sales == 3
    assert 0 < found.heard_p50_ms <= found.heard_p99_ms <= found.heard_max_ms


def test_a_first_sync_and_deltas_go_over_the_slow_line(tmp_path: Path) -> None:
    (found,) = line.measure(tmp_path, 200, ((4_000_000, 0.02),))
    assert found.first_sync_s > found.first_sync_bytes * 8 / 4_000_000
    assert 0 < found.delta_bytes[1] < found.delta_bytes[100] < found.first_sync_bytes
    assert all(seconds > 0.02 for seconds in found.delta_s.values())


async def test_a_slow_line_is_as_slow_as_it_says_and_loses_nothing() -> None:
    sent = bytes(range(256)) * 100

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(sent)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        slow = SlowLine(2_000_000, 0.04)
        async with slow.before("127.0.0.1", port) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            began = time.monotonic()
            writer.write(b"?")
            got = await reader.read(-1)
            took_s = time.monotonic() - began
            writer.close()
            await writer.wait_closed()
    assert got == sent
    packets = -(-len(sent) // PACKET_BYTES)
    assert slow.down_bytes >= len(sent) + packets * HEADER_BYTES
    assert took_s >= slow.down_bytes * 8 / 2_000_000 + 0.04 - 0.001
