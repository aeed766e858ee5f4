"""Another website cannot act with a visitor's cookie."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Form, Request

from app.platform.csrf import check_token, origin_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    @app.api_route("/act", methods=["GET", "POST", "DELETE"])
    @app.post("/c/{token}/top-up")
    async def act() -> str:
        return "done"

    @app.post("/form")
    async def form(request: Request, amount: int = Form()) -> int:
        await check_token(request, "the-token")
        return amount

    @app.api_route("/plain", methods=["GET", "POST"])
    async def plain(request: Request) -> None:
        await check_token(request, "the-token")

    return app


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://server.test"},
        {"origin": "https://comptoir.example"},  # the address people type, behind a proxy that rewrites Host
        {},  # not a browser
        {"authorization": "Bearer ct1_x", "origin": "https://elsewhere.example"},
    ],
)
async def test_our_own_pages_and_programs_may_act(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.post("/act", headers=headers)).json() == "done"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://server.test"},
        {"origin": "https://elsewhere.example"},
        {"origin": "https://server.test"},  # another scheme
        {"origin": "http://server.test:8000"},  # another port
        {"origin": "http://server.test.elsewhere.example"},
        {"origin": "null"},
        {"authorization": "Basic bWFyaWU6cGFzcw==", "origin": "https://elsewhere.example"},
    ],
)
async def test_other_websites_may_not(client: httpx.AsyncClient, method: str, headers: dict[str, str]) -> None:
    response = await client.request(method, "/act", headers=headers)
    assert (response.status_code, response.json()["type"]) == (403, "/problems/cross-site")


async def test_looking_is_free(client: httpx.AsyncClient) -> None:
    assert (await client.get("/act", headers={"sec-fetch-site": "cross-site"})).json() == "done"


async def test_a_page_whose_address_is_secret_sends_no_origin_and_may_act(client: httpx.AsyncClient) -> None:
    assert (await client.post("/c/token/top-up", headers={"origin": "null"})).json() == "done"
    assert (await client.post("/c/token/top-up", headers={"origin": "https://elsewhere.example"})).status_code == 403


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Comptoir.example/c/x", "https://comptoir.example"),
        ("https://comptoir.example:443", "https://comptoir.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://user:pass@host/", "http://host"),
    ],
)
def test_origins_are_written_as_browsers_write_them(url: str, origin: str) -> None:
    assert origin_of(url) == origin


async def test_a_form_with_the_session_s_token_passes_and_is_still_read_by_its_endpoint(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.post("/form", data={"amount": "5", "csrf_token": "the-token"})).json() == 5


async def test_a_program_sends_the_token_in_a_header(client: httpx.AsyncClient) -> None:
    assert (await client.post("/plain", json={}, headers={"X-CSRF-Token": "the-token"})).status_code == 200


@pytest.mark.parametrize("data", [{"amount": "5"}, {"amount": "5", "csrf_token": "thé-token"}])
async def test_a_form_without_it_or_with_another_is_refused(client: httpx.AsyncClient, data: dict[str, str]) -> None:
    response = await client.post("/form", data=data)
    assert (response.status_code, response.json()["type"]) == (403, "/problems/form-expired")


async def test_json_without_it_is_refused_even_if_the_body_has_it(client: httpx.AsyncClient) -> None:
    assert (await client.post("/plain", json={"csrf_token": "the-token"})).status_code == 403


async def test_an_uploaded_file_is_no_token(client: httpx.AsyncClient) -> None:
    response = await client.post("/plain", files={"csrf_token": b"the-token"})
    assert response.status_code == 403


async def test_looking_needs_no_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/plain")).status_code == 200
