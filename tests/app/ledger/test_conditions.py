"""Conditions beyond what the accounts ask for: caps on what moves in a time, and bounds on what is held together."""

from __future__ import annotations

import asyncio
from datetime import date
from hashlib import sha256
from uuid import UUID

import pytest

from app.ledger.rules.operations import Cap, Flow, Operation, Posted, Posting, Refused, Within
from app.ledger.service import Ledger
from app.platform.errors import Conflict
from app.rules.ids import uuid7
from tests.app.ledger.conftest import KEY, Books

DAY = date(2026, 11, 22)


def shift(
    books: Books, amount: int, most: int, *, id_: UUID | None = None, day: date = DAY, kind: str = "shift"
) -> Operation:
    wallet, issued = books.ids["alice hours"], books.ids["hours issued"]
    flow = Flow((wallet,), True, ("shift",), day, day)
    return Operation(
        id=id_ or uuid7(),
        kind=kind,
        fingerprint=sha256(str(amount).encode()).digest(),
        postings=(Posting(issued, wallet, amount),),
        actor="test",
        occurred_at_us=0,
        business_day=day,
        conditions=(Cap(flow, most, "daily-cap"),),
    )


async def test_a_cap_counts_what_came_before_and_what_comes_in_the_same_batch(books: Books) -> None:
    first = await books.ledger.post([shift(books, 300, 600)])
    rest = await books.ledger.post([shift(books, 200, 600), shift(books, 101, 600), shift(books, 100, 600)])
    assert [type(it) for it in (*first, *rest)] == [Posted, Posted, Refused, Posted]
    assert rest[1] == Refused("daily-cap", books.ids["alice hours"])
    assert await books.balance("alice hours") == 600


async def test_a_cap_counts_its_own_days_and_kinds_alone(books: Books) -> None:
    await books.ledger.post([shift(books, 600, 600)])
    (other_day, other_kind, again) = await books.ledger.post(
        [
            shift(books, 600, 600, day=date(2026, 11, 23)),
            shift(books, 50, 600, kind="correction"),
            shift(books, 1, 600),
        ]
    )
    assert isinstance(other_day, Posted)
    assert isinstance(other_kind, Posted), "what the cap is not about does not count for it"
    assert isinstance(again, Refused)


async def test_what_was_taken_back_makes_room(books: Books) -> None:
    wrong = shift(books, 600, 600)
    await books.ledger.post([wrong])
    original = (await books.ledger.booked([wrong.id]))[wrong.id]
    back = await books.ledger.reversal(original, uuid7(), actor="test", occurred_at_us=0, business_day=DAY)
    assert isinstance((await books.ledger.post([back]))[0], Posted)
    assert isinstance((await books.ledger.post([shift(books, 600, 600)]))[0], Posted)
    assert await books.ledger.flow(Flow((books.ids["alice hours"],), True, ("shift",), DAY, DAY)) == 600


async def test_a_refusal_is_remembered_and_a_booked_operation_meets_no_condition_again(books: Books) -> None:
    key, booked = uuid7(), uuid7()
    await books.ledger.post([shift(books, 700, 600, id_=key)])
    (again,) = await books.ledger.post([shift(books, 700, 1000, id_=key)])
    assert again == Refused("daily-cap", replayed=True)
    await books.ledger.post([shift(books, 500, 600, id_=booked)])
    (replay,) = await books.ledger.post([shift(books, 500, 1, id_=booked)])
    assert isinstance(replay, Posted)
    assert replay.replayed


async def test_several_processes_at_once_never_pass_the_cap(books: Books, database_url: str) -> None:
    """Each ledger has its own connection and writer, as each process has."""
    others = [Ledger.open(books.engine, database_url, KEY) for _ in range(2)]
    for other in others:
        await other.start()
    try:
        ledgers = [books.ledger, *others]
        outcomes = await asyncio.gather(*(ledger.post([shift(books, 70, 600)]) for _ in range(8) for ledger in ledgers))
    finally:
        for other in others:
            await other.stop()
    assert sum(isinstance(it, Posted) for (it,) in outcomes) == 600 // 70
    assert await books.balance("alice hours") == 600 // 70 * 70


async def test_accounts_are_held_within_bounds_together(books: Books) -> None:
    await books.ledger.post([shift(books, 100, 600)])
    wallet, claim = books.ids["alice hours"], books.ids["hours claim"]

    def moved(amount: int, condition: Within) -> Operation:
        postings = (Posting(wallet, claim, amount),)
        mark = sha256(f"{amount}".encode()).digest()
        return Operation(uuid7(), "sale", mark, postings, "test", 0, DAY, conditions=(condition,))

    most = Within((claim,), "over-ceiling", most=60)
    least = Within((wallet, claim), "over-claim", least=101)
    outcomes = await books.ledger.post([moved(61, most), moved(60, most), moved(1, least)])
    assert outcomes[0] == Refused("over-ceiling", claim)
    assert isinstance(outcomes[1], Posted)
    assert outcomes[2] == Refused("over-claim", wallet)


async def test_a_floor_moves_as_far_as_the_balance_lets_it(books: Books) -> None:
    wallet = books.ids["alice hours"]
    await set_floor(books, wallet, -50)
    owes = Operation(uuid7(), "sale", bytes(32), (Posting(wallet, books.ids["hours claim"], 50),), "test", 0, DAY)
    assert isinstance((await books.ledger.post([owes]))[0], Posted)
    for floor in (0, -49):
        with pytest.raises(Conflict, match="in use"):
            await set_floor(books, wallet, floor)
    await set_floor(books, wallet, -50)
    await set_floor(books, wallet, -80)


async def set_floor(books: Books, account: int, floor: int) -> None:
    async with books.engine.begin() as connection:
        await books.ledger.set_floor(connection, account, floor)
