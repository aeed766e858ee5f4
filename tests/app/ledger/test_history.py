"""Statements, balances at past instants and lists of operations, against sums made by hand; and what they cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.rules.operations import Operation, Posted
from app.ledger.service import AccountFilter, LineFilter, OperationFilter, Period
from app.ledger.store import history as history_store
from app.ledger.store.instants import START, Moment

from .conftest import KEYS, Books

pytestmark = pytest.mark.anyio

BAR, CAFE, TILL, KIOSK = (UUID(int=number) for number in range(1, 5))
NIGHT, MORNING = date(2026, 5, 1), date(2026, 5, 2)


@dataclass
class Clock:
    """The server's clock: it stands until it is set."""

    at_us: int = 1_000

    def __call__(self) -> int:
        return self.at_us


@dataclass
class Told:
    """What was booked, kept by hand: (booked at, operation, its postings by account names)."""

    rows: list[tuple[int, Operation, Posted, tuple[tuple[str, str, int], ...]]] = field(default_factory=list)

    def balance(self, name: str, at_us: int) -> int:
        total = 0
        for booked_us, _, _, postings in self.rows:
            if booked_us <= at_us:
                total += sum(amount * ((credit == name) - (debit == name)) for debit, credit, amount in postings)
        return total * KEYS[name].rules.normal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.ledger.pipeline.now_us", clock)
    return clock


async def book(
    books: Books, clock: Clock, told: Told, at_us: int, *postings: tuple[str, str, int], **more: Any
) -> UUID:
    clock.at_us = at_us
    operation = books.operation(*postings, **more)
    (outcome,) = await books.ledger.post([operation])
    assert isinstance(outcome, Posted), outcome
    told.rows.append((at_us, operation, outcome, postings))
    return operation.id


@pytest.fixture
async def evening(books: Books, clock: Clock) -> Told:
    """A top-up, then a random night of two venues; several operations fall on the same microsecond."""
    told, random = Told(), Random(7)
    for who in ("alice", "bob"):
        amount = 50_000
        await book(
            books, clock, told, 2_000, ("clearing", "liability", amount), ("issuance", who, amount), kind="topup"
        )
    at_us = 3_000
    for _ in range(60):
        at_us += random.choice([0, 0, 1, 1000])
        venue, terminal = random.choice([(BAR, TILL), (BAR, KIOSK), (CAFE, None)])
        payer = random.choice(["alice", "bob"])
        await book(
            books,
            clock,
            told,
            at_us,
            (payer, "claim", random.randint(1, 500)),
            kind=random.choice(["sale", "cup"]),
            venue=venue,
            terminal=terminal,
        )
    return told


def instants(told: Told) -> list[int]:
    """Before, at and after each booking."""
    return sorted({at + shift for at, *_ in told.rows for shift in (-1, 0, 1)} | {0, 10**15})


async def test_a_balance_at_any_instant_is_the_sum_of_what_was_booked_by_then(books: Books, evening: Told) -> None:
    for at_us in instants(evening):
        for name in ("alice", "claim", "issuance", "liability", "deposits"):
            _, balance = await books.ledger.history.balance_at(books.ids[name], at_us)
            assert balance == evening.balance(name, at_us), (name, at_us)


async def test_a_moment_is_the_last_operation_booked_by_then(books: Books, evening: Told) -> None:
    for at_us in instants(evening):
        posted = [it for booked_us, _, it, _ in evening.rows if booked_us <= at_us]
        expected = Moment(posted[-1].seq, posted[-1].transfers[-1].id) if posted else START
        assert await books.ledger.history.moment(at_us) == expected, at_us


async def test_an_empty_ledger_has_no_past(books: Books) -> None:
    assert await books.ledger.history.moment(10**15) == START
    assert await books.ledger.history.moment() == START
    assert all(row.balance == 0 for row in await books.ledger.history.trial_rows(START))


async def test_the_trial_balance_of_any_instant_balances_in_every_book(books: Books, evening: Told) -> None:
    names = {books.ids[name]: name for name in KEYS}
    for at_us in instants(evening)[::7]:
        rows = await books.ledger.history.trial_rows(await books.ledger.history.moment(at_us))
        assert {row.id: row.balance for row in rows} == {i: evening.balance(n, at_us) for i, n in names.items()}
        for of in {row.key.book for row in rows}:
            sides = [(row.debit, row.credit) for row in rows if row.key.book == of]
            assert sum(debit for debit, _ in sides) == sum(credit for _, credit in sides)


async def test_the_trial_balance_can_be_read_in_pages(books: Books, evening: Told) -> None:
    history = books.ledger.history
    at = await history.moment()
    whole, paged = await history.trial_rows(at), []
    while page := await history.trial_rows(at, after=paged[-1].id if paged else 0, limit=3):
        paged += page
    assert paged == whole


@pytest.mark.parametrize("newest", [False, True])
async def test_a_statement_runs_from_the_opening_to_the_closing_balance(
    books: Books, evening: Told, newest: bool
) -> None:
    moments = instants(evening)
    for from_us, until_us in ((None, None), (moments[20], moments[60]), (moments[60], moments[60]), (10**14, None)):
        period = Period(from_us, until_us)
        lines, cursor = [], None
        while True:
            page = await books.ledger.history.statement(
                books.ids["claim"], period, LineFilter(), cursor=cursor, limit=7, newest=newest
            )
            assert page is not None
            lines += page.lines
            if (cursor := page.next) is None:
                break
        if newest:
            lines.reverse()
        before = evening.balance("claim", (from_us or 1) - 1)
        after = evening.balance("claim", 10**15 if until_us is None else until_us - 1)
        assert (page.opening, page.closing) == (before, after)
        running = before
        for line in lines:
            running += line.booked.change
            assert line.booked.after == running
        assert running == after
        expected = [
            operation.id
            for at_us, operation, _, postings in evening.rows
            if (from_us or 0) <= at_us < (until_us or 10**16) and any("claim" in it[:2] for it in postings)
        ]
        assert [line.booked.operation for line in lines] == expected
        assert {line.other_kind for line in lines} <= {"wallet"}


async def test_filters_leave_of_a_statement_what_they_name(
    books: Books, evening: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_store, "SCANNED_MAX", 5)  # so that windows end between rows
    wanted = {
        LineFilter(kinds=("cup",)): lambda it, amount: it.kind == "cup",
        LineFilter(venue=CAFE): lambda it, amount: it.venue == CAFE,
        LineFilter(terminal=KIOSK): lambda it, amount: it.terminal == KIOSK,
        LineFilter(amount_min=100, amount_max=200): lambda it, amount: 100 <= amount <= 200,
        LineFilter(kinds=("sale", "topup"), venue=BAR, terminal=TILL, amount_min=250): lambda it, amount: (
            it.kind == "sale" and it.terminal == TILL and amount >= 250
        ),
        LineFilter(kinds=("never",)): lambda it, amount: False,
    }
    for which, fits in wanted.items():
        for newest in (False, True):
            found, cursor, pages = [], None, 0
            while True:
                page = await books.ledger.history.statement(
                    books.ids["claim"], Period(), which, cursor=cursor, limit=2, newest=newest
                )
                assert page is not None
                found += [line.booked.operation for line in page.lines]
                pages += 1
                if (cursor := page.next) is None:
                    break
                assert pages < 100
            expected = [it.id for _, it, _, p in evening.rows if p[-1][1] == "claim" and fits(it, p[-1][2])]
            assert found == (expected[::-1] if newest else expected), which


async def test_pages_hold_still_while_rows_arrive(books: Books, clock: Clock, evening: Told) -> None:
    history, claim = books.ledger.history, books.ids["claim"]
    before = [row[1].id for row in evening.rows if row[3][-1][1] == "claim"]
    found, cursor = [], None
    while True:
        page = await history.statement(claim, Period(), LineFilter(), cursor=cursor, limit=9, newest=True)
        assert page is not None
        found += [line.booked.operation for line in page.lines]
        await book(books, clock, evening, clock.at_us + 1, ("alice", "claim", 1), kind="sale")
        if (cursor := page.next) is None:
            break
    assert found == before[::-1]

    listed, cursor = [], None
    while True:
        which = await history.operations(START, await history.moment(), OperationFilter(), cursor=cursor, limit=9)
        listed += [it.id for it in which.operations]
        await book(books, clock, evening, clock.at_us + 1, ("alice", "claim", 1), kind="sale")
        if (cursor := which.next) is None:
            break
    assert listed == [row[1].id for row in evening.rows if row[1].id in set(listed)][::-1]
    assert len(listed) == len(set(listed)) >= len(before)


async def test_operations_are_found_by_every_filter(
    books: Books, evening: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_store, "SCANNED_MAX", 5)
    history = books.ledger.history
    opened, closed = await history.between(Period(evening.rows[10][0], evening.rows[50][0]))
    inside = [it for at, it, _, _ in evening.rows if evening.rows[10][0] <= at < evening.rows[50][0]]
    day = inside[0].business_day
    wanted = {
        OperationFilter(): lambda it: True,
        OperationFilter(kinds=("cup", "topup")): lambda it: it.kind == "cup",
        OperationFilter(terminal=TILL): lambda it: it.terminal == TILL,
        OperationFilter(terminal=TILL, kinds=("sale",)): lambda it: it.terminal == TILL and it.kind == "sale",
        OperationFilter(venue=BAR): lambda it: it.venue == BAR,
        OperationFilter(venue=BAR, business_day=day): lambda it: it.venue == BAR,
        OperationFilter(venue=BAR, business_day=NIGHT): lambda it: False,
        OperationFilter(venues=frozenset({CAFE})): lambda it: it.venue == CAFE,
        OperationFilter(venue=BAR, venues=frozenset({CAFE})): lambda it: False,
        OperationFilter(venues=frozenset()): lambda it: False,
    }
    for which, fits in wanted.items():
        for newest in (False, True):
            found, cursor = [], None
            while True:
                page = await history.operations(opened, closed, which, cursor=cursor, limit=3, newest=newest)
                found += page.operations
                if (cursor := page.next) is None:
                    break
            expected = [it.id for it in inside if fits(it)]
            assert [it.id for it in found] == (expected[::-1] if newest else expected), which
            assert all(it.transfers for it in found)


async def test_an_operation_is_shown_with_what_took_it_back(books: Books, clock: Clock, evening: Told) -> None:
    id_ = evening.rows[-1][1].id
    original = (await books.ledger.booked([id_]))[id_]
    reversal = await books.ledger.reversal(original, uuid4(), actor="test", occurred_at_us=1, business_day=NIGHT)
    assert isinstance((await books.ledger.post([reversal]))[0], Posted)
    shown = await books.ledger.history.operation(id_)
    assert (shown.operations, shown.reversed_by) == ([original], [reversal.id])
    assert {key.kind for key in shown.accounts.values()} == {"wallet", "claim"}
    assert (await books.ledger.history.operation(reversal.id)).operations[0].reverses == id_
    assert (await books.ledger.history.operation(uuid4())).operations == []


async def test_what_follows_a_number_comes_whole_and_in_order(books: Books, evening: Told) -> None:
    history, seen, seq = books.ledger.history, [], 0
    while (stretch := await history.after(seq, 7)).upto > seq:
        assert stretch.upto == seq + len(stretch.operations)
        seen += stretch.operations
        seq = stretch.upto
    assert [it.seq for it in seen] == list(range(1, len(evening.rows) + 1))
    assert [it.id for it in seen] == [row[1].id for row in evening.rows]
    at_cafe = await history.after(0, 1000, {CAFE})
    assert [it.id for it in at_cafe.operations] == [row[1].id for row in evening.rows if row[1].venue == CAFE]
    assert at_cafe.upto == len(evening.rows)
    assert (await history.after(9999, 10)).upto == len(evening.rows)


async def test_accounts_are_found_by_what_they_are(books: Books) -> None:
    history = books.ledger.history
    claims = await history.accounts(AccountFilter(kind="claim", currency="RAF"))
    assert [it.id for it in claims] == [books.ids["claim"]]
    bars = await history.accounts(AccountFilter(owners=frozenset({"venue:bar"})))
    assert {it.id for it in bars} == {books.ids[n] for n in ("claim", "due from bar", "payable bar", "hours claim")}
    first = await history.accounts(AccountFilter(), limit=5)
    rest = await history.accounts(AccountFilter(), after=first[-1].id)
    assert [it.id for it in first + rest] == sorted(books.ids.values())
    assert await history.account(10**6) is None
    assert await history.statement(10**6, Period(), LineFilter()) is None


# What it costs.


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is executed meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        if text.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((text, parameters))

    sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine.sync_engine, "before_cursor_execute", note)


async def plan(engine: AsyncEngine, text: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(explain + text, parameters)
        return "\n".join(str(row[-1]) for row in rows)


ROWS = 6000
WALK = re.compile(
    # Without a bound on what it reads, an index is walked like a table is.
    r"Seq Scan on (transfer|operation)|SCAN (transfer|operation)|Index (Only )?Scan[^\n]*(transfer|operation)\w*  "
    r"\(cost[^\n]*\n(?!\s*Index Cond)"
)


@pytest.fixture
async def long_history(books: Books, clock: Clock) -> None:
    """Thousands of sales at one venue, and one account that moved once, long ago."""
    await book(books, clock, Told(), 2_000, ("clearing", "liability", 10**9), ("issuance", "alice", 10**9))
    await book(books, clock, Told(), 2_001, ("alice", "deposits", 1))
    random = Random(1)
    for first in range(0, ROWS, 500):
        clock.at_us = 3_000 + first
        batch = []
        for n in range(500):
            to, venue, terminal = (
                random.choice(["claim", "bob", "claim"]),
                (BAR, CAFE)[n % 10 == 0],
                (TILL, KIOSK)[n % 2],
            )
            batch.append(books.operation(("alice", to, 1 + n % 7), kind="sale", venue=venue, terminal=terminal))
        await books.ledger.post(batch)
    if books.engine.dialect.name == "postgresql":
        async with books.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("VACUUM ANALYZE")


@pytest.mark.usefixtures("long_history")
async def test_no_query_walks_through_history_and_none_is_asked_per_row(books: Books) -> None:
    history, ids = books.ledger.history, books.ids
    opened, closed = await history.between(Period(2_500, 5_600))
    day = date(2023, 11, 14)
    asked = {
        "balance": (lambda n: history.balance_at(ids["claim"], 5_000), 2),
        "quiet balance": (lambda n: history.balance_at(ids["deposits"], 5_000), 2),
        "trial balance": (lambda n: history.trial_rows(closed), 1),
        "statement": (lambda n: history.statement(ids["claim"], Period(2_500, 5_600), LineFilter(), limit=n), 5),
        "newest": (lambda n: history.statement(ids["alice"], Period(), LineFilter(), limit=n, newest=True), 4),
        "quiet statement": (lambda n: history.statement(ids["deposits"], Period(), LineFilter(), limit=n), 4),
        "filtered statement": (
            lambda n: history.statement(ids["claim"], Period(), LineFilter(venue=CAFE, amount_min=2), limit=n),
            5,
        ),
        "operations": (lambda n: history.operations(opened, closed, OperationFilter(), limit=n), 3),
        "of a kind": (lambda n: history.operations(opened, closed, OperationFilter(kinds=("x",)), limit=n), 2),
        "of a terminal": (lambda n: history.operations(opened, closed, OperationFilter(terminal=TILL), limit=n), 4),
        "of a day": (
            lambda n: history.operations(opened, closed, OperationFilter(venue=BAR, business_day=day), limit=n),
            4,
        ),
        "of their venues": (
            lambda n: history.operations(opened, closed, OperationFilter(venues=frozenset({BAR, CAFE})), limit=n),
            4,
        ),
        "after": (lambda n: history.after(3000, n), 4),
        "after, at a venue": (lambda n: history.after(3000, n, {CAFE}), 4),
    }
    for name, (ask, most) in asked.items():
        for limit in (10, 100):
            with statements(books.engine) as seen:
                await ask(limit)
            assert 0 < len(seen) <= most, (name, limit, [text for text, _ in seen])
        for text, parameters in seen:
            found = await plan(books.engine, text, parameters)
            assert not WALK.search(found), (name, text, found)


@pytest.mark.usefixtures("long_history")
async def test_a_quiet_account_costs_a_few_pages_however_long_the_others_history_is(
    books: Books, database_kind: str
) -> None:
    """Where PostgreSQL counts what was really read: a plan by the wrong index would read everything."""
    if database_kind == "sqlite":
        pytest.skip("SQLite does not count pages")
    history, ids = books.ledger.history, books.ids
    closed = await history.moment()
    with statements(books.engine) as seen:
        await history.balance_at(ids["deposits"], None)
        await history.lines(ids["deposits"], START, closed, LineFilter(), limit=50)
    async with books.engine.connect() as connection:
        for text, parameters in seen:
            rows = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {text}", parameters)
            found = "\n".join(str(row[0]) for row in rows)
            read = re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", found)
            assert read is not None
            assert int(read[1]) + int(read[2] or 0) < 30, found
