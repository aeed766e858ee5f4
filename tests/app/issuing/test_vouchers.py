"""Vouchers: money set aside behind a code, put on one card once, or withdrawn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.issuing import vouchers
from app.issuing.due import lapse_vouchers
from app.issuing.service import terms_of
from app.issuing.tables import issue_batch, voucher
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.policy import Issue, Lapse, Policy
from app.venues.service import the_network
from tests.support.network import CARDS, GIFT, Network, both, problem

THREE = {"currency": "GIFT", "amount": 1000, "count": 3, "reason": "Noël"}
DAY_US = vouchers.DAY_US


async def made(network: Network, **change: object) -> tuple[str, list[str]]:
    """(the batch's id, its codes)."""
    answer = await network.post("nadia", "/vouchers", {**THREE, **change})
    assert answer.status_code == 201, answer.text
    return answer.json()["batch"]["id"], answer.json()["codes"]


async def use(network: Network, code: str, card: str = "awa", login: str = "lucas") -> httpx.Response:
    path = f"/venues/{network.venues['raffinerie'].id}/vouchers"
    return await network.post(login, path, {"code": code, "card": CARDS[card]})


async def states(network: Network, batch: str) -> list[str]:
    shown: dict[str, Any] = (await network.get("nadia", f"/vouchers/{batch}")).json()
    return [it["state"] for it in shown["vouchers"]]


async def funds(network: Network) -> int:
    return sum(row.balance for row in await network.ledger.balances(kinds=["fund"]))


async def issued(network: Network) -> int:
    rows = await network.ledger.balances(kinds=["issuance"])
    return sum(row.balance for row in rows if row.key.book.currency == "GIFT")


@both
async def test_a_voucher_goes_onto_one_card_once(rich: Network) -> None:
    batch, codes = await made(rich)
    assert (await funds(rich), await issued(rich)) == (3000, 3000), "set aside from the start"
    typed = codes[0].lower().replace("-", " ")
    answer = await use(rich, typed)
    assert (answer.status_code, answer.json()) == (200, {"currency": "GIFT", "amount": 1000, "balance": 1000})
    assert (await use(rich, codes[0])).json() == answer.json(), "asked for again, it gets the first answer"
    assert problem(await use(rich, codes[0], "basile")) == (409, "voucher-used")
    assert (await rich.holds("awa"))["GIFT"] == 1000
    assert (await rich.holds("basile"))["GIFT"] == 0
    assert (await funds(rich), await issued(rich)) == (2000, 3000)
    assert await states(rich, batch) == ["used", "open", "open"]


@both
async def test_two_who_use_one_code_at_once_do_not_both_get_it(rich: Network) -> None:
    batch, codes = await made(rich)
    await rich.person("lucas")
    cancel = rich.post("nadia", f"/vouchers/{batch}/cancel", {})
    await rich.person("nadia")
    answers = await asyncio.gather(
        use(rich, codes[0]), use(rich, codes[0], "basile"), use(rich, codes[0], "camille"), cancel
    )
    got = [(await rich.holds(name))["GIFT"] for name in CARDS]
    state = (await states(rich, batch))[0]
    assert sum(got) == (1000 if state == "used" else 0)
    assert sum(it.status_code == 200 for it in answers[:3]) == (1 if state == "used" else 0)
    assert await funds(rich) == 0


async def test_only_the_hash_of_a_code_is_kept_and_codes_are_shown_once(rich: Network) -> None:
    key = uuid7()
    first = await rich.post("nadia", "/vouchers", THREE, key)
    again = await rich.post("nadia", "/vouchers", THREE, key)
    assert again.json() == first.json(), "an answer that was lost comes again"
    codes = first.json()["codes"]
    assert len(set(codes)) == 3
    async with rich.engine.connect() as connection:
        rows = (await connection.execute(sa.select(voucher))).all()
        kept = repr(rows) + repr((await connection.execute(sa.select(issue_batch))).all())
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert problem(await rich.post("nadia", "/vouchers", {**THREE, "count": 4}, key)) == (422, "idempotency-key-reused")
    async with rich.engine.begin() as connection:
        await connection.execute(sa.update(issue_batch).values(made_at_us=now_us() - 2 * vouchers.SHOWN_AGAIN_US))
    assert problem(await rich.post("nadia", "/vouchers", THREE, key)) == (409, "codes-shown")
    assert await funds(rich) == 3000


async def test_staff_cancel_one_or_all_that_are_open(rich: Network) -> None:
    batch, codes = await made(rich)
    await use(rich, codes[2])
    cancel = f"/vouchers/{batch}/cancel"
    assert (await rich.post("nadia", cancel, {"numbers": [1]})).json() == {"cancelled": 1}
    assert problem(await use(rich, codes[0])) == (409, "voucher-cancelled")
    assert (await rich.post("nadia", cancel, {})).json() == {"cancelled": 1}
    assert (await rich.post("nadia", cancel, {})).json() == {"cancelled": 0}
    assert await states(rich, batch) == ["cancelled", "cancelled", "used"]
    assert (await funds(rich), await issued(rich)) == (0, 1000)


@both
async def test_a_voucher_lapses_at_its_end_and_not_before(rich: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = Issue(roles=("network_admin",))
    await rich.rules(GIFT, Policy(issue=issue, lapse=Lapse(expires_after_days=30, notice_days=7)))
    batch, codes = await made(rich)
    assert await lapse_vouchers(rich.ledger) == 0
    later = now_us() + 31 * DAY_US
    monkeypatch.setattr("app.issuing.service.now_us", lambda: later)
    monkeypatch.setattr("app.issuing.due.now_us", lambda: later)
    assert problem(await use(rich, codes[0])) == (409, "voucher-lapsed")
    assert await lapse_vouchers(rich.ledger) == 3
    assert await lapse_vouchers(rich.ledger) == 0
    assert problem(await use(rich, codes[1])) == (409, "voucher-lapsed")
    assert await states(rich, batch) == ["lapsed"] * 3
    assert (await funds(rich), await issued(rich)) == (0, 0)


async def test_what_makes_no_sense_says_why(rich: Network) -> None:
    _, codes = await made(rich)
    for code in ("", "ABCD", "ABCD-EFGH-JKMN-PQRS", "ABCD-EFGH-JKMN-PQR1", codes[0] + "A"):
        assert problem(await use(rich, code)) in {(404, "voucher-unknown"), (422, "invalid")}, code
    await rich.block("awa")
    assert problem(await use(rich, codes[0])) == (403, "card-blocked")
    assert (await use(rich, codes[0], "basile")).status_code == 200, "the voucher was not spoilt by it"
    for change, expected in (
        ({"count": 0}, (422, "invalid")),
        ({"count": 501}, (422, "invalid")),
        ({"amount": 0}, (422, "invalid")),
        ({"currency": "RAF"}, (422, "currency-not-accepted")),
        ({"valid_until_us": now_us() - 1}, (422, "invalid")),
    ):
        assert problem(await rich.post("nadia", "/vouchers", {**THREE, **change})) == expected, change


async def test_a_venue_sees_and_cancels_its_own_batches_alone(rich: Network) -> None:
    network_s, _ = await made(rich)
    venue = str(rich.venues["raffinerie"].id)
    own = (await rich.post("marie", "/vouchers", {**THREE, "venue": venue})).json()["batch"]["id"]
    assert [it["id"] for it in (await rich.get("marie", "/vouchers")).json()] == [own]
    assert problem(await rich.get("marie", f"/vouchers/{network_s}")) == (404, "not-found")
    assert problem(await rich.post("marie", f"/vouchers/{network_s}/cancel", {})) == (404, "not-found")
    assert problem(await rich.post("lucas", f"/vouchers/{own}/cancel", {})) == (403, "forbidden")
    assert (await rich.post("marie", f"/vouchers/{own}/cancel", {})).json() == {"cancelled": 3}


async def test_a_batch_without_its_money_is_not_withdrawn(rich: Network) -> None:
    """As if the process had died between keeping the batch and booking it: what is sent again finishes it."""
    key = uuid7()
    batch, codes = await made(rich)
    async with rich.engine.connect() as connection:
        row = (await connection.execute(sa.select(voucher).limit(1))).one()
    found = await vouchers.voucher_behind(rich.ledger, codes[0])
    async with rich.context.reader.connect() as connection:
        network = await the_network(connection)
    terms = await terms_of(rich.ledger, network, None, GIFT)
    unfunded = replace(found, id=row.id, batch=replace(found.batch, id=key))
    assert await vouchers.withdraw(rich.ledger, terms, [unfunded], actor="test") == 0
    assert (await states(rich, batch))[0] == "open"
    assert (await use(rich, codes[0])).status_code == 200
