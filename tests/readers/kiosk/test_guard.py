from __future__ import annotations

import asyncio
import json

import pytest

from readers.kiosk import create_kiosk
from readers.kiosk.guard import BODY_BYTES_MAX
from tests.readers.kiosk.asking import ORIGIN, ask, post
from tests.readers.kiosk.fake_till import FakeTill


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": ORIGIN},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8001"},
        {"origin": "null"},
    ],
)
def test_a_page_from_elsewhere_can_not_command_the_till(headers: dict[str, str]) -> None:
    till = FakeTill()
    reply = post(create_kiosk(till), "/api/sign-out", {}, **headers)
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/cross-origin")
    assert till.calls == []


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": ORIGIN}, {}])
def test_the_staff_screen_and_programs_on_the_device_command_the_till(headers: dict[str, str]) -> None:
    till = FakeTill()
    assert post(create_kiosk(till), "/api/sign-out", {}, **headers).status_code == 200
    assert till.calls == [("sign_out",)]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_command_that_needs_no_preflight_is_refused(kind: str) -> None:
    till = FakeTill()
    reply = ask(create_kiosk(till), "POST", "/api/sign-out", content=b"{}", headers={"content-type": kind})
    assert (reply.status_code, till.calls) == (415, [])


def test_no_preflight_is_ever_granted() -> None:
    headers = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    reply = ask(create_kiosk(FakeTill()), "OPTIONS", "/api/pay", headers=headers)
    assert reply.status_code >= 400
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "base", ["http://elsewhere.example", "http://127.0.0.1.elsewhere.example:8001", "http://10.0.0.7"]
)
def test_a_name_that_was_rebound_to_loopback_is_not_ours(base: str) -> None:
    till = FakeTill()
    kiosk = create_kiosk(till)
    for method, path in (("GET", "/"), ("GET", "/api/screen"), ("POST", "/api/sign-out")):
        assert ask(kiosk, method, path, base=base, json={}).status_code == 400
    assert till.calls == []


@pytest.mark.parametrize("base", [ORIGIN, "http://localhost:8001", "http://[::1]:8001", "http://LOCALHOST"])
def test_loopback_may_be_called_by_each_of_its_names(base: str) -> None:
    assert ask(create_kiosk(FakeTill()), "GET", "/api/screen", base=base).status_code == 200


def test_a_kiosk_for_tablets_answers_to_the_names_it_was_given() -> None:
    kiosk = create_kiosk(FakeTill(), hosts=("till.local",))
    assert ask(kiosk, "GET", "/api/screen", base="http://till.local:8001").status_code == 200
    assert ask(kiosk, "GET", "/api/screen", base=ORIGIN).status_code == 400


def test_a_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    till = FakeTill()
    headers = {"content-type": "application/json"}
    whole = b"{" + b" " * (BODY_BYTES_MAX - 2) + b"}"
    assert ask(create_kiosk(till), "POST", "/api/cancel", content=whole, headers=headers).status_code == 200
    refused = ask(create_kiosk(till), "POST", "/api/cancel", content=whole + b" ", headers=headers)
    assert (refused.status_code, till.calls) == (413, [("cancel",)])


def test_a_body_is_counted_while_it_comes_and_not_read_to_its_end() -> None:
    till, pieces, sent = FakeTill(), [], []

    async def receive() -> dict[str, object]:
        pieces.append(1)
        return {"type": "http.request", "body": b" " * 1024, "more_body": True}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/cancel",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"2")],
    }
    asyncio.run(create_kiosk(till)(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["reason"] == "malformed"
    assert len(pieces) == BODY_BYTES_MAX // 1024 + 1


def test_every_reply_carries_the_headers_that_protect_it() -> None:
    kiosk = create_kiosk(FakeTill())
    for path in ("/", "/api/screen", "/kiosk/main.js", "/static/tokens.css", "/nowhere"):
        headers = ask(kiosk, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
