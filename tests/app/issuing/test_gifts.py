"""Gifts for many cards: each its own operation, all under one batch that can be sent again."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from app.issuing.rules import part_id
from app.rules.ids import uuid7
from app.rules.policy import Issue, Policy
from tests.support.network import CARDS, GIFT, Network, both, problem

MANAGERS = ("network_admin", "venue_admin")


def batch(*cards: str, amount: int = 500, **more: object) -> dict[str, Any]:
    named = [{"card": it} for it in cards]
    return {"currency": "GIFT", "amount": amount, "reason": "Merci", "cards": named, **more}


async def gifts_of(network: Network) -> list[int]:
    return [(await network.holds(name))["GIFT"] for name in CARDS]


@both
async def test_each_card_gets_its_gift_as_an_operation_of_its_own(rich: Network) -> None:
    key = uuid7()
    body = batch(CARDS["awa"], "Carte de basile")
    body["cards"].append({"card": "carte de camille", "amount": 250})
    answer = await rich.post("nadia", "/gifts", body, key)
    assert answer.status_code == 200, answer.text
    assert [(it["label"], it["amount"], it["refused"]) for it in answer.json()] == [
        ("Carte de awa", 500, None),
        ("Carte de basile", 500, None),
        ("Carte de camille", 250, None),
    ]
    assert await gifts_of(rich) == [500, 500, 250]
    booked = (await rich.ledger.booked([part_id(key, CARDS["awa"])])).popitem()[1]
    assert (booked.kind, booked.policy) == ("gift", "GIFT@0")
    assert booked.actor == f"person:{await rich.hired('nadia')}"
    assert str(key) in booked.details


@both
async def test_the_same_batch_again_and_at_once_gives_nothing_twice(rich: Network) -> None:
    key, body = uuid7(), batch(CARDS["awa"], CARDS["basile"])
    await rich.person("nadia")
    answers = await asyncio.gather(*(rich.post("nadia", "/gifts", body, key) for _ in range(3)))
    assert {it.status_code for it in answers} == {200}
    assert await gifts_of(rich) == [500, 500, 0]
    changed = await rich.post("nadia", "/gifts", batch(CARDS["awa"], CARDS["camille"]), key)
    assert problem(changed) == (422, "idempotency-key-reused")


async def test_a_batch_that_stopped_halfway_goes_on_where_it_stopped(rich: Network) -> None:
    """As if the process had been killed between two operations: one of them is in the ledger."""
    key, body = uuid7(), batch(*CARDS.values())
    assert (await rich.post("nadia", "/gifts", body, key)).status_code == 200
    await rich.block("basile")
    again = await rich.post("nadia", "/gifts", body, key)
    assert again.status_code == 200, "what was promised is kept, card blocked or not"
    assert await gifts_of(rich) == [500, 500, 500]


async def test_a_list_with_a_wrong_card_gives_nothing_and_says_which(rich: Network) -> None:
    await rich.block("camille")
    body = batch(CARDS["awa"], "personne", CARDS["camille"], "Carte de awa", "Carte")
    answer = await rich.post("nadia", "/gifts", body)
    assert problem(answer) == (422, "cards-not-understood")
    assert [(it["line"], it["trouble"]) for it in answer.json()["lines"]] == [
        (2, "unknown"),
        (3, "blocked"),
        (4, "twice"),
        (5, "ambiguous"),
    ]
    assert await gifts_of(rich) == [0, 0, 0]


async def test_the_rules_bound_what_a_card_gets_on_one_day(rich: Network) -> None:
    await rich.rules(GIFT, Policy(issue=Issue(roles=MANAGERS, per_day=700, per_operation=600)))
    answer = await rich.post("nadia", "/gifts", batch(CARDS["awa"], amount=601))
    assert [it["trouble"] for it in answer.json()["lines"]] == ["too-much"]
    await rich.post("nadia", "/gifts", batch(CARDS["awa"]))
    answer = await rich.post("nadia", "/gifts", batch(CARDS["awa"], CARDS["basile"]))
    assert [it["refused"] for it in answer.json()] == ["daily-cap", None]
    assert await gifts_of(rich) == [500, 500, 0]


async def test_who_gives_is_for_the_rules_to_say(rich: Network) -> None:
    venue = str(rich.venues["raffinerie"].id)
    one = batch(CARDS["awa"])
    assert problem(await rich.post("marie", "/gifts", one)) == (403, "forbidden"), "not for the network"
    assert problem(await rich.post("lucas", "/gifts", {**one, "venue": venue})) == (403, "forbidden")
    assert problem(await rich.post("yann", "/gifts", {**one, "venue": venue})) == (403, "forbidden")
    assert (await rich.post("marie", "/gifts", {**one, "venue": venue})).status_code == 200
    assert problem(await rich.post("nadia", "/gifts", {**one, "currency": "TEMPS"})) == (422, "currency-not-accepted")


def test_the_ids_of_a_batch_do_not_change() -> None:
    assert part_id(UUID(int=1), "04A0") == part_id(UUID(int=1), "04A0") != part_id(UUID(int=2), "04A0")
