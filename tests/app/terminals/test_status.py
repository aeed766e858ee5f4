"""What terminals tell of themselves: only what they signed is kept, and it is what the fleet's page shows."""

from __future__ import annotations

import base64
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.platform.clock import now_us
from app.terminals.fleet import own_version
from app.wire import TerminalStatus, status_message
from app.wire.status import STATUS_CHARS_MAX
from tests.support.network import Network, Terminal, problem
from tests.support.pages import look, words

HERE = "/admin/terminals"


def status(**told: Any) -> str:
    facts = {"version": own_version(), "at_us": now_us(), "running_s": 60, "waiting": 0, "reader": "ok"}
    return TerminalStatus(**{**facts, "snapshot_age_s": 3, **told}).model_dump_json()


async def report(
    bar: Terminal, text: str, *, epoch: int | None = None, key: Ed25519PrivateKey | None = None
) -> httpx.Response:
    epoch = epoch or bar.epoch
    signature = base64.b64encode((key or bar.key).sign(status_message(bar.id, epoch, text))).decode()
    body = {"device": str(bar.id), "epoch": epoch, "status": text, "signature": signature}
    return await bar.network.client.post("/api/v1/terminals/status", json=body)


async def test_what_it_tells_is_kept_and_shown(network: Network) -> None:
    bar = await network.terminal("raffinerie", "Terrasse")
    told = status(waiting=4, disk_free_mb=50, disk_total_mb=32_000, temperature_c=61, at_us=now_us() + 90_000_000)
    answer = await report(bar, told)
    assert answer.json()["standing"] == "active"
    (listed,) = (await network.get("marie", "/terminals")).json()
    assert (listed["waiting"], listed["version"]) == (4, own_version())
    assert 89_000 <= listed["skew_ms"] <= 90_000
    marie = await network.person("marie")
    page = words(await look(marie, f"{HERE}?lang=en"))
    assert "1 of 1 terminals needs you now" in page
    assert "Terrasse Cannot sell now" in page
    assert "Its memory card is full: 50 MB left" in page
    one = words(await look(marie, f"{HERE}/{bar.id}?lang=en"))
    assert "50 of 32000 MB" in one
    assert "61 °C" in one
    assert "Fast by 1 min" in one


async def test_the_last_word_counts(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    for reader in ("lost", "ok"):
        assert (await report(bar, status(reader=reader))).status_code == 200
    page = (await (await network.person("marie")).get(f"{HERE}/now?lang=en")).text
    assert "No card reader" not in page
    assert "1 terminal, and it needs nobody now" in page


async def test_what_the_device_did_not_sign_is_not_heard(network: Network) -> None:
    bar, other = await network.terminal("raffinerie"), await network.terminal("canal")
    answer = await report(bar, status(), key=other.key)
    assert problem(answer) == (401, "wrong-signature")
    text = status()
    signature = base64.b64encode(bar.key.sign(status_message(bar.id, 1, text))).decode()
    body = {"device": str(bar.id), "epoch": 1, "status": text.replace("ok", "ok "), "signature": signature}
    assert problem(await network.client.post("/api/v1/terminals/status", json=body)) == (401, "wrong-signature")


async def test_a_text_that_is_no_status_or_too_long_is_not_kept(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    for text in ("", "[]", '{"holder": "Awa"}', status()[:-1] + ', "card": "04A0000000A001"}'):
        assert problem(await report(bar, text)) == (422, "invalid"), text
    assert (await report(bar, " " * (STATUS_CHARS_MAX + 1))).status_code == 422
    assert "has not told how it is yet" in words(await look(await network.person("marie"), f"{HERE}?lang=en")).lower()


async def test_one_that_was_revoked_is_answered_and_heard(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    await network.post("marie", f"/terminals/{bar.id}/revoke")
    answer = await report(bar, status(waiting=3, halted="revoked"))
    assert answer.json()["standing"] == "revoked"
    page = words(await look(await network.person("marie"), f"{HERE}?lang=en"))
    assert "Had sales to send when it was revoked: 3" in page


async def test_a_copy_that_was_replaced_says_nothing_for_its_successor(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    answer = await network.post(
        "nadia", f"/venues/{bar.venue.id}/pairing-codes", {"name": "x", "terminal": str(bar.id)}
    )
    await network.pair(answer.json()["code"], bar.key)
    assert (await report(bar, status(reader="lost"), epoch=1)).status_code == 200
    assert "No card reader" not in words(await look(await network.person("marie"), f"{HERE}?lang=en"))


async def test_a_terminal_of_another_venue_is_out_of_reach(network: Network) -> None:
    theirs = await network.terminal("canal")
    marie = await network.person("marie")
    for path in (f"{HERE}/{theirs.id}", f"{HERE}/{theirs.id}/now"):
        assert (await marie.get(path)).status_code == 403
