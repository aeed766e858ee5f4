"""How much of a currency there is, now and at past instants, against sums made by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Posted
from app.ledger.service import KindSum, currency_book

from .conftest import Books

pytestmark = pytest.mark.anyio

BAR = currency_book("network", "BAR")


@dataclass
class Clock:
    at_us: int = 1_000

    def __call__(self) -> int:
        return self.at_us


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.ledger.pipeline.now_us", clock)
    return clock


async def test_supply_is_what_was_issued_and_not_taken_back(books: Books, clock: Clock) -> None:
    await books.top_up("alice", 500)
    clock.at_us = 2_000
    await books.top_up("bob", 300)
    clock.at_us = 3_000
    assert isinstance(await books.post(("alice", "claim", 200)), Posted)
    clock.at_us = 4_000
    assert isinstance(await books.post(("claim", "issuance", 150), ("liability", "payable bar", 150)), Posted)
    told = await books.ledger.history.supply("RAF", [0, 999, 1_000, 1_999, 2_000, 3_999, 4_000, 10**15])
    assert told == [0, 0, 500, 500, 800, 800, 650, 650]


async def test_currencies_are_counted_apart(books: Books, clock: Clock) -> None:
    await books.top_up("alice", 500)
    assert isinstance(await books.post(("hours issued", "alice hours", 180)), Posted)
    now = [clock.at_us]
    found = {code: await books.ledger.history.supply(code, now) for code in ("RAF", "TIME", "GHOST")}
    assert found == {"RAF": [500], "TIME": [180], "GHOST": [0]}


async def test_what_nobody_issues_is_there_as_far_as_members_hold_it(books: Books, clock: Clock) -> None:
    keys = [AccountKey(BAR, "wallet", f"wallet:{name}") for name in ("anna", "ben", "carl")]
    anna, ben, carl = await books.ledger.accounts(keys)
    async with books.engine.begin() as connection:
        for account in (anna, ben):
            await books.ledger.set_floor(connection, account, -1_000)
    books.ids |= {"anna": anna, "ben": ben, "carl": carl}
    assert isinstance(await books.post(("anna", "carl", 700)), Posted)
    clock.at_us = 2_000
    assert isinstance(await books.post(("ben", "anna", 900)), Posted)
    clock.at_us = 3_000
    assert isinstance(await books.post(("carl", "ben", 700)), Posted)
    assert await books.ledger.history.supply("BAR", [999, 1_000, 2_000, 3_000]) == [0, 700, 900, 200]


async def test_balances_are_summed_by_kind_of_account(books: Books, clock: Clock) -> None:
    del clock
    await books.top_up("alice", 500)
    await books.top_up("bob", 300)
    assert isinstance(await books.post(("alice", "claim", 500)), Posted)
    found = {it.kind: it for it in await books.ledger.history.by_kind("RAF")}
    assert found["issuance"] == KindSum("issuance", 1, 800)
    assert found["wallet"] == KindSum("wallet", 1, 300)
    assert found["claim"] == KindSum("claim", 1, 500)
    assert found["deposit"] == KindSum("deposit", 0, 0)
    assert "liability" not in found, "euros are another book's"
