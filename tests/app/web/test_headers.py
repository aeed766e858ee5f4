"""The headers that keep pages to themselves."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.web import SecurityHeaders
from app.web.headers import content_security_policy
from tests.app.web.browser import Browser


def plain(request: Request) -> PlainTextResponse:
    own = {"Referrer-Policy": "origin"} if "own" in request.query_params else {}
    return PlainTextResponse("ok", headers=own)


@pytest.fixture
def client() -> Browser:
    app = Starlette(routes=[Route("/c/{token}", plain), Route("/admin", plain)])
    return Browser(SecurityHeaders(app, secret_paths=["/c/"], form_targets=["https://pay.example"]))


def test_nothing_inline_and_nothing_from_elsewhere_runs() -> None:
    policy = dict(part.split(" ", 1) for part in content_security_policy().split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not any(word in " ".join(policy.values()) for word in ("unsafe", "http", "*"))


@pytest.mark.parametrize("path", ["/admin", "/c/secret", "/nowhere"])
def test_every_response_carries_the_headers(client: Browser, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_an_address_that_is_a_key_is_never_told_to_anyone(client: Browser) -> None:
    assert client.get("/c/secret").headers["referrer-policy"] == "no-referrer"
    assert client.get("/admin").headers["referrer-policy"] == "same-origin"


def test_a_response_keeps_the_headers_it_sets_itself(client: Browser) -> None:
    assert client.get("/c/secret?own").headers["referrer-policy"] == "origin"


def test_a_form_may_end_at_the_payment_provider_only_when_named(client: Browser) -> None:
    assert "form-action 'self' https://pay.example;" in client.get("/admin").headers["content-security-policy"]
    assert "form-action 'self';" in content_security_policy()
