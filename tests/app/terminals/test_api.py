"""Pairing with a one-time code, tokens signed for by the device, and terminals that may sell no more."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.platform.clock import now_us
from app.terminals import service
from app.wire import token_message
from tests.support.network import Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


DAY_US = 24 * 3600 * 1_000_000


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


async def code_for(network: Network, slug: str = "raffinerie", **body: object) -> str:
    answer = await network.post("nadia", f"/venues/{network.venues[slug].id}/pairing-codes", {"name": "Bar", **body})
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


async def redeem(network: Network, code: str, **change: object) -> httpx.Response:
    body = {"code": code, "public_key": public(Ed25519PrivateKey.generate()), "version": "0.1.0", **change}
    return await network.client.post("/api/v1/terminals/pair", json=body)


async def ask_token(network: Network, terminal: Terminal, signed_at_us: int, **change: object) -> httpx.Response:
    signature = base64.b64encode(terminal.key.sign(token_message(terminal.id, signed_at_us))).decode()
    body = {"device": str(terminal.id), "at_us": signed_at_us, "signature": signature, **change}
    return await network.client.post("/api/v1/terminals/token", json=body)


class TestPairing:
    async def test_a_code_makes_a_terminal_of_its_venue_that_can_sell(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        answer = await redeem(network, await code_for(network))
        paired: dict[str, Any] = answer.json()
        assert answer.status_code == 201
        assert (paired["name"], paired["venue_name"], paired["epoch"]) == ("Bar", "Raffinerie", 1)
        assert paired["server_key"] == network.context.keys.public_key
        (listed,) = (await network.get("marie", "/terminals")).json()
        assert (listed["id"], listed["status"], listed["version"]) == (paired["device"], "active", "0.1.0")

    async def test_a_code_is_read_as_people_type_it(self, network: Network) -> None:
        code = await code_for(network)
        assert (await redeem(network, f" {code.lower().replace('-', ' ')}")).status_code == 201

    @both
    async def test_a_code_serves_once_and_for_an_hour(self, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
        code, other = await code_for(network), await code_for(network)
        assert (await redeem(network, code)).status_code == 201
        assert problem(await redeem(network, code)) == (404, "pairing-code-unknown")
        assert problem(await redeem(network, "ABCD-EFGH")) == (404, "pairing-code-unknown")
        monkeypatch.setattr(service, "now_us", lambda: now_us() + service.CODE_LIFETIME_US + 1_000_000)
        assert problem(await redeem(network, other)) == (404, "pairing-code-unknown")

    async def test_a_key_that_is_none_does_not_use_the_code_up(self, network: Network) -> None:
        code = await code_for(network)
        for key in ("", "no base64", base64.b64encode(bytes(31)).decode()):
            assert problem(await redeem(network, code, public_key=key)) == (422, "invalid"), key
        assert (await redeem(network, code)).status_code == 201

    async def test_guessing_codes_is_slow(self, network: Network) -> None:
        answers = [(await redeem(network, f"AAAA-{number:04d}")).status_code for number in range(21)]
        assert answers == [404] * 20 + [429]

    @both
    async def test_pairing_again_opens_a_new_epoch_with_the_new_key_alone(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        again = await network.pair(await code_for(network, terminal=str(bar.id)))
        assert (again.id, again.epoch) == (bar.id, 2)
        assert problem(await bar.snapshot()) == (401, "terminal-revoked")
        assert problem(await ask_token(network, bar, now_us())) == (401, "wrong-signature")
        assert (await again.snapshot()).status_code == 200

    async def test_pairing_a_terminal_again_is_for_its_own_venue(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        body = {"name": "Mine now", "terminal": str(bar.id)}
        path = f"/venues/{network.venues['canal'].id}/pairing-codes"
        assert problem(await network.post("yann", path, body)) == (404, "not-found")
        assert problem(await network.post("nadia", path, {**body, "terminal": str(uuid4())})) == (404, "not-found")
        assert (await bar.snapshot()).status_code == 200

    async def test_codes_for_a_venue_that_is_not_there(self, network: Network) -> None:
        answer = await network.post("nadia", f"/venues/{uuid4()}/pairing-codes", {"name": "Bar"})
        assert problem(answer) == (404, "not-found")


class TestTokens:
    async def test_a_signature_over_the_time_gets_a_token_that_opens(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        answer = await ask_token(network, bar, now_us())
        assert answer.status_code == 200
        assert 0 < answer.json()["expires_at_us"] - now_us() <= service.TOKEN_LIFETIME_US
        bar.token = answer.json()["token"]
        assert (await bar.snapshot()).status_code == 200

    async def test_a_signature_of_somebody_else_or_over_something_else_gets_none(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        for change in ({"at_us": now_us() - 1}, {"signature": ""}, {"signature": "=="}, {"device": str(uuid4())}):
            status, _ = problem(await ask_token(network, bar, now_us(), **change))
            assert status == 401, change

    async def test_an_old_signature_gets_none(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        for at_us in (now_us() - 2 * DAY_US, now_us() + 2 * DAY_US):
            answer = await ask_token(network, bar, at_us)
            assert problem(answer) == (401, "wrong-signature")
            assert "clock" in answer.json()["detail"]

    async def test_a_revoked_terminal_gets_none(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        await network.post("marie", f"/terminals/{bar.id}/revoke")
        assert problem(await ask_token(network, bar, now_us())) == (401, "terminal-revoked")

    async def test_a_token_ends(self, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
        bar = await network.terminal("raffinerie")
        monkeypatch.setattr("app.platform.clock.now_us", lambda: now_us() + service.TOKEN_LIFETIME_US + 1_000_000)
        assert problem(await bar.snapshot()) == (401, "token-expired")


class TestFleet:
    async def test_each_sees_the_terminals_of_their_venues(self, network: Network) -> None:
        bar, till = await network.terminal("raffinerie"), await network.terminal("canal")
        for login, ids in (("nadia", {bar.id, till.id}), ("marie", {bar.id}), ("yann", {till.id})):
            listed = (await network.get(login, "/terminals")).json()
            assert {it["id"] for it in listed} == {str(id_) for id_ in ids}, login

    async def test_what_a_terminal_says_of_itself_is_shown(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        await bar.sync(bar.journal.batch(waiting=7).model_copy(update={"sent_at_us": now_us() + 90_000_000}))
        (listed,) = (await network.get("marie", "/terminals")).json()
        assert listed["waiting"] == 7
        assert 85_000 < listed["skew_ms"] < 90_001

    async def test_revoking_is_for_the_terminal_s_own_venue(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        assert problem(await network.post("yann", f"/terminals/{bar.id}/revoke")) == (403, "forbidden")
        assert problem(await network.post("nadia", f"/terminals/{uuid4()}/revoke")) == (404, "not-found")
        assert (await bar.snapshot()).status_code == 200
