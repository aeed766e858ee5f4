"""Points are set aside while a thing is out, given back with it, and lost with it."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import sqlalchemy as sa

from app.mutual.loans import NEVER_US
from app.mutual.members import set_roles
from app.mutual.tables import loan
from app.platform.clock import now_us
from app.rules.ids import uuid7
from tests.app.mutual.conftest import Club
from tests.support.network import CARDS, both, problem

pytestmark = pytest.mark.anyio

DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def lend(club: Club, points: int = 30, key: object = None, **change: object) -> httpx.Response:
    body = {
        "currency": "PTS",
        "borrower": CARDS["awa"],
        "points": points,
        "thing": "Barnum 3 x 3",
        "due_at_us": 2_000_000_000_000_000,
    }
    return await club.ask("/loans", {**body, **change}, key)


async def held(club: Club, who: str = "awa") -> tuple[int, int]:
    """(points, of which reserved)"""
    members = (await club.network.get("nadia", "/members")).json()
    (of,) = [it["held"]["PTS"] for it in members if it["card"] == CARDS[who]]
    return of["balance"], of["reserved"]


async def ended(club: Club, id_: str, **how: object) -> httpx.Response:
    return await club.ask(f"/loans/{id_}/end", how)


@both
async def test_points_are_set_aside_until_the_thing_is_back(club: Club) -> None:
    await club.points("awa", 50)
    answer = await lend(club)
    assert answer.status_code == 201, answer.text
    assert await held(club) == (50, 30)
    (out,) = (await club.network.get("nadia", "/loans")).json()
    assert (out["thing"], out["points"], out["status"], out["overdue"]) == ("Barnum 3 x 3", 30, "out", False)
    back = await ended(club, answer.json()["id"])
    assert (back.json()["status"], back.json()["spent"]) == ("returned", 0)
    assert await held(club) == (50, 0)
    assert (await club.network.get("nadia", "/loans")).json() == []


async def test_points_that_are_set_aside_are_lent_once(club: Club) -> None:
    await club.points("awa", 50)
    await lend(club, 30)
    assert problem(await lend(club, 21)) == (402, "insufficient-funds")
    assert len((await club.network.get("nadia", "/loans")).json()) == 1, "what was refused is no loan"
    assert (await lend(club, 20)).status_code == 201


@both
async def test_a_lost_thing_costs_its_lender_s_points(club: Club) -> None:
    await club.points("awa", 50)
    it = (await lend(club, lender=CARDS["basile"])).json()
    gone = await ended(club, it["id"], lost=True)
    assert (gone.json()["status"], gone.json()["spent"]) == ("lost", 30)
    assert await club.book("PTS") == {
        ("PTS", "issuance", ""): 50,
        ("PTS", "wallet", "awa"): 20,
        ("PTS", "wallet", "basile"): 30,
    }


async def test_what_is_everybody_s_is_paid_to_nobody(club: Club) -> None:
    await club.points("awa", 50)
    it = (await lend(club)).json()
    back = await ended(club, it["id"], spent=5)
    assert (back.json()["status"], back.json()["spent"]) == ("returned", 5)
    assert await club.book("PTS") == {("PTS", "issuance", ""): 45, ("PTS", "wallet", "awa"): 45}
    assert await held(club) == (45, 0)


async def test_a_loan_ends_once(club: Club) -> None:
    await club.points("awa", 50)
    it = (await lend(club)).json()
    assert problem(await ended(club, it["id"], spent=31)) == (422, "invalid")
    assert (await ended(club, it["id"], spent=5)).status_code == 200
    assert (await ended(club, it["id"], spent=5)).json()["spent"] == 5, "asked again, it is the same"
    assert problem(await ended(club, it["id"], lost=True)) == (409, "loan-ended")
    assert problem(await ended(club, str(uuid7()), lost=True)) == (404, "not-found")


@both
async def test_of_two_ends_at_once_one_counts_and_the_register_tells_which(club: Club) -> None:
    await club.points("awa", 50)
    it = (await lend(club)).json()
    back, lost = await asyncio.gather(ended(club, it["id"]), ended(club, it["id"], lost=True))
    assert {back.status_code, lost.status_code} == {200, 409}
    (told,) = (
        await club.network.get("nadia", f"/loans?status={'returned' if back.status_code == 200 else 'lost'}")
    ).json()
    assert told["id"] == it["id"]
    assert await held(club) == ((50, 0) if back.status_code == 200 else (20, 0))


async def test_an_end_that_the_register_missed_is_noted_by_the_next_who_asks(club: Club) -> None:
    """The server stopped between the ledger and the register."""
    await club.points("awa", 50)
    it = (await lend(club)).json()
    await ended(club, it["id"], lost=True)
    async with club.network.engine.begin() as connection:
        again = {"status": "out", "spent": 0, "ended_at_us": None, "ended_by": None}
        await connection.execute(sa.update(loan).values(again))
    assert problem(await ended(club, it["id"])) == (409, "loan-ended")
    (told,) = (await club.network.get("nadia", "/loans?status=lost")).json()
    assert told["spent"] == 30


async def test_the_same_request_again_sets_nothing_more_aside(club: Club) -> None:
    await club.points("awa", 50)
    key = uuid7()
    assert [(await lend(club, key=key)).status_code for _ in range(2)] == [201, 201]
    assert await held(club) == (50, 30)
    assert problem(await lend(club, 31, key=key)) == (422, "idempotency-key-reused")
    await ended(club, str(key))
    assert (await lend(club, key=key)).json()["status"] == "returned"
    assert await held(club) == (50, 0)


async def test_a_loan_outlasts_the_sweep_of_holds(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    await club.points("awa", 50)
    await lend(club)
    monkeypatch.setattr("app.ledger.service.now_us", lambda: NEVER_US - 1)
    assert await club.network.ledger.release_expired() == 0
    assert await held(club) == (50, 30)


async def test_what_is_not_back_in_time_is_overdue(club: Club) -> None:
    await club.points("awa", 50)
    await lend(club, due_at_us=now_us() - DAY_US)
    (out,) = (await club.network.get("nadia", "/loans")).json()
    assert out["overdue"]


async def test_only_users_borrow_and_only_points(club: Club) -> None:
    await club.points("awa", 50)
    await set_roles(club.network.engine, club.members["awa"], ("contributor",), "test")
    assert problem(await lend(club)) == (403, "role-missing")
    await set_roles(club.network.engine, club.members["awa"], ("user",), "test")
    assert problem(await lend(club, currency="RAF")) == (422, "currency-not-accepted")
    assert problem(await lend(club, lender=CARDS["awa"])) == (422, "invalid")
    await club.network.block("awa")
    assert problem(await lend(club)) == (403, "card-blocked")
