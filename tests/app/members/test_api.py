"""Memberships for programs: the rights of the pages, once by the id that is given, and a rate where there is one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.members.tables import consultation, member_term
from app.platform.clock import now_us
from app.rules.ids import uuid7
from tests.support.network import CARDS, Network, both, problem

HERE = "/api/v1/memberships"
HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def plan(venue: UUID | None, price: int = 1500, **more: Any) -> dict[str, Any]:
    names = {"fr": "Amis du lieu", "en": "Friends"}
    return {"venue": venue and str(venue), "names": names, "currency": "RAF", "price": price, "months": 12, **more}


async def made(client: httpx.AsyncClient, body: dict[str, Any]) -> UUID:
    id_ = uuid7()
    answer = await client.put(f"{HERE}/plans/{id_}", json=body)
    assert answer.status_code == 200, answer.text
    return id_


@both
async def test_sold_once_from_the_card_at_the_counter_and_in_the_venues_register_alone(network: Network) -> None:
    marie, yann = await network.person("marie"), await network.person("yann")
    venue = network.venues["raffinerie"].id
    body = plan(venue)
    of = await made(marie, body)
    assert (await marie.put(f"{HERE}/plans/{of}", json=body)).status_code == 200
    other = await marie.put(f"{HERE}/plans/{of}", json={**body, "price": 1600})
    assert problem(other) == (422, "idempotency-key-reused")
    assert (await yann.put(f"{HERE}/plans/{uuid7()}", json=body)).status_code == 403
    assert (await marie.put(f"{HERE}/plans/{uuid7()}", json=plan(None))).status_code == 403
    assert (await marie.put(f"{HERE}/plans/{uuid7()}", json=plan(venue, season_first="2026-01-01"))).status_code == 422
    assert [it["id"] for it in (await marie.get(f"{HERE}/plans")).json()] == [str(of)]
    assert (await yann.get(f"{HERE}/plans")).json() == []

    await network.top_up("awa", 2000)
    term, sale = uuid7(), {"plan": str(of), "card": CARDS["awa"], "name": "Awa Payet"}
    for _ in range(2):
        sold = await marie.put(f"{HERE}/{term}", json=sale)
        assert sold.status_code == 200, sold.text
    assert (sold.json()["state"], sold.json()["standing"]) == ("held", "valid")
    assert (await network.holds("awa"))["RAF"] == 500
    assert problem(await marie.put(f"{HERE}/{uuid7()}", json=sale)) == (402, "insufficient-funds")
    assert problem(await marie.put(f"{HERE}/{uuid7()}", json={**sale, "card": "nobody"})) == (404, "card-unknown")
    assert (await yann.put(f"{HERE}/{uuid7()}", json=sale)).status_code == 404
    assert [it["name"] for it in (await marie.get(f"{HERE}/register")).json()] == ["Awa Payet"]
    assert (await yann.get(f"{HERE}/register")).json() == []
    assert (await yann.get(f"{HERE}/{term}")).status_code == 404

    assert problem(await marie.post(f"{HERE}/{term}/give-back")) == (409, "membership-held")
    ended = await marie.post(f"{HERE}/{term}/cancel", json={"reason": "Twice"})
    assert (ended.json()["state"], ended.json()["reason"]) == ("cancelled", "Twice")
    for _ in range(2):
        assert (await marie.post(f"{HERE}/{term}/give-back")).status_code == 200
    assert (await network.holds("awa"))["RAF"] == 2000
    assert (await marie.post(f"{HERE}/plans/{of}/end")).json()["ended"]
    assert problem(await marie.put(f"{HERE}/{uuid7()}", json=sale)) == (409, "membership-over")


@both
async def test_the_fee_bears_the_rate_and_the_shares_do_not(network: Network) -> None:
    nadia = await network.person("nadia")
    refused = await nadia.put(f"{HERE}/plans/{uuid7()}", json=plan(None, vat=10_001))
    assert refused.status_code == 422
    of = await made(nadia, plan(None, 23_500, shares=10_000, vat=2000))
    await network.top_up("awa", 23_500)
    sale = {"plan": str(of), "card": CARDS["awa"], "name": "Awa"}
    assert (await nadia.put(f"{HERE}/{uuid7()}", json=sale)).status_code == 200
    held = {
        it.key.kind: it.balance for it in await network.ledger.balances(kinds=["capital", "membership_income", "vat"])
    }
    # 135.00 hold 22.50 of tax.
    assert held == {"capital": 10_000, "membership_income": 11_250, "vat": 2_250}
    async with network.engine.connect() as connection:
        (term,) = (await connection.execute(sa.select(member_term.c.id))).scalars()
    operation = (await network.ledger.booked([term]))[term]
    assert '"vat":2000' in operation.details


async def test_members_are_asked_once_and_told_after_the_end(network: Network) -> None:
    nadia, marie = await network.person("nadia"), await network.person("marie")
    of = await made(nadia, plan(None, 1000))
    await network.top_up("awa", 1000)
    assert (
        await nadia.put(f"{HERE}/{uuid7()}", json={"plan": str(of), "card": CARDS["awa"], "name": "Awa"})
    ).status_code == 200
    id_, now = uuid7(), now_us()
    body = {"plan": str(of), "question": "Ouvrir le lundi ?", "answers": ["Oui", "Non"], "anonymous": False}
    body |= {"opens_at_us": now - 1, "closes_at_us": now + HOUR_US}
    path = f"{HERE}/consultations/{id_}"
    for _ in range(2):
        assert (await nadia.put(path, json=body)).status_code == 200
    assert problem(await nadia.put(path, json={**body, "question": "Autre ?"})) == (422, "idempotency-key-reused")
    assert (await marie.put(f"{HERE}/consultations/{uuid7()}", json=body)).status_code == 404
    (told,) = (await nadia.get(f"{HERE}/consultations")).json()
    assert (told["question"], told["entitled"]) == ("Ouvrir le lundi ?", 1)
    assert (await marie.get(f"{HERE}/consultations")).json() == []
    assert problem(await nadia.get(f"{path}/result")) == (409, "consultation-open")
    async with network.engine.begin() as connection:
        past = now_us() - 1
        await connection.execute(sa.update(consultation).values(opens_at_us=past - HOUR_US, closes_at_us=past))
    result = (await nadia.get(f"{path}/result")).json()
    assert (result["counts"][0], result["entitled"], result["quorum_reached"]) == (
        {"answer": "Oui", "votes": 0},
        1,
        False,
    )
    assert (await marie.get(f"{path}/result")).status_code == 404
