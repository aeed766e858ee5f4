"""What a terminal did with a card beside selling, taken back: asked before cash changes hands, and never twice."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.wire import CancelRow, CreditRow, RefundRow, TopUpRow, VoidRow
from tests.app.topups.test_at_terminals import PAID_OUT, a_row, ask, due, seen
from tests.support.network import RAF, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bar(network: Network) -> Terminal:
    await network.top_up("awa", 1000)
    return await network.terminal("raffinerie")


async def void_of(network: Network, act: UUID, by: str, *, minutes: int = 0) -> VoidRow:
    cashier = await network.hired(by)
    at_us = now_us() + minutes * 60 * 1_000_000
    return VoidRow(id=uuid7(), sale=act, reason="Erreur de saisie", cashier=cashier, at_us=at_us)


async def undo(bar: Terminal, row: VoidRow) -> httpx.Response:
    headers = {**bar.headers, "Content-Type": "application/json"}
    return await bar.network.client.post("/api/v1/terminals/voids", content=row.model_dump_json(), headers=headers)


@both
@pytest.mark.parametrize(("kind", "amount"), [(TopUpRow, 2000), (RefundRow, 400), (CreditRow, 60)])
async def test_each_act_is_undone_once_and_its_row_changes_nothing_more(
    network: Network, bar: Terminal, kind: type, amount: int
) -> None:
    await network.rules(RAF, PAID_OUT)
    held, owed = await network.holds("awa"), await due(network)
    act = await a_row(network, kind, amount)
    await ask(bar, act)
    row = await void_of(network, act.id, "marie")
    first, again = await undo(bar, row), await undo(bar, row)
    assert first.status_code == 201
    assert first.json() == again.json(), "told again"
    assert first.json()["balances"] == held
    assert set((await bar.snapshot()).json()["applied_beyond"]) == {str(act.id), str(row.id)}
    await bar.deliver(act, row)
    assert (await network.holds("awa"), await due(network)) == (held, owed)
    assert problem(await undo(bar, await void_of(network, act.id, "marie"))) == (409, "already-reversed")
    assert await network.exceptions() == []


@both
async def test_a_top_up_that_was_spent_is_not_paid_out_again(network: Network, bar: Terminal) -> None:
    act = await a_row(network, TopUpRow, 2000)
    await ask(bar, act)
    assert (await bar.sell("awa", {"Demi": 6})).status_code == 201
    held, owed = await network.holds("awa"), await due(network)
    row = await void_of(network, act.id, "marie")
    assert problem(await undo(bar, row)) == (402, "insufficient-funds")
    assert (await network.holds("awa"), await due(network)) == (held, owed)
    # A till that undid it all the same has given the cash away: somebody must settle that.
    await bar.deliver(act, row)
    assert [(kind, it["reason"]) for kind, it in await network.exceptions()] == [("not-undone", "insufficient-funds")]


async def test_who_made_it_has_a_quarter_of_an_hour_and_others_need_the_right(network: Network, bar: Terminal) -> None:
    act = await a_row(network, TopUpRow, 2000, by="lucas")
    await ask(bar, act)
    assert problem(await undo(bar, await void_of(network, act.id, "zoe"))) == (403, "forbidden")
    assert problem(await undo(bar, await void_of(network, act.id, "lucas", minutes=16))) == (403, "forbidden")
    assert (await undo(bar, await void_of(network, act.id, "lucas", minutes=14))).status_code == 201
    other = await a_row(network, TopUpRow, 2000, by="lucas")
    await ask(bar, other)
    assert (await undo(bar, await void_of(network, other.id, "marie", minutes=60))).status_code == 201


async def test_cash_goes_out_only_when_every_terminal_was_heard_of(network: Network, bar: Terminal) -> None:
    top_up, credit = await a_row(network, TopUpRow, 2000), await a_row(network, CreditRow, 60)
    await ask(bar, top_up)
    await ask(bar, credit)
    other = await network.terminal("canal", "Terrasse")
    await seen(network, other.id, now_us() - 600 * 1_000_000)
    assert problem(await undo(bar, await void_of(network, top_up.id, "marie"))) == (409, "terminals-away")
    assert (await undo(bar, await void_of(network, credit.id, "marie"))).status_code == 201


async def test_only_what_this_terminal_did_and_no_sale(network: Network, bar: Terminal) -> None:
    till, act, sale = await network.terminal("raffinerie", "Terrasse"), await a_row(network, TopUpRow, 2000), uuid7()
    await ask(bar, act)
    made = bar.sale("awa", {"Demi": 1})
    await bar.sell(made)
    for at, what in ((till, act.id), (bar, made.id), (bar, sale)):
        assert problem(await undo(at, await void_of(network, what, "marie"))) == (404, "not-found")
    nobody = (await void_of(network, act.id, "marie")).model_copy(update={"cashier": None})
    assert problem(await undo(bar, nobody)) == (422, "invalid")


@both
async def test_an_undo_that_nobody_heard_of_is_taken_back_and_a_late_one_refused(
    network: Network, bar: Terminal
) -> None:
    act = await a_row(network, TopUpRow, 2000)
    before, owed_before = await network.holds("awa"), await due(network)
    await ask(bar, act)
    held, owed = await network.holds("awa"), await due(network)
    booked, unseen = await void_of(network, act.id, "marie"), await void_of(network, act.id, "marie")
    await undo(bar, booked)
    await bar.deliver(act, *(CancelRow(id=uuid7(), sale=row.id, at_us=now_us()) for row in (booked, unseen)))
    assert (await network.holds("awa"), await due(network)) == (held, owed)
    assert problem(await undo(bar, unseen)) == (409, "cancelled")
    # It stands, so it may still be undone; and whatever is asked or delivered again is told the same.
    row = await void_of(network, act.id, "marie")
    first, again = await undo(bar, row), await undo(bar, row)
    assert (first.status_code, first.json()) == (201, again.json())
    assert str(row.id) in (await bar.snapshot()).json()["applied_beyond"]
    undone = await network.holds("awa"), await due(network)
    assert undone == (before, owed_before)
    await bar.deliver(row)
    assert (await network.holds("awa"), await due(network)) == undone
    assert problem(await undo(bar, await void_of(network, act.id, "marie"))) == (409, "already-reversed")
    assert await network.exceptions() == []
