"""Credit lines: two people, one transaction, and a wallet that may go down so far and no further."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import sqlalchemy as sa

from app.cards.service import wallet_key
from app.identity.tables import audit
from app.issuing.credit_lines import granted_credit
from app.ledger.rules.operations import Operation, Posted, Posting, Refused
from app.rules.ids import uuid7
from tests.app.issuing.conftest import MUTUAL
from tests.support.network import CARDS, Network, both, problem


async def ask(network: Network, credit: int, login: str = "marie", key: Any = None) -> httpx.Response:
    body = {"card": CARDS["awa"], "currency": "BAR", "credit": credit, "reason": "Membre depuis 2019"}
    return await network.post(login, "/credit-lines", body, key)


async def grant(network: Network, id_: str, login: str = "nadia", decision: str = "grant") -> httpx.Response:
    return await network.post(login, f"/credit-lines/{id_}/{decision}")


async def buy(network: Network, amount: int) -> Posted | Refused:
    """Awa owes Basile so much more."""
    keys = [wallet_key(network.cards[name].owner, MUTUAL) for name in ("awa", "basile")]
    awa, basile = await network.ledger.accounts(keys)
    day = network.venues["raffinerie"].day_of(0)
    trade = Operation(uuid7(), "trade", bytes(32), (Posting(awa, basile, amount),), "test", 0, day)
    (outcome,) = await network.ledger.post([trade])
    assert isinstance(outcome, Posted | Refused)
    return outcome


@both
async def test_credit_is_there_when_somebody_else_has_granted_it(rich: Network) -> None:
    asked = await ask(rich, 100_00)
    assert (asked.status_code, asked.json()["state"]) == (201, "asked")
    assert isinstance(await buy(rich, 1), Refused), "nothing changes by asking"
    granted = await grant(rich, asked.json()["id"])
    assert (granted.status_code, granted.json()["state"], granted.json()["policy"]) == (200, "granted", "BAR@0")
    assert isinstance(await buy(rich, 100_00), Posted)
    assert isinstance(await buy(rich, 1), Refused)
    async with rich.engine.connect() as connection:
        wallet = rich.cards["awa"].wallet
        assert await granted_credit(connection, [wallet], "BAR") == {wallet: 100_00}
        acts = (await connection.execute(sa.select(audit).where(audit.c.action.like("credit.%")))).all()
    assert {(it.action, it.actor) for it in acts} == {
        ("credit.ask", f"person:{await rich.hired('marie')}"),
        ("credit.granted", f"person:{await rich.hired('nadia')}"),
    }


async def test_nobody_grants_what_they_asked_for(rich: Network) -> None:
    asked = (await ask(rich, 100_00, "nadia")).json()["id"]
    assert problem(await grant(rich, asked)) == (403, "same-person")
    assert problem(await grant(rich, asked, "marie")) == (403, "forbidden"), "the network decides"
    assert isinstance(await buy(rich, 1), Refused)


async def test_a_decision_is_made_once(rich: Network) -> None:
    key = uuid7()
    asked = (await ask(rich, 100_00, key=key)).json()["id"]
    await rich.person("nadia")
    answers = await asyncio.gather(grant(rich, asked), grant(rich, asked, decision="refuse"))
    assert sorted(it.status_code for it in answers) == [200, 409]
    first = next(it.json()["state"] for it in answers if it.status_code == 200)
    same = "grant" if first == "granted" else "refuse"
    assert (await grant(rich, asked, decision=same)).json()["state"] == first, "the same again changes nothing"
    assert (await ask(rich, 100_00, key=key)).json()["state"] == first
    assert problem(await ask(rich, 200_00, key=key)) == (422, "idempotency-key-reused")


@both
async def test_a_lower_credit_waits_until_the_member_owes_less(rich: Network) -> None:
    await grant(rich, (await ask(rich, 100_00)).json()["id"])
    await buy(rich, 60_00)
    lower = (await ask(rich, 59_99)).json()["id"]
    assert problem(await grant(rich, lower)) == (409, "floor-above-balance")
    shown = (await rich.get("nadia", "/credit-lines")).json()
    assert [(it["credit"], it["state"]) for it in shown] == [(59_99, "asked"), (100_00, "granted")]
    assert (await grant(rich, (await ask(rich, 60_00)).json()["id"])).status_code == 200
    assert isinstance(await buy(rich, 1), Refused)


async def test_other_moneys_give_no_credit(rich: Network) -> None:
    body = {"card": CARDS["awa"], "currency": "RAF", "credit": 1, "reason": "Pourquoi pas"}
    assert problem(await rich.post("nadia", "/credit-lines", body)) == (422, "currency-not-accepted")
    await rich.block("awa")
    assert problem(await ask(rich, 1)) == (403, "card-blocked")
    assert problem(await grant(rich, str(uuid7()))) == (404, "not-found")
