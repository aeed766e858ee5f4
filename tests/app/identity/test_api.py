"""Sessions over HTTP, for programs."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from app.identity.cookie import COOKIE

from .conftest import GUINGUETTE, PASSWORD, RAFFINERIE

pytestmark = pytest.mark.anyio

GOOD = {"login": "marie", "password": PASSWORD}


@pytest.fixture
def database_kind() -> str:
    """What is said over HTTP does not depend on the database; test_service.py runs on both."""
    return "sqlite"


async def test_signing_in_sets_a_cookie_that_scripts_cannot_read(client: httpx.AsyncClient, marie: UUID) -> None:
    response = await client.post("/api/v1/sessions", json=GOOD)
    assert response.status_code == 201
    assert response.json()["person"] == str(marie)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert client.cookies[COOKIE] not in response.text


async def test_over_https_the_cookie_stays_on_https(app: FastAPI, marie: UUID) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://server.test") as client:
        assert "Secure" in (await client.post("/api/v1/sessions", json=GOOD)).headers["set-cookie"]


async def test_me_tells_who_i_am_and_what_i_may(client: httpx.AsyncClient, marie: UUID) -> None:
    csrf = (await client.post("/api/v1/sessions", json=GOOD)).json()["csrf"]
    me = (await client.get("/api/v1/me")).json()
    assert me == {
        "person": str(marie),
        "name": "Marie Curie",
        "login": "marie",
        "grants": [
            {"role": "cashier", "venue": str(RAFFINERIE)},
            {"role": "venue_admin", "venue": str(GUINGUETTE)},
        ],
        "csrf": csrf,
    }


@pytest.mark.parametrize("body", [{**GOOD, "password": "wrong"}, {**GOOD, "login": "nobody"}])
async def test_wrong_login_and_wrong_password_answer_alike(
    client: httpx.AsyncClient, marie: UUID, body: dict[str, str]
) -> None:
    response = await client.post("/api/v1/sessions", json=body)
    assert (response.status_code, response.json()["type"]) == (401, "/problems/wrong-credentials")
    assert response.json()["detail"] == "Login or password is not right."
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("body", [{}, {"login": "marie"}, {**GOOD, "extra": 1}, {**GOOD, "login": "m" * 65}])
async def test_a_wrong_body_is_told_without_the_password(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    response = await client.post("/api/v1/sessions", json=body)
    assert response.status_code == 422
    assert PASSWORD not in response.text


async def test_five_tries_a_minute_for_a_login(client: httpx.AsyncClient, marie: UUID) -> None:
    bad = {**GOOD, "password": "wrong"}
    assert [(await client.post("/api/v1/sessions", json=bad)).status_code for _ in range(5)] == [401] * 5
    refused = await client.post("/api/v1/sessions", json={**GOOD, "login": "MARIE"})
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert int(refused.headers["retry-after"]) > 0
    other = await client.post("/api/v1/sessions", json={**GOOD, "login": "jean"})
    assert other.status_code == 401


async def test_twenty_tries_a_minute_from_an_address(client: httpx.AsyncClient) -> None:
    statuses = [
        (await client.post("/api/v1/sessions", json={"login": f"someone{n}", "password": "x"})).status_code
        for n in range(21)
    ]
    assert statuses == [401] * 20 + [429]


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(client: httpx.AsyncClient, marie: UUID) -> None:
    csrf = (await client.post("/api/v1/sessions", json=GOOD)).json()["csrf"]
    stale = client.cookies[COOKIE]
    response = await client.delete("/api/v1/sessions/current", headers={"X-CSRF-Token": csrf})
    assert response.status_code == 204
    assert COOKIE not in client.cookies
    client.cookies.set(COOKIE, stale)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_signing_out_needs_the_session_s_token(client: httpx.AsyncClient, marie: UUID) -> None:
    await client.post("/api/v1/sessions", json=GOOD)
    assert (await client.delete("/api/v1/sessions/current")).json()["type"] == "/problems/form-expired"
    assert (await client.get("/api/v1/me")).status_code == 200


async def test_sessions_are_listed_and_ended(app: FastAPI, client: httpx.AsyncClient, marie: UUID) -> None:
    csrf = (await client.post("/api/v1/sessions", json=GOOD)).json()["csrf"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server.test") as other:
        await other.post("/api/v1/sessions", json=GOOD, headers={"user-agent": "Phone"})
        listed = (await client.get("/api/v1/sessions")).json()
        assert sorted((one["current"], one["user_agent"][:5]) for one in listed) == [
            (False, "Phone"),
            (True, "pytho"),
        ]
        phone = next(one["id"] for one in listed if not one["current"])
        ended = await client.delete(f"/api/v1/sessions/{phone}", headers={"X-CSRF-Token": csrf})
        assert ended.status_code == 204
        assert (await other.get("/api/v1/me")).status_code == 401
    again = await client.delete(f"/api/v1/sessions/{phone}", headers={"X-CSRF-Token": csrf})
    assert again.status_code == 404


async def test_changing_the_password(client: httpx.AsyncClient, marie: UUID) -> None:
    csrf = {"X-CSRF-Token": (await client.post("/api/v1/sessions", json=GOOD)).json()["csrf"]}
    wrong = {"current": "wrong", "new": "another good password"}
    assert (await client.post("/api/v1/me/password", json=wrong, headers=csrf)).status_code == 401
    right = {"current": PASSWORD, "new": "another good password"}
    assert (await client.post("/api/v1/me/password", json=right, headers=csrf)).status_code == 204
    assert (await client.post("/api/v1/sessions", json=GOOD)).status_code == 401


async def test_programs_are_not_led_to_a_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/me", headers={"accept": "text/html"})
    assert (response.status_code, response.json()["type"]) == (401, "/problems/not-signed-in")
