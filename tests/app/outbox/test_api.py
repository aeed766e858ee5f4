"""Webhooks and event streams over HTTP: who may, what is shown, what is refused."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.identity.tables import audit
from app.outbox import service
from app.platform.settings import Settings
from tests.support.network import Network, problem

pytestmark = pytest.mark.anyio

NETWORK, MARIE = "nadia", "marie"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"webhooks_private": True})


async def add(network: Network, **body: Any) -> dict[str, Any]:
    answer = await network.post(NETWORK, "/webhooks", {"url": URL, **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_webhook_is_added_and_its_secret_is_shown_once(network: Network) -> None:
    made = await add(network)
    assert made["secret"].startswith("whsec_")
    assert (made["webhook"]["state"], made["webhook"]["cursor"], made["webhook"]["behind"]) == ("active", 0, 0)
    listed = await network.get(NETWORK, "/webhooks")
    assert [it["id"] for it in listed.json()] == [made["webhook"]["id"]]
    assert made["secret"] not in listed.text
    replaced = await network.post(NETWORK, f"/webhooks/{made['webhook']['id']}/secret", {"overlap_s": 0})
    assert replaced.json()["secret"] not in {made["secret"], ""}


async def test_a_webhook_is_paused_resumed_and_deleted_and_each_act_is_recorded(network: Network) -> None:
    id_ = (await add(network))["webhook"]["id"]
    assert (await network.post(NETWORK, f"/webhooks/{id_}/pause")).json()["state"] == "paused"
    await network.top_up("awa", 100)
    (listed,) = (await network.get(NETWORK, "/webhooks")).json()
    assert (listed["state"], listed["behind"]) == ("paused", 1)
    assert (await network.post(NETWORK, f"/webhooks/{id_}/resume")).json()["state"] == "active"
    await network.post(NETWORK, f"/webhooks/{id_}/secret", {})
    client = await network.person(NETWORK)
    assert (await client.delete(f"/api/v1/webhooks/{id_}")).status_code == 204
    assert (await network.get(NETWORK, "/webhooks")).json() == []
    async with network.engine.connect() as connection:
        rows = await connection.execute(sa.select(audit).where(audit.c.subject == f"webhook:{id_}"))
        acts = [(row.action, row.actor) for row in sorted(rows, key=lambda row: row.at_us)]
    assert [act for act, _ in acts] == [
        f"webhook.{name}" for name in ("add", "pause", "resume", "rotate-secret", "delete")
    ]
    assert all(actor.startswith("person:") for _, actor in acts)


async def test_only_the_networks_admins_keep_webhooks(network: Network) -> None:
    id_ = (await add(network))["webhook"]["id"]
    for login in (MARIE, "lucas"):
        assert problem(await network.get(login, "/webhooks")) == (403, "forbidden")
        assert problem(await network.post(login, "/webhooks", {"url": URL})) == (403, "forbidden")
        for act in ("pause", "resume", "secret"):
            assert problem(await network.post(login, f"/webhooks/{id_}/{act}", {})) == (403, "forbidden")
        client = await network.person(login)
        assert problem(await client.delete(f"/api/v1/webhooks/{id_}")) == (403, "forbidden")
    assert problem(await network.client.get("/api/v1/operations/events")) == (401, "not-signed-in")
    assert problem(await network.get("lucas", "/operations/events")) == (403, "forbidden")


async def test_what_makes_no_sense_is_refused(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (
        {"url": "http://10.0.0.1/"},
        {"url": "ftp://books.example/"},
        {"url": ""},
        {"url": URL, "after": 1},
        {"url": URL, "after": -1},
        {"url": URL, "secret": "mine"},
    ):
        assert problem(await network.post(NETWORK, "/webhooks", body)) == (422, "invalid"), body
    nobody = uuid4()
    for act in ("pause", "resume", "secret"):
        assert problem(await network.post(NETWORK, f"/webhooks/{nobody}/{act}", {})) == (404, "not-found")
    await add(network)
    assert problem(await network.post(NETWORK, "/webhooks", {"url": URL})) == (409, "conflict")
    monkeypatch.setattr(service, "WEBHOOKS_MAX", 1)
    assert problem(await network.post(NETWORK, "/webhooks", {"url": f"{URL}/2"})) == (409, "conflict")


async def test_a_stream_does_not_begin_ahead_of_what_is_booked(network: Network) -> None:
    client = await network.person(NETWORK)
    for asked in ({"after": "1"}, {"after": "-1"}, {"after": str(2**63)}):
        answer = await client.get("/api/v1/operations/events", params=asked)
        assert problem(answer) == (422, "invalid")
    for sent in ("1", "x", "9" * 40, "-1", "²"):
        answer = await client.get("/api/v1/operations/events", headers={"Last-Event-ID": sent.encode()})
        assert problem(answer) == (422, "invalid"), sent


async def test_the_description_of_the_api_shows_an_operation(network: Network) -> None:
    described = (await network.client.get("/api/v1/openapi.json")).json()
    assert described["components"]["schemas"]["OperationShown"]["examples"][0]["transfers"]
    paths = described["paths"]
    assert "text/event-stream" in paths["/api/v1/operations/events"]["get"]["responses"]["200"]["content"]
    assert "text/csv" in json.dumps(paths["/api/v1/accounts/{account}/statement.csv"])
