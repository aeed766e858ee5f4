"""Logs from afar: asked for by an admin, sent once by the terminal that was asked, kept for some days."""

from __future__ import annotations

import base64
import gzip
import re
from uuid import UUID

import httpx
import pytest

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.terminals import logs
from app.wire import logs_message
from tests.app.terminals.test_status import report, status
from tests.support.network import Network, Terminal, both, problem
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio
FILE = gzip.compress(b"about\nsold\n")


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def ask(network: Network, bar: Terminal, login: str = "marie") -> httpx.Response:
    client = await network.person(login)
    return await client.post(f"/admin/terminals/{bar.id}", data={"act": "ask_logs"}, headers={"Accept": "text/html"})


async def send(bar: Terminal, request: UUID, content: bytes = FILE, by: Terminal | None = None) -> httpx.Response:
    text = base64.b64encode(content).decode()
    signature = base64.b64encode((by or bar).key.sign(logs_message(bar.id, bar.epoch, request, text))).decode()
    body = {"device": str(bar.id), "epoch": bar.epoch, "request": str(request), "content": text, "signature": signature}
    return await bar.network.client.post("/api/v1/terminals/logs", json=body)


async def asked_of(bar: Terminal) -> UUID | None:
    """What the terminal hears at its next report."""
    told = (await report(bar, status())).json()["logs"]
    return UUID(told) if told else None


@both
async def test_logs_are_asked_for_sent_once_and_downloaded(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    assert await asked_of(bar) is None
    for _ in range(2):
        assert (await ask(network, bar)).status_code == 303
    wanted = await asked_of(bar)
    assert wanted is not None
    page = f"/admin/terminals/{bar.id}?lang=en"
    marie = await network.person("marie")
    waiting = words(await look(marie, page))
    assert waiting.count("Comes at its next report") == 1
    assert (await send(bar, wanted)).status_code == 204
    assert await asked_of(bar) is None
    assert problem(await send(bar, wanted)) == (404, "not-found")
    shown = await look(marie, page)
    assert "asked for by Marie Montreuil" in words(shown)
    (path,) = re.findall(r'href="(/admin/terminals/[^"]+/logs/[^"]+)"', shown.text)
    file = await marie.get(path)
    assert (file.content, file.headers["content-type"]) == (FILE, "application/gzip")
    assert (await (await network.person("yann")).get(path)).status_code == 403


async def test_only_the_terminal_that_was_asked_answers_with_a_gzip_file(network: Network) -> None:
    bar, other = await network.terminal("raffinerie"), await network.terminal("raffinerie", "Other")
    await ask(network, bar)
    wanted = await asked_of(bar)
    assert wanted is not None
    assert problem(await send(other, wanted)) == (404, "not-found")
    assert problem(await send(bar, wanted, by=other)) == (401, "wrong-signature")
    assert problem(await send(bar, wanted, b"<script>")) == (422, "invalid")
    assert problem(await send(bar, uuid7())) == (404, "not-found")
    assert (await send(bar, wanted, FILE + bytes(300_000))).status_code == 422
    assert (await send(bar, wanted)).status_code == 204


async def test_after_some_days_they_are_gone(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = await network.terminal("raffinerie")
    await ask(network, bar)
    wanted = await asked_of(bar)
    assert wanted is not None
    await send(bar, wanted)
    monkeypatch.setattr(logs, "now_us", lambda: now_us() + (logs.KEPT_DAYS * 24 + 1) * 3_600_000_000)
    marie = await network.person("marie")
    assert (await marie.get(f"/admin/terminals/{bar.id}/logs/{wanted}")).status_code == 404
    assert "asked for by" not in words(await look(marie, f"/admin/terminals/{bar.id}?lang=en"))


async def test_only_who_manages_the_venue_asks(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    assert (await ask(network, bar, "yann")).status_code == 403
    assert await asked_of(bar) is None
