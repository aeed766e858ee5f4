"""Faults show by themselves, belong to somebody, and what is booked about them is booked once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.identity.roles import Grant, Principal, Role
from app.inbox import booking, service
from app.inbox.daily import run_for_ever
from app.inbox.rules import Case
from app.inbox.tables import step
from app.ledger.rules.operations import Operation
from app.ledger.service import Ledger
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Invalid, NotFound
from app.rules.ids import uuid7
from app.settlement.terms import NetworkTerms, set_terms
from app.topups import service as topups
from app.topups.tables import topup
from app.wire import VoidRow
from tests.app.banking.samples import camt053, entry
from tests.support.network import UNKNOWN_UID, Network, both
from tests.support.pages import look, words

pytestmark = [pytest.mark.anyio, both]

DAY = date(2026, 11, 20)
NADIA = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}), person=UUID(int=1))
OMAR = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}), person=UUID(int=2))


def marie(network: Network) -> Principal:
    return Principal(grants=frozenset({Grant(Role.VENUE_ADMIN, network.venues["raffinerie"].id)}), person=UUID(int=3))


async def found(network: Network, kind: str) -> Case:
    (one,) = [it for it in await service.cases(network.ledger, NADIA) if it.fault.kind == kind]
    return one


async def held(ledger: Ledger, kind: str, owner: str = "") -> int:
    return sum(it.balance for it in await ledger.balances(owners=[owner], kinds=[kind]))


async def proves(network: Network) -> None:
    report = await verify(network.engine)
    assert report.ok, report.findings


async def owing(network: Network) -> Case:
    """Awa holds 3.00 and drinks 7.00 at a till without network."""
    await network.top_up("awa", 300)
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row("awa", {"Demi": 2}))
    return await found(network, "offline-overdraft")


async def unknown(network: Network) -> Case:
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row(UNKNOWN_UID, {"Eau": 1}))
    return await found(network, "unknown-card")


async def test_a_debt_is_borne_once_by_whoever_presses_first(network: Network) -> None:
    case = await owing(network)
    assert (case.state, case.fault.venue, case.owner) == ("open", network.venues["raffinerie"].id, "")
    done = await asyncio.gather(
        *(booking.cover(network.ledger, who, case.fault, "network", "Lost card", DAY) for who in (NADIA, OMAR, NADIA))
    )
    assert len(set(done)) == 1
    assert await held(network.ledger, "overdraft", network.cards["awa"].owner) == 0
    assert await held(network.ledger, "losses") == 400
    now = await service.case(network.ledger, NADIA, case.fault.key)
    assert (now.state, [it.act for it in now.steps]) == ("done", ["book"])
    await proves(network)


async def test_terms_share_a_debt_and_a_top_up_leaves_less_to_bear(network: Network) -> None:
    async with network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(cover="shared", venue_share=2_500), actor="test")
    case = await owing(network)
    claim = await held(network.ledger, "claim", network.venues["raffinerie"].owner)
    await network.top_up("awa", 100)
    await booking.cover(network.ledger, NADIA, case.fault, "policy", "Festival over", DAY)
    assert claim - await held(network.ledger, "claim", network.venues["raffinerie"].owner) == 100
    assert await held(network.ledger, "losses") == 200
    await proves(network)


async def test_a_debt_that_was_repaid_is_done_by_itself_and_nothing_is_booked(network: Network) -> None:
    case = await owing(network)
    await network.top_up("awa", 1000)
    now = await service.case(network.ledger, NADIA, case.fault.key)
    assert (now.state, now.by_itself) == ("done", True)
    with pytest.raises(Conflict):
        await booking.cover(network.ledger, NADIA, case.fault, "network", "Late", DAY)
    for _ in range(2):
        assert service.counted(await service.close_what_is_gone(network.ledger)) == {}
    kept = await service.case(network.ledger, NADIA, case.fault.key)
    assert [(it.act, it.actor) for it in kept.steps] == [("done", "server")]
    assert (await network.get("nadia", "/exceptions")).json() == []


async def test_the_menu_is_told_how_much_is_open(network: Network) -> None:
    await owing(network)
    counts: dict[str, Mapping[UUID | None, int]] = {}
    told = asyncio.create_task(run_for_ever(network.ledger, counts))
    while not counts:
        await asyncio.sleep(0.01)
    told.cancel()
    assert counts == {"/admin/exceptions": {network.venues["raffinerie"].id: 1}}
    network.app.state.menu_counts.update(counts)
    for login, told_how_many in (("marie", True), ("nadia", True), ("yann", False)):
        menu = words(await look(await network.person(login), "/admin/closings"))
        assert "À voir" in menu
        assert ("À voir (1)" in menu) == told_how_many


async def test_an_unknown_card_is_found_and_pays(network: Network) -> None:
    await network.top_up("basile", 60)
    case = await unknown(network)
    claim = await held(network.ledger, "claim", network.venues["raffinerie"].owner)
    basile = network.cards["basile"]
    both_at_once = await asyncio.gather(
        booking.link(network.ledger, NADIA, case.fault, basile, "It was Basile's old card", DAY),
        booking.write_off(network.ledger, OMAR, case.fault, "network", "Nobody's", DAY),
        return_exceptions=True,
    )
    assert len({str(it) for it in both_at_once if isinstance(it, UUID)}) == 1
    assert await held(network.ledger, "suspense") == 0
    assert await held(network.ledger, "claim", network.venues["raffinerie"].owner) == claim
    wallet, overdraft = [await held(network.ledger, it, basile.owner) for it in ("wallet", "overdraft")]
    assert (wallet, overdraft, await held(network.ledger, "losses")) in {(0, -40, 0), (60, 0, 100)}
    await proves(network)


async def test_a_sale_that_was_taken_back_is_not_charged_to_anybody(network: Network) -> None:
    case = await unknown(network)
    sale = case.fault.operation
    assert sale is not None
    path = f"/venues/{network.venues['raffinerie'].id}/sales/{sale}/void"
    assert (await network.post("nadia", path, {"reason": "Wrong drink"})).status_code == 201
    assert (await service.case(network.ledger, NADIA, case.fault.key)).by_itself
    with pytest.raises(Conflict):
        await booking.link(network.ledger, NADIA, case.fault, network.cards["awa"], "Hers", DAY)
    await proves(network)


@pytest.mark.parametrize("how", ["link", "policy", "network"])
async def test_a_sale_that_was_put_right_may_be_taken_back_afterwards(network: Network, how: str) -> None:
    """The money goes back to whoever paid: the card that was found for it, or the network that bore the loss. Basile
    holds 0.60 of the 1.00, and the terminal's void of the sale comes twice."""
    async with network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(cover="shared", venue_share=3_000), actor="test")
    await network.top_up("basile", 60)
    bar = await network.terminal("raffinerie")
    row = bar.sale_row(UNKNOWN_UID, {"Eau": 1})
    await bar.deliver(row)
    case = await found(network, "unknown-card")
    basile = network.cards["basile"]
    if how == "link":
        await booking.link(network.ledger, NADIA, case.fault, basile, "It was Basile's old card", DAY)
    else:
        await booking.write_off(network.ledger, NADIA, case.fault, how, "Nobody came for it", DAY)  # type: ignore[arg-type]
    for _ in range(2):
        await bar.deliver(VoidRow(id=uuid7(), sale=row.sale.id, at_us=now_us(), reason="Erreur", cashier=None))
    assert (
        await held(network.ledger, "wallet", basile.owner),
        await held(network.ledger, "overdraft", basile.owner),
    ) == (
        60,
        0,
    )
    owner = network.venues["raffinerie"].owner
    assert [await held(network.ledger, it, of) for it, of in (("claim", owner), ("suspense", ""), ("losses", ""))] == [
        0
    ] * 3
    assert [kind for kind, _ in await network.exceptions()] == ["unknown-card"]
    await proves(network)


async def test_a_card_that_is_found_at_the_moment_of_the_void_pays_nothing(network: Network) -> None:
    await network.top_up("basile", 500)
    bar = await network.terminal("raffinerie")
    row = bar.sale_row(UNKNOWN_UID, {"Eau": 1})
    await bar.deliver(row)
    case = await found(network, "unknown-card")
    basile = network.cards["basile"]
    reversal = Ledger.reversal

    async def found_meanwhile(*arguments: Any, **more: Any) -> Operation:
        operation = await reversal(*arguments, **more)
        if not any(it.operation for it in (await service.case(network.ledger, NADIA, case.fault.key)).steps):
            await booking.link(network.ledger, NADIA, case.fault, basile, "His", DAY)
        return operation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "reversal", found_meanwhile)
        await bar.deliver(VoidRow(id=uuid7(), sale=row.sale.id, at_us=now_us(), reason="Erreur", cashier=None))
    assert await held(network.ledger, "wallet", basile.owner) == 500
    assert await held(network.ledger, "claim", network.venues["raffinerie"].owner) == 0
    await proves(network)


async def test_an_unknown_card_s_sale_is_shared_by_the_terms(network: Network) -> None:
    async with network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(cover="shared", venue_share=3_000), actor="test")
    case = await unknown(network)
    await booking.write_off(network.ledger, NADIA, case.fault, "policy", "Nobody came for it", DAY)
    assert await held(network.ledger, "claim", network.venues["raffinerie"].owner) == 70
    assert (await held(network.ledger, "suspense"), await held(network.ledger, "losses")) == (0, 70)
    await proves(network)


async def test_steps_follow_each_other_and_stay(network: Network) -> None:
    case = await owing(network)
    key, mine = case.fault.key, marie(network)
    taken = await service.do(network.ledger, mine, key, "take", seen=0)
    assert taken.owner == mine.actor
    with pytest.raises(Conflict, match="meanwhile"):
        await service.do(network.ledger, NADIA, key, "wait", seen=0)
    with pytest.raises(Invalid):
        await service.do(network.ledger, mine, key, "done", seen=1)
    closed = await service.do(network.ledger, mine, key, "done", seen=1, text="The holder comes back tomorrow")
    assert (closed.state, closed.needs_reason) == ("done", True)
    assert (await network.get("nadia", "/exceptions")).json() == []
    opened = await service.do(network.ledger, mine, key, "open", seen=2, text="They did not")
    assert opened.state == "open"
    assert len((await network.get("nadia", "/exceptions")).json()) == 1
    with pytest.raises(NotFound):
        await service.case(network.ledger, Principal(grants=frozenset({Grant(Role.VENUE_ADMIN, uuid7())})), key)
    for change in (sa.update(step).values(text="x"), sa.delete(step)):
        with pytest.raises(sa.exc.DBAPIError):
            async with network.engine.begin() as connection:
                await connection.execute(change)


async def test_a_line_of_the_bank_is_not_closed_here(network: Network) -> None:
    from app.banking import importing  # noqa: PLC0415 (one test of many)
    from app.banking import service as banking  # noqa: PLC0415

    content = camt053([entry("12.00", "CRDT", party="Somebody")], "0", "12.00")
    await importing.take_in(network.engine, "november.xml", content, "", actor="person:nadia")
    case = await found(network, "bank-line")
    await service.do(network.ledger, NADIA, case.fault.key, "take", seen=0)
    with pytest.raises(Conflict):
        await service.do(network.ledger, NADIA, case.fault.key, "done", seen=1, text="Not ours")
    line = UUID(case.fault.key.partition(":")[2])
    await banking.decide(network.engine, network.ledger, line, "aside", "", DAY, actor="test", reason="Not ours")
    now = await found(network, "bank-line")
    assert (now.state, now.owner) == ("done", NADIA.actor)
    assert not [it for it in await service.cases(network.ledger, marie(network)) if it.fault.kind == "bank-line"]


async def test_what_was_paid_and_not_credited_shows(network: Network) -> None:
    id_, card = uuid7(), network.cards["awa"]
    row = {"id": id_, "wallet": card.wallet, "card": card.id, "currency": "RAF", "amount": 2000, "euro_cents": 2000}
    row |= {"provider": "sandbox", "reference": "sb_1", "status": "failed", "created_at_us": 1, "changed_at_us": 1}
    async with network.engine.begin() as connection:
        await connection.execute(sa.insert(topup).values(**row))
        assert await topups.doubtful(connection, 10, 10) == []
        await connection.execute(sa.update(topup).values(paid_at_us=5))
    case = await found(network, "paid-not-credited")
    assert (case.state, case.fault.key) == ("open", f"topup:{id_}")


async def test_the_network_repays_its_reserve_once(network: Network) -> None:
    case = await owing(network)
    await booking.cover(network.ledger, NADIA, case.fault, "network", "Lost", DAY)
    owed = await found(network, "reserve-owed")
    cents = owed.fault.facts["cents"]
    assert cents == 400
    done = await asyncio.gather(
        *(booking.repay_reserve(network.ledger, NADIA, owed.fault, cents, "Transfer of today", DAY) for _ in range(2)),
        return_exceptions=True,
    )
    assert len({it for it in done if isinstance(it, UUID)}) == 1
    assert all(isinstance(it, UUID | DomainError) for it in done)
    assert await held(network.ledger, "due_from", "operating") == 0
    assert await held(network.ledger, "due_to_reserve") == 0
    assert (await found(network, "reserve-owed")).state == "done"
    (sale,) = await service.cases(network.ledger, marie(network))
    assert sale.state == "done"
    # It owes again: the same exception is open again.
    bar = await network.terminal("raffinerie", "Terrasse")
    await bar.deliver(bar.sale_row("basile", {"Eau": 1}))
    (second,) = [it for it in await service.cases(network.ledger, marie(network)) if it.state == "open"]
    await booking.cover(network.ledger, NADIA, second.fault, "network", "Lost too", DAY)
    again = await found(network, "reserve-owed")
    assert (again.state, again.fault.facts["cents"]) == ("open", 100)
    await booking.repay_reserve(network.ledger, NADIA, again.fault, 100, "Transfer of tomorrow", DAY)
    assert await held(network.ledger, "due_from", "operating") == 0
    await proves(network)
