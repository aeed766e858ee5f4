"""The load generator: a process of its own, one thread, requests made before the clock starts.

Reads a JSON job on standard input: {"port", "path", "token", "bodies": file with one JSON body per line, "clients"}, or
with "views", a file with one path per line, instead of the three in the middle: pages, asked for as browsers do; with
"posts", a file with a path, a blank and a JSON body per line.
Sends every request once over `clients` connections that stay open, each sending the next as soon as the last was
answered.
Writes {"seconds", "requests", "cpu_s", "statuses", "p50_ms", "p99_ms", "max_ms"} on standard output; cpu_s is its own
processor time, so that one can see that it was not the bottleneck.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Client(asyncio.Protocol):
    """One connection. `requests` is shared by all: whoever is free takes the next."""

    def __init__(self, requests: list[bytes], latencies_ns: list[int], statuses: Counter[int]) -> None:
        self._requests, self._latencies, self._statuses = requests, latencies_ns, statuses
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_ns = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def start(self) -> None:
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        size = int(length[1]) if length else 0
        if len(self._received) < end + 4 + size:
            return
        self._latencies.append(time.perf_counter_ns() - self._sent_ns)
        self._statuses[int(self._received[9:12])] += 1
        self._received = b""
        self._next()

    def _next(self) -> None:
        if not self._requests:
            self.done.set_result(None)
            return
        request = self._requests.pop()
        self._sent_ns = time.perf_counter_ns()
        if self._transport is not None:
            self._transport.write(request)


def requests_of(job: dict[str, Any]) -> list[bytes]:
    """In the order of the file."""
    host = f"Host: 127.0.0.1:{job['port']}\r\n".encode()
    if "views" in job:
        rest = b" HTTP/1.1\r\n" + host + b"Accept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
        return [b"GET " + path + rest for path in Path(job["views"]).read_bytes().splitlines()]
    if "posts" in job:
        middle = b" HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\nContent-Length: "
        parts = [line.split(b" ", 1) for line in Path(job["posts"]).read_bytes().splitlines()]
        return [b"POST %b%b%d\r\n\r\n%b" % (path, middle, len(body), body) for path, body in parts]
    token = f"Authorization: Bearer {job['token']}\r\nContent-Type: application/json\r\nContent-Length: ".encode()
    head = f"POST {job['path']} HTTP/1.1\r\n".encode() + host + token
    bodies = Path(job["bodies"]).read_bytes().splitlines()
    return [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in bodies]


async def run(job: dict[str, Any]) -> dict[str, Any]:
    requests = requests_of(job)
    requests.reverse()
    count = len(requests)
    latencies: list[int] = []
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(job["clients"]):
        _, client = await loop.create_connection(
            lambda: Client(requests, latencies, statuses), "127.0.0.1", job["port"]
        )
        clients.append(client)
    cpu, began = time.process_time(), time.perf_counter()
    for client in clients:
        client.start()
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - began
    latencies.sort()
    return {
        "seconds": seconds,
        "requests": count,
        "cpu_s": time.process_time() - cpu,
        "statuses": dict(statuses),
        "p50_ms": latencies[len(latencies) // 2] / 1e6,
        "p99_ms": latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)] / 1e6,
        "max_ms": latencies[-1] / 1e6,
    }


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    sys.stdout.write(json.dumps(uvloop.run(run(wanted))))
