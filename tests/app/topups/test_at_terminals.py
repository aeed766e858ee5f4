"""What a terminal asks for with a card on its reader, and what its journal delivers: top-ups, refunds, credits."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.issuing.rows import ASKS as ISSUING
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.policy import Issue, Policy, Redeem
from app.terminals.rows import ASKED_KINDS
from app.terminals.tables import terminal as terminal_table
from app.topups.rows import ASKS, REFUND
from app.topups.service import CASH
from app.wire import CancelRow, CreditRow, RefundRow, TopUpRow
from tests.support.network import CARDS, RAF, TEMPS, UNKNOWN_UID, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bar(network: Network) -> Terminal:
    await network.top_up("awa", 1000)
    return await network.terminal("raffinerie")


async def a_row(network: Network, kind: Any, amount: int, *, by: str = "marie", card: str = "awa", **more: Any) -> Any:
    mode: Literal["online", "offline"] = more.pop("mode", "online")
    given = {"currency": "RAF", "means": "cash", **more} if kind is TopUpRow else {"currency": "RAF", **more}
    if kind is CreditRow:
        given = {"currency": "TEMPS", "reason": "vaisselle", **more}
    cashier = await network.hired(by)
    return kind(
        mode=mode, id=uuid7(), card=CARDS.get(card, card), amount=amount, cashier=cashier, at_us=now_us(), **given
    )


async def ask(bar: Terminal, row: Any) -> httpx.Response:
    headers = {**bar.headers, "Content-Type": "application/json"}
    return await bar.network.client.post("/api/v1/terminals/acts", content=row.model_dump_json(), headers=headers)


async def first_code(bar: Terminal, row: Any, card: str = "awa") -> httpx.Response:
    body = {"act": str(row.id), "card": CARDS[card]}
    return await bar.network.client.post("/api/v1/terminals/recovery-codes", json=body, headers=bar.headers)


async def test_a_card_that_was_just_topped_up_gets_its_first_code(network: Network, bar: Terminal) -> None:
    row = await a_row(network, TopUpRow, 1000)
    assert problem(await first_code(bar, row)) == (404, "not-found"), "nothing was topped up yet"
    assert (await ask(bar, row)).status_code == 201
    assert problem(await first_code(bar, row, "basile")) == (404, "not-found"), "another card's"
    other = await network.terminal("canal")
    assert problem(await first_code(other, row)) == (404, "not-found"), "another terminal's"
    made, again = await first_code(bar, row), await first_code(bar, row)
    assert (made.status_code, made.json()["lost"]) == (201, "http://server.test/lost")
    assert made.json() == again.json(), "there was no paper"
    second = await a_row(network, TopUpRow, 1000)
    assert (await ask(bar, second)).status_code == 201
    assert problem(await first_code(bar, second)) == (409, "recovery-code-there"), "nobody's code is voided"
    blocked = await network.client.post("/lost", data={"code": made.json()["code"]})
    assert blocked.status_code == 200
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 403


async def due(network: Network, slug: str = "raffinerie") -> int:
    rows = await network.ledger.balances(owners=[network.venues[slug].owner], kinds=["due_from"])
    return sum(row.balance for row in rows)


async def overdraft(network: Network) -> int:
    return sum(row.balance for row in await network.ledger.balances(kinds=["overdraft"]))


@both
@pytest.mark.parametrize("means", ["cash", "bank_card"])
async def test_a_top_up_is_booked_once_however_often_it_comes_in(network: Network, bar: Terminal, means: str) -> None:
    before = await due(network)
    row = await a_row(network, TopUpRow, 2000, by="lucas", means=means)
    first, again = await ask(bar, row), await ask(bar, row)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json() | {"balances": {"RAF": 3000, "TEMPS": 0}}
    assert (await bar.deliver(row))["acknowledged"] == 1
    assert (await network.holds("awa"))["RAF"] == 3000
    assert await due(network) - before == 2000, "the venue owes it to the issuer"
    assert await network.exceptions() == []


@both
async def test_a_top_up_repays_what_is_owed_first(network: Network, bar: Terminal) -> None:
    await bar.deliver(bar.sale_row("awa", {"Demi": 5}))
    owed = await overdraft(network)
    assert owed < 0
    answer = await ask(bar, await a_row(network, TopUpRow, 1000))
    assert answer.json()["balances"]["RAF"] == 1000 + owed
    assert await overdraft(network) == 0


@both
async def test_a_top_up_that_was_made_is_booked_whatever_is_wrong(network: Network, bar: Terminal) -> None:
    await network.block("basile")
    before, held = await due(network), (await network.holds("basile"))["RAF"]
    # More than a network takes at once, and by somebody without the right: the cash is in the till.
    rows = [
        await a_row(network, TopUpRow, 90_000, card="basile", by="zoe", mode="offline"),
        await a_row(network, TopUpRow, 500, card=UNKNOWN_UID, mode="offline"),
    ]
    await bar.deliver(*rows)
    assert (await network.holds("basile"))["RAF"] == held + 90_000
    assert (await network.suspense())["RAF"] == 500
    assert await due(network) - before == 90_500
    assert sorted(kind for kind, _ in await network.exceptions()) == ["blocked-card", "unknown-card"]


@both
async def test_a_top_up_that_nobody_saw_green_is_taken_back(network: Network, bar: Terminal) -> None:
    booked, unseen = await a_row(network, TopUpRow, 2000), await a_row(network, TopUpRow, 2000)
    before = await due(network)
    await ask(bar, booked)
    await bar.deliver(*(CancelRow(id=uuid7(), sale=row.id, at_us=now_us()) for row in (booked, unseen)))
    assert (await network.holds("awa"))["RAF"] == 1000
    assert await due(network) == before
    assert problem(await ask(bar, unseen)) == (409, "cancelled")


@both
async def test_one_that_was_spent_before_it_could_be_taken_back_is_somebody_s_to_settle(
    network: Network, bar: Terminal
) -> None:
    row = await a_row(network, TopUpRow, 2000)
    await ask(bar, row)
    assert (await bar.sell("awa", {"Demi": 6})).status_code == 201
    await bar.deliver(CancelRow(id=uuid7(), sale=row.id, at_us=now_us()))
    assert [(kind, it["reason"]) for kind, it in await network.exceptions()] == [("not-undone", "insufficient-funds")]


@pytest.mark.parametrize(
    ("amount", "by", "more", "refusal"),
    [
        (100, "marie", {}, (422, "amount-out-of-range")),
        (25_001, "marie", {}, (422, "amount-out-of-range")),
        (2000, "zoe", {}, (403, "forbidden")),
        (2000, "yann", {}, (403, "forbidden")),
        (2000, "marie", {"currency": "TEMPS"}, (422, "currency-not-accepted")),
        (2000, "marie", {"currency": "NOPE"}, (422, "currency-not-accepted")),
        (2000, "marie", {"card": UNKNOWN_UID}, (404, "card-unknown")),
    ],
)
async def test_a_top_up_is_refused_before_any_cash_is_taken(
    network: Network, bar: Terminal, amount: int, by: str, more: Any, refusal: tuple[int, str]
) -> None:
    assert problem(await ask(bar, await a_row(network, TopUpRow, amount, by=by, **more))) == refusal
    assert (await network.holds("awa"))["RAF"] == 1000


async def test_a_blocked_card_takes_no_money(network: Network, bar: Terminal) -> None:
    await network.block("awa")
    assert problem(await ask(bar, await a_row(network, TopUpRow, 2000))) == (403, "card-blocked")


PAID_OUT = Policy(issue=Issue(("network_admin", "venue_admin", "cashier")), redeem=Redeem(who=("venues", "holders")))


@both
async def test_a_refund_empties_the_card_and_lowers_what_the_venue_owes(network: Network, bar: Terminal) -> None:
    await network.rules(RAF, PAID_OUT)
    before = await due(network)
    row = await a_row(network, RefundRow, 1000)
    assert (await ask(bar, row)).json()["balances"]["RAF"] == 0
    assert (await bar.deliver(row))["acknowledged"] == 1
    assert await due(network) == before - 1000
    assert problem(await ask(bar, await a_row(network, RefundRow, 1))) == (402, "insufficient-funds")


async def test_a_refund_needs_the_right_and_the_rules(network: Network, bar: Terminal) -> None:
    assert problem(await ask(bar, await a_row(network, RefundRow, 500))) == (422, "not-allowed")
    await network.rules(RAF, PAID_OUT)
    assert problem(await ask(bar, await a_row(network, RefundRow, 500, by="lucas"))) == (403, "forbidden")
    assert (await network.holds("awa"))["RAF"] == 1000


async def test_a_refund_waits_for_a_terminal_that_may_have_sold_to_the_card(network: Network, bar: Terminal) -> None:
    await network.rules(RAF, PAID_OUT)
    other = await network.terminal("canal", "Terrasse")
    await seen(network, other.id, now_us() - 600 * 1_000_000)
    assert problem(await ask(bar, await a_row(network, RefundRow, 500))) == (409, "terminals-away")
    await seen(network, other.id, now_us() - 48 * 3600 * 1_000_000)
    assert (await ask(bar, await a_row(network, RefundRow, 500))).status_code == 201


async def seen(network: Network, device: UUID, at_us: int) -> None:
    async with network.engine.begin() as connection:
        await connection.execute(
            sa.update(terminal_table).where(terminal_table.c.id == device).values(seen_at_us=at_us)
        )


@both
async def test_hours_are_credited_within_the_day_s_cap(network: Network, bar: Terminal) -> None:
    row = await a_row(network, CreditRow, 480)
    assert (await ask(bar, row)).json()["balances"]["TEMPS"] == 480
    assert (await ask(bar, row)).status_code == 201, "told again"
    assert problem(await ask(bar, await a_row(network, CreditRow, 180))) == (409, "daily-cap")
    assert (await bar.deliver(row))["acknowledged"] == 1
    assert (await network.holds("awa"))["TEMPS"] == 480


async def test_a_credit_needs_the_right_and_a_money_that_is_not_sold(network: Network, bar: Terminal) -> None:
    assert problem(await ask(bar, await a_row(network, CreditRow, 60, by="lucas"))) == (403, "forbidden")
    assert problem(await ask(bar, await a_row(network, CreditRow, 60, currency="RAF"))) == (
        422,
        "currency-not-accepted",
    )


@both
async def test_a_credit_that_was_given_is_booked_beyond_the_cap_too(network: Network, bar: Terminal) -> None:
    rows = [await a_row(network, CreditRow, 480, mode="offline", card=card) for card in ("awa", "awa", UNKNOWN_UID)]
    await bar.deliver(*rows)
    assert (await network.holds("awa"))["TEMPS"] == 960
    assert [kind for kind, _ in await network.exceptions()] == ["unknown-card"]


@both
async def test_a_snapshot_names_what_was_asked_for_while_its_row_is_under_way(network: Network, bar: Terminal) -> None:
    rows = [await a_row(network, TopUpRow, 2000), await a_row(network, CreditRow, 60)]
    for row in rows:
        await ask(bar, row)
    assert set((await bar.snapshot()).json()["applied_beyond"]) == {str(row.id) for row in rows}
    await bar.deliver(*rows)
    assert (await bar.snapshot()).json()["applied_beyond"] == []


def test_a_snapshot_looks_for_all_that_can_be_asked_for() -> None:
    assert {CASH, REFUND} <= set(ASKED_KINDS)
    assert len(ASKS) + len(ISSUING) == 3
    assert TEMPS.kind == "time"
