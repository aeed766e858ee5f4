"""Signing in and out in a browser."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, Response

from app.identity.cookie import COOKIE
from app.identity.destinations import HOME, LENGTH_MAX, safe_next, sign_in_first
from app.platform.http_problems import ProblemDetails, install_problems

from .conftest import PASSWORD

pytestmark = pytest.mark.anyio

GOOD = {"login": "marie", "password": PASSWORD}
BROWSER = {"accept": "text/html", "accept-language": "en", "sec-fetch-site": "same-origin"}


@pytest.fixture
def database_kind() -> str:
    """What is said over HTTP does not depend on the database; test_service.py runs on both."""
    return "sqlite"


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    def page(_request: Request, problem: ProblemDetails) -> Response:
        return HTMLResponse(problem.kind.title, problem.kind.status)

    install_problems(app, page)
    return app


@pytest.fixture
def browser(client: httpx.AsyncClient) -> httpx.AsyncClient:
    client.headers.update(BROWSER)
    return client


async def test_the_page_asks_in_the_visitor_s_language(browser: httpx.AsyncClient) -> None:
    assert '<h1 id="sign-in">Sign in</h1>' in (await browser.get("/sign-in")).text
    french = await browser.get("/sign-in", headers={"accept-language": "fr"})
    assert "Mot de passe" in french.text


async def test_signing_in_leads_on_to_where_one_was_going(browser: httpx.AsyncClient, marie: UUID) -> None:
    page = await browser.get("/sign-in", params={"next": "/venues/1?day=2026-11-21"})
    assert 'name="next" value="/venues/1?day=2026-11-21"' in page.text
    response = await browser.post("/sign-in", data={**GOOD, "next": "/venues/1?day=2026-11-21"})
    assert (response.status_code, response.headers["location"]) == (303, "/venues/1?day=2026-11-21")
    assert "HttpOnly" in response.headers["set-cookie"]


async def test_who_is_signed_in_already_is_led_on_at_once(browser: httpx.AsyncClient, marie: UUID) -> None:
    await browser.post("/sign-in", data=GOOD)
    response = await browser.get("/sign-in", params={"next": "/venues/1"})
    assert (response.status_code, response.headers["location"]) == (303, "/venues/1")


@pytest.mark.parametrize("given", [{"password": "wrong"}, {"login": "nobody"}, {"password": ""}])
async def test_what_is_wrong_is_not_told_and_the_login_stays_typed(
    browser: httpx.AsyncClient, marie: UUID, given: dict[str, str]
) -> None:
    data = GOOD | given
    response = await browser.post("/sign-in", data={**data, "next": "/venues/1"})
    assert response.status_code == 401
    assert "Login or password is not right. Check both and try again." in response.text
    assert f'value="{data["login"]}"' in response.text
    assert 'name="next" value="/venues/1"' in response.text
    assert not data["password"] or data["password"] not in response.text
    assert "set-cookie" not in response.headers


async def test_what_was_typed_cannot_break_the_page(browser: httpx.AsyncClient) -> None:
    response = await browser.post("/sign-in", data={"login": '"><script>alert(1)</script>', "password": "x"})
    assert "<script>" not in response.text


async def test_the_sixth_try_for_a_login_waits(browser: httpx.AsyncClient, marie: UUID) -> None:
    for _ in range(5):
        await browser.post("/sign-in", data={**GOOD, "password": "wrong"})
    response = await browser.post("/sign-in", data=GOOD)
    assert response.status_code == 429
    assert re.search(r"Too many tries\. Wait \d+ seconds?, then try again\.", response.text)
    assert int(response.headers["retry-after"]) > 0


async def test_page_and_api_count_together(browser: httpx.AsyncClient, marie: UUID) -> None:
    for _ in range(5):
        await browser.post("/api/v1/sessions", json={**GOOD, "password": "wrong"})
    assert (await browser.post("/sign-in", data=GOOD)).status_code == 429


async def test_another_website_cannot_sign_a_visitor_in(browser: httpx.AsyncClient, marie: UUID) -> None:
    response = await browser.post("/sign-in", data=GOOD, headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


async def test_signing_out_asks_and_then_ends_the_session(browser: httpx.AsyncClient, marie: UUID) -> None:
    await browser.post("/sign-in", data=GOOD)
    token = browser.cookies[COOKIE]
    page = await browser.get("/sign-out")
    assert "You are signed in as Marie Curie." in page.text
    [csrf] = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)
    assert (await browser.post("/sign-out")).status_code == 403
    response = await browser.post("/sign-out", data={"csrf_token": csrf})
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, token)
    assert (await browser.get("/sign-out")).headers["location"] == "/sign-in?next=/sign-out"


async def test_a_browser_that_is_not_signed_in_is_led_to_the_page_and_back(browser: httpx.AsyncClient) -> None:
    response = await browser.get("/sign-out?x=a b&y=//z")
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in?next=/sign-out%3Fx%3Da%2520b%26y%3D//z"
    assert response.headers["cache-control"] == "no-store"


async def test_a_form_sent_after_the_session_ended_is_told_so_and_not_repeated(browser: httpx.AsyncClient) -> None:
    response = await browser.post("/sign-out", data={})
    assert (response.status_code, response.text) == (401, "You are not signed in")


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/sign-in?next=/",
        "/sign-out",
        "/" + "x" * LENGTH_MAX,
    ],
)
def test_addresses_elsewhere_lead_home(asked: str | None) -> None:
    assert safe_next(asked) == HOME


@pytest.mark.parametrize("asked", ["/", "/venues/1", "/venues/1?day=2026-11-21#claims", "/c/é"])
def test_addresses_of_ours_stay(asked: str) -> None:
    assert safe_next(asked) == asked


@given(st.text(alphabet="/\\:.?#@ \t\nevil%", max_size=12))
def test_nothing_leads_to_another_host(asked: str) -> None:
    joined = httpx.URL("http://server.test/").join(safe_next(asked))
    assert joined.host == "server.test"


def test_the_way_back_survives_the_sign_in_page() -> None:
    url = httpx.URL("http://server.test").join(sign_in_first("/venues/1?a=b&next=//evil.example"))
    assert dict(url.params) == {"next": "/venues/1?a=b&next=//evil.example"}
