"""From the notice to the booking: when, how much, where it goes, and never twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.lapses import service, store
from app.lapses.rules import DAY_US
from app.ledger.rules.operations import Entry, Hold, Outcome
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.policy import Lapse
from tests.app.lapses.conftest import GROUND, Clock, announce, book, lapsed, rule, standing, told
from tests.support.network import RAF, Network

YEAR = Lapse(expires_after_days=365, notice_days=30, beneficiary="network", legal_ground=GROUND)
MELTING = Lapse(demurrage_basis_points=200, demurrage_every_days=60, notice_days=30, beneficiary="fund")


async def test_a_card_is_valid_for_life_unless_the_network_says_otherwise(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 2000)
    await network.shift("awa", 120)
    clock.go(4000)
    assert await announce(network) == 0
    assert await book(network) == 0


async def test_three_lapse_by_the_published_terms(network: Network, clock: Clock) -> None:
    """RAF: W 3 / issuance 3. reserve: liability 3 / payable operating 3. operating: due-from reserve 3 / breakage 3."""
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(332)
    assert await announce(network) == 0, "too early"
    clock.go(1)
    assert await announce(network) == 1
    (notice,) = await told(network, "awa")
    assert (notice.amount, notice.effect, notice.policy) == (300, "expiry", "RAF@1")
    assert notice.due_us - now_us() >= 30 * DAY_US
    clock.go(31)
    assert await book(network) == 0, "its notice is not over"
    clock.go(3)
    assert await book(network) == 1
    (it,) = await lapsed(network)
    assert (it.kind, it.actor, it.policy, it.id) == ("lapse.expiry", "schedule", "RAF@1", notice.id)
    assert json.loads(it.details)["legal_ground"] == GROUND
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
    assert await standing(network, "issuance") == {}
    assert await standing(network, "liability") == {}
    assert await standing(network, "payable") == {"EUR operating": 300}
    assert await standing(network, "due_from_reserve") == {"EUR": 300}
    assert await standing(network, "breakage_income") == {"EUR": 300}
    assert await told(network, "awa") == []


async def test_what_lapsed_does_not_lapse_again(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await announce(network)
    clock.go(40)
    assert await book(network) == 1
    assert await book(network) == 0
    assert await announce(network) == 0
    async with network.engine.connect() as connection:
        assert await store.last_done_us(connection, "RAF", "expiry") is not None
        (over,) = await store.summaries(connection, is_open=False)
    assert (over.wallets, over.announced, over.taken) == (1, 300, 300)


async def test_two_processes_at_once_book_it_once(network: Network, clock: Clock) -> None:
    for card in network.cards:
        await network.top_up(card, 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await asyncio.gather(announce(network), announce(network))
    clock.go(40)
    await asyncio.gather(book(network), book(network), book(network))
    assert len(await lapsed(network)) == 3
    assert await standing(network, "breakage_income") == {"EUR": 900}


async def test_what_came_in_later_is_not_touched(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await announce(network)
    clock.go(33)
    await network.top_up("awa", 5000)
    assert await book(network) == 1
    assert (await network.holds("awa"))["RAF"] == 5000


async def test_what_was_spent_meanwhile_does_not_lapse(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 1000)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await announce(network)
    clock.go(33)
    await network.top_up("awa", 50)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 2})).status_code == 201
    await book(network)
    assert (await network.holds("awa"))["RAF"] == 50, "700 were paid, of the 1000 that would have lapsed; 300 lapsed"


async def test_who_receives_any_starts_anew(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await announce(network)
    clock.go(10)
    await network.top_up("awa", 1)
    clock.go(30)
    assert await book(network) == 0
    assert (await network.holds("awa"))["RAF"] == 301
    assert await told(network, "awa") == [], "that notice is closed"
    clock.go(320)
    assert await announce(network) == 1


async def test_more_than_was_told_never_lapses(network: Network, clock: Clock) -> None:
    await network.shift("awa", 100)
    await rule(network, "TEMPS", replace(MELTING, demurrage_basis_points=1000))
    clock.go(29)
    assert await announce(network) == 1
    await network.shift("awa", 500)
    clock.go(33)
    assert await book(network) == 1
    assert (await network.holds("awa"))["TEMPS"] == 590


async def test_hours_melt_into_the_common_fund_and_never_touch_euros(network: Network, clock: Clock) -> None:
    await network.shift("awa", 149)
    await rule(network, "TEMPS", MELTING)
    for days in (29, 28, 28):
        clock.go(days)
        await announce(network)
        clock.go(32)
        await book(network)
    assert [it.transfers[0].amount for it in await lapsed(network)] == [2, 2, 2], "2 % of 149 minutes, rounded down"
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 143}
    assert await standing(network, "fund") == {"TEMPS fund:common": 6}
    assert not {it.key.book.currency for it in await network.ledger.balances() if it.balance} & {"EUR"}


async def test_what_was_received_in_the_time_of_grace_does_not_melt(network: Network, clock: Clock) -> None:
    await network.shift("awa", 600)
    await rule(network, "TEMPS", replace(MELTING, grace_days=50, demurrage_every_days=100))
    clock.go(60)
    await network.shift("basile", 600)
    clock.go(9)
    await announce(network)
    clock.go(33)
    await book(network)
    assert (await network.holds("awa"))["TEMPS"] == 588
    assert (await network.holds("basile"))["TEMPS"] == 600


async def test_melting_is_no_move_of_the_holder_s(network: Network, clock: Clock) -> None:
    """Else nothing that melts would ever fall asleep."""
    await network.shift("awa", 600)
    await rule(network, "TEMPS", replace(MELTING, dormant_after_days=100))
    clock.go(29)
    await announce(network)
    clock.go(32)
    assert await book(network) == 1
    clock.go(20)
    assert await announce(network) == 1
    clock.go(33)
    assert await book(network) >= 1
    assert (await network.holds("awa"))["TEMPS"] == 0


async def test_a_period_that_could_not_be_announced_in_time_costs_nobody_anything(
    network: Network, clock: Clock
) -> None:
    await network.shift("awa", 600)
    await rule(network, "TEMPS", MELTING)
    clock.go(55)
    assert await announce(network) == 0
    clock.go(10)
    assert await book(network) == 0


async def test_a_policy_that_was_taken_back_takes_nothing(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await announce(network)
    await rule(network, "RAF", Lapse())
    clock.go(40)
    assert await book(network) == 0
    assert (await network.holds("awa"))["RAF"] == 300
    assert await told(network, "awa") == []


async def test_what_is_set_aside_does_not_lapse(network: Network, clock: Clock) -> None:
    await network.top_up("awa", 300)
    await rule(network, "RAF", YEAR)
    (wallet,) = await network.ledger.balances(owners=[network.cards["awa"].owner], kinds=["wallet"])
    hold = Hold(uuid7(), b"x" * 32, wallet.id, 120, now_us() + 1000 * DAY_US, "test")
    await network.ledger.post([hold])
    clock.go(340)
    await announce(network)
    (notice,) = await told(network, "awa")
    assert notice.amount == 180
    clock.go(40)
    await book(network)
    assert (await network.holds("awa"))["RAF"] == 120


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_payment_in_the_very_moment_is_found_and_what_is_left_lapses(
    network: Network, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and booking, the holder pays: the ledger refuses, and it is looked at once more."""
    await network.top_up("awa", 1000)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    await announce(network)
    clock.go(40)
    bar = await network.terminal("raffinerie")
    ledger, paid = network.ledger, []
    post = ledger.post

    async def post_after_a_sale(entries: Sequence[Entry]) -> list[Outcome]:
        if entries and not paid:
            paid.append(True)
            assert (await bar.sell("awa", {"Demi": 2})).status_code == 201
        return await post(entries)

    monkeypatch.setattr(ledger, "post", post_after_a_sale)
    assert await book(network) == 1
    assert paid
    (it,) = await lapsed(network)
    assert it.transfers[0].amount == 300
    assert (await network.holds("awa"))["RAF"] == 0


async def test_the_preview_is_what_is_booked(network: Network, clock: Clock) -> None:
    """Two effects on one wallet at one turn of a day, and others beside it: foreseen one by one as they are booked."""
    await network.shift("awa", 500)
    await network.top_up("basile", 777)
    await rule(network, "TEMPS", replace(MELTING, dormant_after_days=60, demurrage_basis_points=1000))
    await rule(network, "RAF", replace(YEAR, expires_after_days=90))
    clock.go(29)
    unwritten = await service.foreseen(network.engine, network.ledger, now_us() + 200 * DAY_US)
    await announce(network)
    written = await service.foreseen(network.engine, network.ledger, now_us() + 200 * DAY_US)
    assert [it.amount for it in unwritten] == [it.amount for it in written] == [50, 450]
    assert [it.notice.effect for it in written] == ["demurrage", "dormancy"]
    clock.go(33)
    await book(network)
    assert [(it.id, it.transfers[0].amount) for it in await lapsed(network)] == [
        (it.notice.id, it.amount) for it in written
    ]
    await announce(network)
    (due,) = await service.foreseen(network.engine, network.ledger, now_us() + 200 * DAY_US)
    assert (due.amount, due.version.currency) == (777, RAF.code)
