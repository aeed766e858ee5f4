"""Volunteers' hours: credited once, within the day's cap, and never worth euros."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.issuing.service import credit_shift
from app.ledger.service import Ledger
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.rules.policy import Issue, Limits, Policy
from app.venues.rules import NetworkSettings
from app.venues.service import set_network, the_network
from tests.support.network import CARDS, TEMPS, UNKNOWN_UID, Network, both, problem

pytestmark = pytest.mark.anyio


TWO_HOURS = {"card": CARDS["awa"], "currency": "TEMPS", "minutes": 120, "reason": "Montage de la scène"}


async def credit(network: Network, body: dict[str, object], login: str = "marie", key: object = None) -> httpx.Response:
    path = f"/api/v1/venues/{network.venues['raffinerie'].id}/shifts"
    headers = {"Idempotency-Key": str(key or uuid7())}
    return await (await network.person(login)).post(path, json=body, headers=headers)


@both
async def test_hours_are_on_the_card_and_owed_in_no_euros(network: Network) -> None:
    answer = await credit(network, TWO_HOURS)
    assert (answer.status_code, answer.json()) == (201, {"booked": 1, "balance": 120})
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 120}
    reserve = (await network.get("nadia", "/reserve")).json()
    assert (reserve["liability_cents"], reserve["holds"]) == (0, True)
    assert {it["currency"]: (it["issued"], it["owed_cents"]) for it in reserve["circulation"]} == {
        "RAF": (0, 0),
        "TEMPS": (120, None),
    }


async def test_hours_that_are_owed_are_repaid_first_and_the_balance_says_so(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row("awa", {"Demi": 5}, pay="TEMPS"))
    assert (await credit(network, TWO_HOURS)).json()["balance"] == -30
    assert (await credit(network, TWO_HOURS)).json()["balance"] == 90
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 90}


async def test_the_same_request_again_gets_the_first_answer(network: Network) -> None:
    key = uuid7()
    first = await credit(network, TWO_HOURS, key=key)
    async with network.engine.begin() as connection:
        await set_network(connection, "Les Comptoirs liés", NetworkSettings(shift_max_minutes_per_day=60))
    await network.block("awa")
    again = await credit(network, TWO_HOURS, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    for change, login in (({"minutes": 121}, "marie"), ({"card": CARDS["basile"]}, "marie"), ({}, "nadia")):
        answer = await credit(network, {**TWO_HOURS, **change}, login, key)
        assert problem(answer) == (422, "idempotency-key-reused"), change
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 120}


@both
async def test_a_day_takes_ten_hours_and_no_more(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row("awa", {"Demi": 3}, pay="TEMPS"))
    for minutes, expected in ((300, 201), (301, 409), (300, 201), (1, 409)):
        answer = await credit(network, {**TWO_HOURS, "minutes": minutes})
        assert answer.status_code == expected, minutes
    assert problem(answer) == (409, "daily-cap")
    assert (answer.json()["cap"], answer.json()["credited"]) == (600, 600)
    assert (await credit(network, {**TWO_HOURS, "card": CARDS["basile"]})).status_code == 201, "each card has its own"


async def test_what_makes_no_sense_says_why_and_credits_nothing(network: Network) -> None:
    await network.block("basile")
    for change, expected in (
        ({"card": UNKNOWN_UID}, (404, "card-unknown")),
        ({"card": CARDS["basile"]}, (403, "card-blocked")),
        ({"currency": "RAF"}, (422, "currency-not-accepted")),
        ({"currency": "GALETS"}, (422, "currency-not-accepted")),
        ({"minutes": 0}, (422, "invalid")),
        ({"minutes": 1441}, (422, "invalid")),
        ({"minutes": 1.5}, (422, "invalid")),
        ({"reason": ""}, (422, "invalid")),
        ({"euros": 1}, (422, "invalid")),
    ):
        assert problem(await credit(network, {**TWO_HOURS, **change})) == expected, change
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}


@both
async def test_two_shift_managers_at_once_credit_no_more_than_a_day_takes(network: Network) -> None:
    """Two processes, each with a ledger of its own; ten requests of two hours each, five of which fit."""
    async with network.context.reader.connect() as connection:
        at = await the_network(connection)
    venue, card = network.venues["raffinerie"], network.cards["awa"]
    other = Ledger.open(network.engine, network.settings.sqlalchemy_url, network.context.keys.signing)
    await other.start()

    async def one(ledger: Ledger) -> bool:
        try:
            await credit_shift(ledger, at, venue, card, TEMPS, 120, uuid7(), actor="test", reason="Plonge")
        except DomainError as error:
            return error.code != "daily-cap"
        return True

    try:
        credited = await asyncio.gather(*(one(ledger) for _ in range(5) for ledger in (network.ledger, other)))
    finally:
        await other.stop()
    assert sum(credited) == 5
    assert (await network.holds("awa"))["TEMPS"] == 600


async def test_the_policy_says_who_may_how_much_at_once_and_how_much_a_day(network: Network) -> None:
    assert problem(await credit(network, TWO_HOURS, "lucas")) == (403, "forbidden"), "cashiers do not, by default"
    issue = Issue(roles=("cashier",), per_day=180, per_operation=120)
    await network.rules(TEMPS, Policy(issue=issue, limits=Limits(ceiling=150)))
    assert problem(await credit(network, TWO_HOURS, "marie")) == (403, "forbidden")
    answer = await credit(network, {**TWO_HOURS, "minutes": 121}, "lucas")
    assert (problem(answer), answer.json()["most"]) == ((422, "too-much-at-once"), 120)
    key = uuid7()
    assert (await credit(network, TWO_HOURS, "lucas", key)).status_code == 201
    assert problem(await credit(network, {**TWO_HOURS, "minutes": 31}, "lucas")) == (409, "over-ceiling")
    await network.rules(TEMPS, Policy(issue=issue))
    answer = await credit(network, {**TWO_HOURS, "minutes": 61}, "lucas")
    assert (problem(answer), answer.json()["cap"], answer.json()["credited"]) == ((409, "daily-cap"), 180, 120)
    assert (await credit(network, {**TWO_HOURS, "minutes": 60}, "lucas")).status_code == 201
    booked = (await network.ledger.booked([key]))[key]
    assert booked.policy == "TEMPS@1"
    assert booked.actor == f"person:{await network.hired('lucas')}"
