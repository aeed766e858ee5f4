"""Whole servers as processes: streams that end when the server does, and one that is killed while it sends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.identity.cookie import COOKIE
from app.identity.roles import Grant, Role
from app.identity.service import create_person, sign_in
from app.platform.clock import now_us
from app.platform.settings import Settings

from .conftest import Books, Receiver, until

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

PASSWORD = "un vélo sous la pluie"


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """`comptoir serve` on the same database and keys, ready; and a client of it."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port = any_port.getsockname()[1]
    environment = {
        **os.environ,
        "COMPTOIR_DATA": str(settings.data),
        "COMPTOIR_DATABASE_URL": settings.sqlalchemy_url,
        "COMPTOIR_WEBHOOKS_PRIVATE": "true",
    }
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    server = await create_subprocess_exec(*command, env=environment, stdout=DEVNULL, stderr=DEVNULL)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

            async def answers() -> bool:
                assert server.returncode is None
                try:
                    return (await client.get("/healthz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(answers, 40)
            yield server, client
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def sign_in_admin(books: Books, client: httpx.AsyncClient) -> None:
    await create_person(books.context, "nadia", "Nadia", PASSWORD, "4711", [Grant(Role.NETWORK_ADMIN)], actor="test")
    client.cookies.set(COOKIE, (await sign_in(books.context, "nadia", PASSWORD)).token)


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_stream_goes_on_where_it_broke_off_and_ends_when_the_server_is_told_to_stop(
    books: Books, outbox_settings: Settings
) -> None:
    await books.book(3)
    async with serving(outbox_settings) as (server, client):
        await sign_in_admin(books, client)
        headers = {"Last-Event-ID": "1"}
        async with client.stream("GET", "/api/v1/operations/events", headers=headers, timeout=30) as stream:
            assert stream.status_code == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            assert await ids(lines, 2) == ["2", "3"]
            await books.book(2)  # by another process: the server polls for it
            assert await ids(lines, 2) == ["4", "5"]
            server.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):  # far below uvicorn's ten seconds of grace
                rest = [line async for line in lines]
                assert await server.wait() in {0, -signal.SIGTERM}
        assert all(not line.startswith("data") for line in rest)


async def ids(lines: AsyncIterator[str], count: int) -> list[str]:
    found: list[str] = []
    last = ""
    async with asyncio.timeout(20):
        async for line in lines:
            if line.startswith("id: "):
                last = line[4:]
            if line.startswith("data: "):
                assert json.loads(line[6:])["seq"] == int(last)
                found.append(last)
                if len(found) == count:
                    break
    return found


async def test_a_server_killed_between_sending_and_noting_it_skips_nothing(
    books: Books, outbox_settings: Settings, receiver: Receiver
) -> None:
    await books.book(20)
    made = await books.add(receiver.url)
    async with serving(outbox_settings) as (server, _):

        async def kill() -> None:
            server.kill()
            await server.wait()

        receiver.answer = kill  # the batch has arrived, its answer finds nobody
        await until(lambda: server.returncode is not None, 30)
    assert receiver.seqs == list(range(1, 21))
    left = await books.webhook(made.webhook.id)
    assert (left.cursor, left.sending_upto) == (0, 20)

    receiver.answer = None
    await books.book(5)
    await books.change(made.webhook.id, leased_until_us=now_us())  # instead of waiting for a minute
    async with serving(outbox_settings):
        await until(lambda: receiver.seqs[-1] == 25, 30)
    assert receiver.seqs == [*range(1, 21), *range(1, 26)]
    assert receiver.got[0][1] == receiver.got[1][1]
