"""One log line for each request, with an id that can be followed, and without secrets."""

from __future__ import annotations

import io
import json

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.platform.telemetry import configure_logging, masked_path

from .conftest import Log

pytestmark = pytest.mark.anyio

TOKEN = "Zk3QXq0yTz2bVtqg"


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    router = APIRouter(prefix="/api/v1")

    @router.get("/venues/{venue}")
    async def show_venue(venue: str) -> str:
        structlog.get_logger("test").info("inside", venue=venue)
        return venue

    async def thin(_request: object) -> PlainTextResponse:
        return PlainTextResponse("")

    app.include_router(router)
    app.router.routes.append(Route("/c/{token}/thin", thin))
    return app


def request_line(logged: Log) -> dict[str, object]:
    [line] = [line for line in logged.lines if line["event"] == "request"]
    return line


async def test_the_line_has_the_route_s_template_status_and_duration(client: httpx.AsyncClient, logged: Log) -> None:
    await client.get("/api/v1/venues/42?secret=1")
    line = request_line(logged)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/venues/{venue}", 200)
    assert isinstance(line["duration_ms"], float)
    assert "secret" not in json.dumps(line)


@pytest.mark.parametrize("path", [f"/c/{TOKEN}", f"/c/{TOKEN}/thin", f"/c/{TOKEN}/top-up?amount=5", f"/x/c/{TOKEN}"])
async def test_a_card_s_token_never_reaches_the_log(client: httpx.AsyncClient, logged: Log, path: str) -> None:
    await client.get(path)
    own = [line for line in logged.lines if line["logger"] != "httpx"]
    assert own
    assert TOKEN not in json.dumps(own)
    assert "/c/…" in str(request_line(logged)["route"])


def test_a_path_is_masked_and_cut() -> None:
    assert masked_path("/c/abc/history") == "/c/…/history"
    assert masked_path("/cards/abc") == "/cards/abc"
    assert len(masked_path("/" + "x" * 5000)) == 200


async def test_every_line_of_a_request_carries_its_id_and_so_does_the_answer(
    client: httpx.AsyncClient, logged: Log
) -> None:
    response = await client.get("/api/v1/venues/1", headers={"X-Request-ID": "proxy-0001"})
    ids = {line["event"]: line.get("request_id") for line in logged.lines if line["logger"] != "httpx"}
    assert response.headers["x-request-id"] == "proxy-0001"
    assert ids == {"inside": "proxy-0001", "request": "proxy-0001"}


@pytest.mark.parametrize("sent", ["short", "x" * 65, 'forged"line here', ""])
async def test_what_does_not_look_like_a_request_id_is_replaced(client: httpx.AsyncClient, sent: str) -> None:
    made = (await client.get("/nowhere", headers={"X-Request-ID": sent})).headers["x-request-id"]
    assert made != sent
    assert len(made) == 32


async def test_ids_do_not_leak_from_one_request_to_the_next(client: httpx.AsyncClient, logged: Log) -> None:
    first = (await client.get("/nowhere")).headers["x-request-id"]
    assert (await client.get("/nowhere")).headers["x-request-id"] != first
    structlog.get_logger("test").info("outside")
    assert "request_id" not in logged.lines[-1]


def test_logs_below_the_level_are_left_out_and_tracebacks_hold_no_values_of_variables() -> None:
    stream = io.StringIO()
    configure_logging("warning", stream)
    log = structlog.get_logger("test")
    log.info("not told")

    def sign_in(password: str) -> None:
        raise ValueError(len(password))

    try:
        sign_in("".join(["hunt", "er2"]))
    except ValueError:
        log.exception("told")
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["event"], line["level"], line["logger"]) == ("told", "error", "test")
    assert "ValueError: 7" in line["exception"]
    assert "hunter2" not in stream.getvalue()


async def test_addresses_that_we_ask_do_not_reach_the_log() -> None:
    stream = io.StringIO()
    configure_logging("info", stream)
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(f"https://hooks.example/{TOKEN}")
    assert TOKEN not in stream.getvalue()


def test_a_person_at_a_terminal_reads_plain_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure_logging("info", stream)
    structlog.get_logger("test").info("hello", venue=3)
    assert "hello" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
