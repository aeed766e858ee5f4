"""What a venue did on one business day, and that asking for it stays cheap however long the history is."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.rules.operations import Posted
from app.ledger.service import Moved
from app.ledger.store import venue_days
from app.platform.database import is_sqlite
from tests.app.ledger.conftest import Books

BAR, OTHER = UUID(int=1), UUID(int=2)
DAY = date(2023, 11, 14)


async def test_a_day_tells_what_was_sold_taken_and_issued(books: Books) -> None:
    await books.top_up("alice", 5000)
    await books.post(("due from bar", "liability", 2000), ("issuance", "alice", 2000), kind="topup.cash", venue=BAR)
    await books.post(("hours issued", "alice hours", 180), kind="shift", venue=BAR)
    await books.post(("alice", "claim", 1200), ("alice hours", "hours claim", 30), kind="sale", venue=BAR)
    await books.post(("claim", "alice", 200), kind="sale.reversal", venue=BAR)
    await books.post(("alice", "claim", 777), kind="sale", venue=OTHER)
    found = await books.ledger.venue_day(BAR, DAY)
    assert [(it.kind, it.moved) for it in found] == [
        ("sale.reversal", Moved(claims={"RAF": -200})),
        ("sale", Moved(claims={"RAF": 1200, "TIME": 30})),
        ("shift", Moved(issued={"TIME": 180})),
        ("topup.cash", Moved(issued={"RAF": 2000}, cash_cents=2000)),
    ]
    whole = Moved({"RAF": 1000, "TIME": 30}, {"RAF": 2000, "TIME": 180}, 2000)
    assert await books.ledger.venue_day_totals(BAR, DAY) == whole
    assert await books.ledger.venue_day(BAR, date(2023, 11, 15)) == []
    assert await books.ledger.venue_day_totals(BAR, date(2023, 11, 15)) == Moved()


async def test_a_sale_beyond_the_balance_counts_once(books: Books) -> None:
    """Wallet and overdraft pay it together; the venue took one amount."""
    await books.top_up("alice", 300)
    await books.post(("alice", "claim", 300), ("alice overdraft", "claim", 400), kind="sale", venue=BAR)
    (found,) = await books.ledger.venue_day(BAR, DAY)
    assert found.moved == Moved(claims={"RAF": 700})


async def test_a_day_is_read_page_by_page(books: Books) -> None:
    await books.top_up("alice", 5000)
    for amount in range(1, 8):
        assert isinstance(await books.post(("alice", "claim", amount), kind="sale", venue=BAR), Posted)
    seen: list[int] = []
    before = None
    while page := await books.ledger.venue_day(BAR, DAY, before=before, limit=3):
        seen += [it.moved.claims["RAF"] for it in page]
        before = page[-1].seq
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_both_questions_are_led_by_the_index(books: Books, engine: AsyncEngine) -> None:
    """As the database itself plans them in the same transaction, on a ledger with some history. Left to itself
    PostgreSQL reads everything that was ever booked for the totals of a day: here, and with a million sales too."""
    await books.top_up("alice", 5000)
    for number in range(60):
        venue = uuid5(BAR, str(number % 20))
        await books.post(("alice", "claim", 1), kind="sale", venue=venue)
    plans: list[str] = []
    async with engine.connect() as connection:
        await venue_days.totals(connection, BAR, DAY)
        queries = [venue_days.day_query(BAR, DAY, None, 100), venue_days.totals_query(BAR, DAY)]
        for query in queries:
            text = str(query.compile(connection.sync_connection, compile_kwargs={"literal_binds": True}))  # type: ignore[arg-type]
            explain = "EXPLAIN QUERY PLAN " if is_sqlite(connection) else "EXPLAIN "
            plans.append("\n".join(str(row) for row in await connection.execute(sa.text(explain + text))))
    for plan in plans:
        assert "ix_operation_venue_day" in plan, plan
        assert "SCAN transfer" not in plan, plan
        assert "Seq Scan" not in plan, plan
