"""Who asks too often is told when to come back; whom to count is not for the client to choose."""

from __future__ import annotations

import time

import httpx
import pytest
from fastapi import Depends, FastAPI, Request

from app.platform.errors import TooManyRequests
from app.platform.limits import RateLimit, client_address

pytestmark = pytest.mark.anyio

BY_ADDRESS = RateLimit("test-address", "3/minute")
BY_KEY = RateLimit("test-key", "1/minute")


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    @app.get("/limited", dependencies=[Depends(BY_ADDRESS)])
    async def limited() -> None: ...

    @app.get("/by-key/{key}")
    async def by_key(request: Request, key: str) -> None:
        BY_KEY.check(request, key)

    @app.get("/address")
    async def address(request: Request) -> str:
        return client_address(request)

    return app


def client_at(app: FastAPI, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://server.test")


async def test_the_first_requests_pass_and_the_next_is_told_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert [(await client.get("/limited")).status_code for _ in range(3)] == [200] * 3
    refused = await client.get("/limited")
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_after_the_window_there_is_room_again(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        refused = await client.get("/limited")
    later_s = time.time() + int(refused.headers["retry-after"]) + 1
    monkeypatch.setattr(time, "time", lambda: later_s)
    assert (await client.get("/limited")).status_code == 200


async def test_each_key_has_its_own_count(client: httpx.AsyncClient) -> None:
    statuses = [(await client.get(f"/by-key/{key}")).status_code for key in ("marie", "jean", "marie")]
    assert statuses == [200, 200, 429]


async def test_each_address_has_its_own_count(app: FastAPI) -> None:
    for address in ("192.0.2.1", "192.0.2.2"):
        async with client_at(app, address) as client:
            assert [(await client.get("/limited")).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        # Not one of our proxies: what it says is not believed.
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        # Our proxy names its client.
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        # What the client wrote itself, before our proxy added its true address, does not count.
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        # Two of our proxies in a row.
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        # Nonsense is not an address.
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        # A household's IPv6 addresses are one.
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        ("a unix socket", None, "unknown"),
    ],
)
async def test_whom_a_request_is_counted_for(app: FastAPI, peer: str, forwarded: str | None, counted: str) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    async with client_at(app, peer) as client:
        assert (await client.get("/address", headers=headers)).json() == counted


async def test_several_forwarded_headers_are_read_as_one(app: FastAPI) -> None:
    async with client_at(app, "10.0.0.1") as client:
        headers = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")]
        assert (await client.get("/address", headers=headers)).json() == "198.51.100.7"


def test_the_error_names_the_seconds() -> None:
    assert TooManyRequests(12).detail == "Too many tries: wait 12 s."
