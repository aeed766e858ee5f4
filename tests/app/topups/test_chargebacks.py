"""A payment that is taken back: the card gives what it holds, owes the rest, and nothing of it is booked twice."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.inbox import booking
from app.inbox import service as inbox
from app.ledger.verify import verify
from app.platform.errors import Conflict, Invalid
from app.rules.ids import uuid7
from app.topups import chargebacks, online, service
from app.topups.rules import Change, owed
from app.topups.sandbox import DISPUTE_FEE_CENTS, Sandbox
from app.topups.service import Topup
from app.topups.tables import chargeback
from app.venues.service import the_network
from tests.app.inbox.test_inbox import DAY, NADIA
from tests.support.network import RAF, Network, both, problem

pytestmark = pytest.mark.anyio
KNOWN, ZONE = {"RAF": RAF}, "Europe/Paris"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def sandbox(network: Network) -> Sandbox:
    found = network.app.state.provider
    assert isinstance(found, Sandbox)
    return found


async def paid(network: Network, amount: int, card: str = "awa") -> Topup:
    """An online top-up that is on the card."""
    provider = sandbox(network)
    async with network.context.reader.connect() as connection:
        of = await the_network(connection)
    begun, url = await service.begin(
        network.engine, provider, of, network.cards[card], RAF, amount, "http://server.test/{id}", uuid7()
    )
    await provider.finish(url.rsplit("/", 1)[-1], "paid")
    return await service.settle(network.engine, network.ledger, provider, KNOWN, ZONE, begun.id)


async def take_back(network: Network, it: Topup, cents: int, fee: int = 1500, reference: str = "dp_1") -> Any:
    return await chargebacks.take_back(
        network.ledger, KNOWN, ZONE, it, reference, "dispute", cents, fee, actor="person:nadia"
    )


async def won(network: Network, it: chargebacks.Chargeback, fee_back: int = 0) -> chargebacks.Chargeback:
    return await chargebacks.won(network.ledger, KNOWN, ZONE, it.id, fee_back, actor="person:nadia")


async def euros(network: Network) -> dict[str, int]:
    """What the issuer's euros say, in cents."""
    kinds = ["clearing", "due_from", "losses", "provider_fees", "due_to_reserve", "liability"]
    found = dict.fromkeys(kinds, 0)
    for row in await network.ledger.balances(kinds=kinds):
        found[row.key.kind] += row.balance
    return found


async def proves(network: Network) -> None:
    """Peg, Cover, every floor: after each step."""
    report = await verify(network.engine)
    assert report.ok, report.findings


async def drinks(network: Network, amount: int, card: str = "awa") -> None:
    bar = await network.terminal("canal")
    row = bar.sale_row(card, {"Tarte": 1}, prices={"Tarte": amount})
    await bar.deliver(row)


@both
async def test_the_worked_flow_of_fifty_with_thirty_left(network: Network) -> None:
    it = await paid(network, 5000)
    await drinks(network, 2000)
    told = await asyncio.gather(*(take_back(network, it, 5000) for _ in range(3)))
    assert len({one.id for one in told}) == 1
    assert await network.holds("awa") == {"RAF": -2000, "TEMPS": 0}
    assert await euros(network) == {
        "clearing": -1500,
        "due_from": 1500,
        "losses": 0,
        "provider_fees": 1500,
        "due_to_reserve": 1500,
        "liability": 0,
    }
    await proves(network)
    (case,) = [one for one in await inbox.cases(network.ledger, NADIA) if one.fault.kind == "chargeback"]
    assert (case.state, case.fault.facts["owed"]) == ("open", {network.cards["awa"].uid: {"RAF": 2000}})
    await asyncio.gather(*(booking.cover(network.ledger, NADIA, case.fault, "network", "Gone", DAY) for _ in range(2)))
    now = await euros(network)
    assert (now["losses"], now["provider_fees"], now["due_to_reserve"], now["liability"]) == (2000, 1500, 3500, 2000)
    await proves(network)


@both
async def test_winning_gives_the_holder_what_they_had_and_the_network_what_it_bore(network: Network) -> None:
    it = await paid(network, 5000)
    await drinks(network, 2000)
    taken = await take_back(network, it, 5000)
    (case,) = [one for one in await inbox.cases(network.ledger, NADIA) if one.fault.kind == "chargeback"]
    await booking.cover(network.ledger, NADIA, case.fault, "network", "Gone", DAY)
    await asyncio.gather(*(won(network, taken, 1500) for _ in range(2)))
    assert await network.holds("awa") == {"RAF": 3000, "TEMPS": 0}
    now = await euros(network)
    assert (now["losses"], now["provider_fees"], now["due_to_reserve"], now["due_from"]) == (0, 0, 0, 0)
    assert (now["clearing"], now["liability"]) == (5000, 5000)
    await proves(network)
    with pytest.raises(Conflict):
        await won(network, taken, 0)
    ended = await inbox.case(network.ledger, NADIA, case.fault.key)
    assert ended.state == "done"
    # What was won is no longer taken back: another dispute may take it.
    again = await take_back(network, it, 5000, 0, "dp_2")
    assert again.id != taken.id
    await proves(network)


@both
async def test_no_more_is_taken_back_than_was_paid_whatever_comes_at_once(network: Network) -> None:
    it = await paid(network, 3000)
    told = await asyncio.gather(
        *(take_back(network, it, 2000, 0, f"dp_{number}") for number in range(4)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in told) == ["Chargeback", "Invalid", "Invalid", "Invalid"]
    with pytest.raises(Conflict):
        await take_back(network, it, 1000, 0, next(one.reference for one in told if not isinstance(one, Exception)))
    for cents, fee in ((0, 0), (-5, 0), (5, -1)):
        with pytest.raises(Invalid):
            await take_back(network, it, cents, fee, "dp_9")
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
    for change in (sa.update(chargeback).values(euro_cents=1), sa.delete(chargeback)):
        with pytest.raises(sa.exc.DBAPIError):
            async with network.engine.begin() as connection:
                await connection.execute(change)
    await proves(network)


async def test_a_notice_brings_what_the_provider_took_back_once(network: Network) -> None:
    it = await paid(network, 2000)
    reference = it.reference or ""
    await sandbox(network).dispute(reference, won=False)
    for _ in range(2):
        answer = await network.client.post("/api/v1/payments/sandbox/notices", json={"reference": reference})
        assert answer.status_code == 200, answer.text
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
    assert (await euros(network))["provider_fees"] == DISPUTE_FEE_CENTS
    await sandbox(network).dispute(reference, won=True)
    # This time the notice is lost: the reconciliation finds it.
    await online.reconcile(network.context, network.ledger, sandbox(network))
    await online.reconcile(network.context, network.ledger, sandbox(network))
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}
    assert (await euros(network))["provider_fees"] == 0
    await proves(network)
    lost = await network.client.post("/api/v1/payments/sandbox/notices", json={"reference": "sb_none"})
    assert problem(lost) == (404, "not-found")


async def test_a_payment_that_comes_after_all_is_credited(network: Network) -> None:
    it = await paid(network, 2000)
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(service.topup).where(service.topup.c.id == it.id).values(status="failed"))
    answer = await network.client.post("/api/v1/payments/sandbox/notices", json={"reference": it.reference})
    assert answer.json()["status"] == "credited"
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_the_reserve_holds(network: Network, seed: int) -> None:
    """Peg, Cover and every floor, at every step."""
    dice, of, taken = Random(seed), [await paid(network, 1000)], []
    for number in range(12):
        match dice.randrange(5):
            case 0:
                of.append(await paid(network, dice.randrange(500, 5000)))
            case 1:
                await drinks(network, dice.randrange(1, 4000))
            case 2 if of:
                it = dice.choice(of)
                try:
                    cents, fee = dice.randrange(1, it.euro_cents + 1), dice.choice([0, 1500])
                    taken.append(await take_back(network, it, cents, fee, f"dp_{number}"))
                except Invalid:
                    pass
            case 3:
                for case in await inbox.cases(network.ledger, NADIA):
                    if case.fault.kind in {"chargeback", "offline-overdraft"} and case.fault.cause:
                        await booking.cover(network.ledger, NADIA, case.fault, "network", "Gone", DAY)
            case 4 if taken:
                await won(network, taken.pop(dice.randrange(len(taken))))
        await proves(network)


changes = st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.booleans()), max_size=12)


@given(changes, st.integers(1, 60), changes)
def test_what_is_owed_borne_and_repaid_is_what_was_taken(
    before: list[tuple[int, bool]], mine: int, after: list[tuple[int, bool]]
) -> None:
    told = [Change(units, borne=borne) for units, borne in before]
    told += [Change(-mine, mine=True), *(Change(units, borne=borne) for units, borne in after)]
    found = owed(told)
    assert found.left >= 0
    assert found.borne >= 0
    assert found.left + found.borne <= mine
    repaid = sum(units for units, _ in after if units > 0)
    assert mine - found.left <= repaid
    assert found.borne <= sum(units for units, borne in after if borne and units > 0)
    if not any(units < 0 for units, _ in before):
        assert found.left == max(0, mine - repaid)
