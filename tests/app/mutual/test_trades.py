"""Members trade to their credit limit; what one is up, the others are down."""

from __future__ import annotations

import asyncio

import pytest

from app.cards.service import add_card
from app.ledger.rules.kinds import AccountKey
from app.ledger.service import currency_book
from app.rules.ids import uuid7
from app.rules.policy import Fee, Limits, Policy
from app.venues.rules import NetworkSettings
from app.venues.service import set_network
from tests.app.mutual.conftest import CREDIT, Club
from tests.support.network import CARDS, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@both
async def test_a_trade_of_1000_costs_the_seller_5_percent_in_the_currency(club: Club) -> None:
    answer = await club.trade("awa", "basile", 1_000_00)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"booked": 1, "amount": 1_000_00, "commission": 50_00, "commission_in": "BAR"}
    found = await club.book("BAR", "EUR")
    assert found == {
        ("BAR", "wallet", "awa"): -1_000_00,
        ("BAR", "wallet", "basile"): 950_00,
        ("BAR", "claim", "network"): 50_00,
    }
    assert sum(found.values()) == 0


async def test_the_operation_bears_its_policy_and_its_reason(club: Club) -> None:
    key = uuid7()
    await club.trade("awa", "basile", 100, key)
    booked = (await club.network.ledger.booked([key]))[key]
    assert booked.policy == "BAR@1"
    assert '"reason":"Une table"' in booked.details


@both
async def test_in_euros_the_commission_is_a_receivable_and_income_with_its_vat_apart(club: Club) -> None:
    async with club.network.engine.begin() as connection:
        await set_network(connection, "Les Comptoirs liés", NetworkSettings(fee_vat_basis_points=2000))
    await club.rules("BAR", Policy(limits=Limits(floor=-CREDIT), commission=Fee(500, payer="buyer", in_euros=True)))
    answer = (await club.trade("awa", "basile", 1_000_00)).json()
    assert (answer["commission"], answer["commission_in"]) == (50_00, "EUR")
    assert await club.book("BAR", "EUR") == {
        ("BAR", "wallet", "awa"): -1_000_00,
        ("BAR", "wallet", "basile"): 1_000_00,
        ("EUR", "receivable", "awa"): 50_00,
        ("EUR", "fee_income", ""): 41_67,
        ("EUR", "vat", ""): 8_33,
    }
    shown = {it["name"]: it for it in (await club.network.get("nadia", "/members")).json()}
    assert shown["Awa et associés"]["receivable_cents"] == 50_00


async def test_the_commission_may_go_to_the_common_fund(club: Club) -> None:
    await club.rules(
        "BAR", Policy(limits=Limits(floor=-CREDIT), commission=Fee(500, payer="buyer", beneficiary="fund"))
    )
    await club.trade("awa", "basile", 1_000_00)
    assert await club.book("BAR") == {
        ("BAR", "wallet", "awa"): -1_050_00,
        ("BAR", "wallet", "basile"): 1_000_00,
        ("BAR", "fund", "fund:common"): 50_00,
    }


@both
async def test_a_member_buys_to_the_credit_limit_and_not_beyond(club: Club) -> None:
    assert (await club.trade("awa", "basile", CREDIT)).status_code == 201
    assert problem(await club.trade("awa", "basile", 1)) == (402, "insufficient-funds")
    assert (await club.trade("camille", "awa", 100_00)).status_code == 201
    assert (await club.trade("awa", "camille", 95_00)).status_code == 201, "what was earned, less its commission"
    assert problem(await club.trade("awa", "camille", 1)) == (402, "insufficient-funds")


async def test_what_members_may_still_pay_is_shown(club: Club) -> None:
    await club.trade("awa", "basile", 300_00)
    shown = {it["card"]: it["held"]["BAR"] for it in (await club.network.get("nadia", "/members")).json()}
    assert shown[CARDS["awa"]] == {"balance": -300_00, "reserved": 0, "credit": CREDIT, "free": CREDIT - 300_00}
    assert shown[CARDS["basile"]]["free"] == CREDIT + 285_00


async def test_a_line_that_was_changed_since_stays_as_it_is(club: Club) -> None:
    key = AccountKey(currency_book("network", "BAR"), "wallet", club.members["awa"].owner)
    (wallet,) = await club.network.ledger.accounts([key])
    async with club.network.engine.begin() as connection:
        await club.network.ledger.set_floor(connection, wallet, -10_00)
    assert problem(await club.trade("awa", "basile", 10_01)) == (402, "insufficient-funds")


async def test_the_same_request_again_gets_the_first_answer_whatever_the_rules_say_now(club: Club) -> None:
    key = uuid7()
    first = await club.trade("awa", "basile", 1_000_00, key)
    await club.rules("BAR", Policy(limits=Limits(floor=-CREDIT), commission=Fee(900)))
    again = await club.trade("awa", "basile", 1_000_00, key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert problem(await club.trade("awa", "basile", 999_00, key)) == (422, "idempotency-key-reused")
    assert await club.has("awa", "BAR") == -1_000_00


async def test_a_trade_taken_back_takes_its_commission_back(club: Club) -> None:
    key = uuid7()
    await club.trade("awa", "basile", 1_000_00, key)
    assert (await club.ask(f"/trades/{key}/reversal", {"reason": "Erreur"})).status_code == 201
    assert await club.book("BAR") == {}
    assert problem(await club.ask(f"/trades/{key}/reversal", {"reason": "Erreur"})) == (409, "already-reversed")
    assert problem(await club.ask(f"/trades/{uuid7()}/reversal", {"reason": "Erreur"})) == (404, "not-found")


async def test_a_seller_without_credit_can_give_a_trade_back(club: Club) -> None:
    key = AccountKey(currency_book("network", "BAR"), "wallet", club.members["basile"].owner)
    (wallet,) = await club.network.ledger.accounts([key])
    async with club.network.engine.begin() as connection:
        await club.network.ledger.set_floor(connection, wallet, 0)
    trade = uuid7()
    await club.trade("awa", "basile", 1_000_00, trade)
    assert await club.has("basile", "BAR") == 950_00
    assert (await club.ask(f"/trades/{trade}/reversal", {"reason": "Erreur"})).status_code == 201
    assert await club.book("BAR") == {}


async def test_only_members_trade_and_only_with_others(club: Club) -> None:
    async with club.network.engine.begin() as connection:
        await add_card(connection, "04A0000000A0FF", "Sans nom")
    body = {"currency": "BAR", "buyer": CARDS["awa"], "seller": CARDS["basile"], "amount": 100, "reason": "Bois"}
    for change, expected in (
        ({"seller": "04A0000000A0FF"}, (404, "member-unknown")),
        ({"seller": str(uuid7())}, (404, "member-unknown")),
        ({"seller": CARDS["awa"]}, (422, "invalid")),
        ({"currency": "RAF"}, (422, "currency-not-accepted")),
        ({"currency": "NADA"}, (422, "currency-not-accepted")),
        ({"amount": 0}, (422, "invalid")),
        ({"reason": ""}, (422, "invalid")),
    ):
        assert problem(await club.ask("/trades", {**body, **change})) == expected, change
    await club.network.block("basile")
    assert problem(await club.ask("/trades", body)) == (403, "card-blocked")
    by_id = {**body, "seller": str(club.members["camille"].id)}
    assert (await club.ask("/trades", by_id)).status_code == 201


@both
async def test_two_at_once_cannot_both_use_what_a_day_has_left(club: Club) -> None:
    await club.rules("BAR", Policy(limits=Limits(floor=-CREDIT, per_day=100_00, per_payment=80_00)))
    answers = await asyncio.gather(*(club.trade("awa", "basile", 60_00) for _ in range(3)))
    assert sorted(it.status_code for it in answers) == [201, 409, 409]
    assert problem(await club.trade("awa", "basile", 80_01)) == (409, "spending-limit")
    assert (await club.trade("awa", "basile", 40_00)).status_code == 201


async def test_a_seller_holds_no_more_than_the_ceiling(club: Club) -> None:
    await club.rules("BAR", Policy(limits=Limits(floor=-CREDIT, ceiling=100_00)))
    assert (await club.trade("awa", "basile", 100_00)).status_code == 201
    assert problem(await club.trade("camille", "basile", 1)) == (409, "over-ceiling")


async def test_a_statement_tells_what_happened_with_whom(club: Club) -> None:
    await club.trade("awa", "basile", 1_000_00)
    (line,) = (await club.network.get("nadia", f"/members/{club.members['awa'].id}/statement/BAR")).json()
    assert (line["kind"], line["change"], line["after"]) == ("trade", -1_000_00, -1_000_00)
    assert (line["reason"], line["other"]) == ("Une table", CARDS["basile"])
    lines = (await club.network.get("nadia", f"/members/{club.members['basile'].id}/statement/BAR")).json()
    assert [it["change"] for it in lines] == [-50_00, 1_000_00]
