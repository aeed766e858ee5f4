"""Bodies are counted as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from pydantic import BaseModel

from .conftest import BODY_LIMIT_BYTES

pytestmark = pytest.mark.anyio


class Text(BaseModel):
    text: str


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    @app.post("/json")
    async def take_json(body: Text) -> int:
        return len(body.text)

    @app.post("/form")
    async def take_form(text: str = Form()) -> int:
        return len(text)

    @app.post("/raw")
    async def take_raw(request: Request) -> int:
        return len(await request.body())

    return app


async def trickle(size_bytes: int, head: bytes = b"") -> AsyncIterator[bytes]:
    yield head
    for _ in range(size_bytes - len(head)):
        yield b"x"


async def test_a_body_of_exactly_the_limit_passes(client: httpx.AsyncClient) -> None:
    response = await client.post("/raw", content=b"x" * BODY_LIMIT_BYTES)
    assert (response.status_code, response.json()) == (200, BODY_LIMIT_BYTES)


async def test_a_body_that_says_it_is_too_large_is_refused_unread(client: httpx.AsyncClient) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"x"

    response = await client.post("/raw", content=body(), headers={"content-length": str(BODY_LIMIT_BYTES + 1)})
    assert (response.status_code, response.json()["type"]) == (413, "/problems/body-too-large")
    assert (read, response.headers["connection"]) == (0, "close")


@pytest.mark.parametrize(
    ("path", "content_type", "head"),
    [
        ("/json", "application/json", b'{"text": "'),
        ("/form", "application/x-www-form-urlencoded", b"text="),
        ("/form", "multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'),
        ("/raw", "application/octet-stream", b""),
    ],
)
async def test_a_body_without_a_length_is_refused_when_it_passes_the_limit(
    client: httpx.AsyncClient, path: str, content_type: str, head: bytes
) -> None:
    body = trickle(BODY_LIMIT_BYTES + 1, head)
    response = await client.post(path, content=body, headers={"content-type": content_type})
    assert (response.status_code, response.json()["type"]) == (413, "/problems/body-too-large")
    assert f"at most {BODY_LIMIT_BYTES} bytes" not in response.json()["title"]
