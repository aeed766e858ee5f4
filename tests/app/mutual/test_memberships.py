"""A membership of 235 euros, of which 100 buy shares: paid once, kept in the register."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest
import sqlalchemy as sa

from app.mutual.tables import membership
from app.rules.ids import uuid7
from tests.app.mutual.conftest import Club
from tests.support.network import CARDS, both, problem

pytestmark = pytest.mark.anyio

PLAN = {"name_fr": "Adhésion", "name_en": "Membership", "price_cents": 235_00, "shares_cents": 100_00}
EARNED = {("EUR", "capital", ""): 100_00, ("EUR", "membership_income", ""): 135_00}


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def plan(club: Club, **change: object) -> httpx.Response:
    client = await club.network.person("nadia")
    return await client.put("/api/v1/membership-plans/coop", json={**PLAN, **change})


async def join(club: Club, key: object = None, **how: object) -> httpx.Response:
    return await club.ask("/memberships", {"member": CARDS["awa"], "plan": "coop", **how}, key)


@both
async def test_paid_online_it_is_shares_and_income_due_from_the_reserve(club: Club) -> None:
    assert (await plan(club)).status_code == 200
    answer = await join(club, means="online", provider="sandbox", reference="p-1")
    assert answer.status_code == 201, answer.text
    assert await club.book("EUR") == EARNED | {
        ("EUR", "clearing", "sandbox"): 235_00,
        ("EUR", "payable", "operating"): 235_00,
        ("EUR", "due_from_reserve", ""): 235_00,
    }
    (row,) = (await club.network.get("nadia", "/memberships")).json()
    assert (row["member"], row["price_cents"], row["shares_cents"]) == (str(club.members["awa"].id), 235_00, 100_00)
    first = date.fromisoformat(row["first_day"])
    assert date.fromisoformat(row["last_day"]) == first + timedelta(364)


async def test_paid_in_cash_the_venue_owes_it(club: Club) -> None:
    await plan(club)
    venue = club.network.venues["canal"]
    assert problem(await join(club, means="cash")) == (422, "invalid")
    assert (await join(club, means="cash", venue=str(venue.id))).status_code == 201
    assert await club.book("EUR") == EARNED | {
        ("EUR", "due_from", venue.owner): 235_00,
        ("EUR", "payable", "operating"): 235_00,
        ("EUR", "due_from_reserve", ""): 235_00,
    }


async def test_paid_to_the_bank_it_never_passes_the_reserve(club: Club) -> None:
    await plan(club)
    assert (await join(club, means="transfer")).status_code == 201
    assert await club.book("EUR") == EARNED | {("EUR", "bank", ""): 235_00}


@both
async def test_paid_with_the_card_the_units_leave_circulation(club: Club) -> None:
    await plan(club)
    await club.network.top_up("awa", 300_00)
    assert problem(await join(club, means="card")) == (422, "currency-not-accepted")
    assert problem(await join(club, means="card", currency="TEMPS")) == (422, "currency-not-accepted")
    assert (await join(club, means="card", currency="RAF")).status_code == 201
    assert await club.has("awa", "RAF") == 65_00
    assert await club.book("RAF") == {("RAF", "issuance", ""): 65_00, ("RAF", "wallet", "awa"): 65_00}
    assert problem(await join(club, means="card", currency="RAF")) == (402, "insufficient-funds")


async def test_paid_twice_under_one_key_it_is_paid_once(club: Club) -> None:
    await plan(club)
    key = uuid7()
    first = await join(club, key, means="transfer")
    assert (await join(club, key, means="transfer")).json() == first.json()
    assert problem(await join(club, key, means="cash", venue=str(club.network.venues["canal"].id))) == (
        422,
        "idempotency-key-reused",
    )
    assert (await club.book("EUR"))["EUR", "bank", ""] == 235_00


async def test_a_payment_that_the_register_missed_is_entered_at_its_price(club: Club) -> None:
    """The server stopped between the ledger and the register, and the price has changed since."""
    await plan(club)
    key = uuid7()
    first = await join(club, key, means="transfer")
    async with club.network.engine.begin() as connection:
        await connection.execute(sa.delete(membership))
    await plan(club, price_cents=250_00)
    assert (await join(club, key, means="transfer")).json() == first.json()


async def test_a_plan_holds_together(club: Club) -> None:
    assert problem(await plan(club, shares_cents=236_00)) == (422, "invalid")
    assert problem(await join(club, means="transfer")) == (404, "not-found")
    await plan(club, shares_cents=0, days=30)
    assert (await club.network.get("marie", "/membership-plans")).json() == [
        {"code": "coop", **PLAN, "shares_cents": 0, "days": 30}
    ]
    await join(club, means="transfer")
    assert await club.book("EUR") == {("EUR", "bank", ""): 235_00, ("EUR", "membership_income", ""): 235_00}
