"""Months of the books, closed for good: entries get their numbers, and the closing is sealed in the chain beside those
of the tills; with the last month of an exercise, its year.

What comes in later for a closed month, from a terminal that was offline, goes into the next one that is open: its entry
is dated on that month's first day, and shows the day of its own piece.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books import reading, store
from app.accounting.books.entries import JOURNALS, Bookkeeper, Entry, Line
from app.accounting.books.keeping import Books
from app.accounting.books.reading import Read, Span
from app.currencies.service import Currency, currencies, rates
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.drawer import Closed
from app.rules.ids import uuid7
from app.rules.takings import Figures
from app.sales.closings import store as closings
from app.sales.closings.document import AccountTotals, BooksFigures, ClosingDocument, Gathered, JournalTotals
from app.sales.closings.store import Sealed
from app.venues.service import the_network, venues

MONTH: Final = "books_month"
YEAR: Final = "books_year"
_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Due:
    """The next month to be closed, named by its first day; `before`: the closing before it."""

    month: date
    before: Sealed | None

    @property
    def span(self) -> Span:
        last_day = end_of(self.month)
        known = self.before.document.books if self.before else None
        if known is None:
            return Span(last_day)
        return Span(last_day, self.month, known.settled, known.upto, known.last_day)


def end_of(month: date) -> date:
    """The last day of the month that begins with this one."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


async def months(connection: AsyncConnection, books: Books) -> list[Sealed]:
    """The closed months of a set of books, the oldest first."""
    return [it for it in await closings.chains_at(connection, books.id) if it.document.period == MONTH]


async def due(ledger: Ledger, connection: AsyncConnection, books: Books) -> Due | None:
    """None while nothing was ever booked. Whether the month is over is for the caller to ask."""
    last = await closings.newest(connection, books.id, MONTH)
    if last is not None and last.document.books is not None:
        return Due(last.document.books.last_day + timedelta(days=1), last)
    stretch = await ledger.history.after(0, 1)
    return Due(stretch.operations[0].business_day.replace(day=1), None) if stretch.operations else None


async def close_month(ledger: Ledger, key: Ed25519PrivateKey, books: Books, today: date) -> Sealed | None:
    """Close the oldest open month of a set of books if it is over by `today`; None when there is none.

    Raises Conflict when somebody closed it meanwhile.
    """
    async with _own_connection(ledger) as connection:
        at = await due(ledger, connection, books)
        if at is None or end_of(at.month) >= today:
            return None
        known = await currencies(connection)
        exercise = books.exercise(at.month)
        await store.open_draft(connection)
        try:
            read, keeper = await _draft(ledger, connection, books, known, at, exercise)
            await connection.commit()
            await connection.execution_options(comptoir_read_only=False)
            async with connection.begin():
                await closings.lock(connection)
                newest = await closings.newest(connection, books.id, MONTH)
                if (newest and newest.digest) != (at.before and at.before.digest):
                    raise Conflict("This month was closed meanwhile.")
                made = await seal_month(connection, key, books, at, exercise, read, keeper, known)
                if end_of(at.month) == books.exercise_days(exercise)[1]:
                    await _seal_year(connection, key, books, exercise)
        finally:
            if connection.in_transaction():
                await connection.rollback()
            await store.drop_draft(connection)
            await connection.commit()
    return made


@asynccontextmanager
async def _own_connection(ledger: Ledger) -> AsyncIterator[AsyncConnection]:
    """On SQLite the draft is made without the lock that lets nobody else write."""
    async with ledger.engine.connect() as connection:
        yield await connection.execution_options(comptoir_read_only=True)


async def _draft(
    ledger: Ledger,
    connection: AsyncConnection,
    books: Books,
    known: Mapping[str, Currency],
    at: Due,
    exercise: int,
) -> tuple[Read, Bookkeeper]:
    keeper = Bookkeeper(books.owner, books.chart, rates(known))
    read, number = Read(), 0
    waiting: list[Entry] = []
    marks: list[tuple[store.Mark, UUID]] = []
    if opening := await _carried_over(connection, books, at, exercise):
        waiting.append(opening)
    # Between two writes the ledger is read for as long as it takes: no transaction stays open meanwhile.
    await connection.commit()
    async for entry, mark in reading.entries(ledger, connection, books, keeper, at.span, read):
        if entry is not None:
            waiting.append(entry)
        if mark is not None:
            marks.append(mark)
        if len(waiting) + len(marks) >= _BATCH:
            await store.draft(connection, number, waiting, marks)
            await connection.commit()
            number += len(waiting)
            waiting, marks = [], []
    await store.draft(connection, number, waiting, marks)
    return read, keeper


async def _carried_over(connection: AsyncConnection, books: Books, at: Due, exercise: int) -> Entry | None:
    """What an exercise begins with: the balances of the one before, its income and costs as one result."""
    if at.before is None or at.month != books.exercise_days(exercise)[0]:
        return None
    carried: list[tuple[str, str, int]] = []
    result = 0
    for account, party, debit, credit in await store.balances(connection, books.id, exercise - 1):
        if account[0] in "67":
            result += debit - credit
        elif debit != credit:
            carried.append((account, party, debit - credit))
    if result:
        carried.append((books.chart.number("loss" if result > 0 else "profit"), "", result))
    carried.sort(key=lambda it: (it[2] < 0, it))
    lines = tuple(Line(account, party, max(0, cents), max(0, -cents)) for account, party, cents in carried)
    if not lines:
        return None
    return Entry("AN", at.month, f"AN-{exercise}", at.month, f"À nouveau au {at.month:%d/%m/%Y}", lines)


async def seal_month(
    connection: AsyncConnection,
    key: Ed25519PrivateKey,
    books: Books,
    at: Due,
    exercise: int,
    read: Read,
    keeper: Bookkeeper,
    known: Mapping[str, Currency],
) -> Sealed:
    """Write the draft into the books and seal its month, in the caller's transaction and under the closings' lock."""
    number = at.before.document.number + 1 if at.before else 1
    await store.write_draft(connection, books.id, exercise, number)
    journals = await store.journal_totals(connection, books.id, number)
    totals = await store.account_totals(connection, books.id, number)
    cents = sum(it.cents for it in journals.values())
    before = at.before.document.books if at.before else None
    figures = BooksFigures(
        last_day=end_of(at.month),
        exercise=exercise,
        entries=sum(it.last - it.first + 1 for it in journals.values()),
        cents=cents,
        perpetual_cents=cents + (before.perpetual_cents if before else 0),
        journals=journals,
        accounts=_by_account(books, totals),
        parties=await _parties(connection, {party for _, party, _, _ in totals if party}, known),
        vat={"none" if rate is None else str(rate): it for rate, it in keeper.vat.items()},
        lines=await digest_of_lines(store.within(connection), books.id, exercise, journals),
        upto=max(read.upto, before.upto if before else 0),
        settled=read.first_left - 1 if read.first_left else read.upto,
    )
    return await _seal(connection, key, books, MONTH, at.month, figures, [])


async def _seal_year(connection: AsyncConnection, key: Ed25519PrivateKey, books: Books, exercise: int) -> None:
    parts = [
        it for it in await months(connection, books) if it.document.books and it.document.books.exercise == exercise
    ]
    figures = [it.document.books for it in parts if it.document.books]
    last = await closings.newest(connection, books.id, YEAR)
    before = last.document.books.perpetual_cents if last and last.document.books else 0
    journals: dict[str, JournalTotals] = {}
    accounts: dict[str, AccountTotals] = {}
    for it in figures:
        for code, of in it.journals.items():
            known = journals.get(code)
            journals[code] = JournalTotals(
                first=known.first if known else of.first, last=of.last, cents=of.cents + (known.cents if known else 0)
            )
        for account, sums in it.accounts.items():
            so_far = accounts.get(account, AccountTotals(name=sums.name, debit=0, credit=0))
            accounts[account] = AccountTotals(
                name=sums.name, debit=so_far.debit + sums.debit, credit=so_far.credit + sums.credit
            )
    cents = sum(it.cents for it in figures)
    first, last_day = books.exercise_days(exercise)
    whole = BooksFigures(
        last_day=last_day,
        exercise=exercise,
        entries=sum(it.entries for it in figures),
        cents=cents,
        perpetual_cents=before + cents,
        journals={code: journals[code] for code in JOURNALS if code in journals},
        accounts=dict(sorted(accounts.items())),
        lines=sha256("".join(it.lines for it in figures).encode()).hexdigest(),
    )
    await _seal(connection, key, books, YEAR, first, whole, parts)


async def _seal(
    connection: AsyncConnection,
    key: Ed25519PrivateKey,
    books: Books,
    period: Any,
    day: date,
    figures: BooksFigures,
    parts: list[Sealed],
) -> Sealed:
    last = await closings.newest(connection, books.id, period)
    before = last.document.after if last else Closed()
    document = ClosingDocument(
        id=uuid7(),
        network=(await the_network(connection)).name,
        period=period,
        subject=books.id,
        name=books.legal_name,
        venue=books.id,
        venue_name=books.legal_name,
        zone=books.zone,
        number=before.number + 1,
        day=day,
        opened_at_us=None,
        made_at_us=now_us(),
        before=before,
        after=before.after(Figures()),
        figures=Figures(),
        parts=tuple(
            Gathered(id=it.document.id, number=it.document.number, name=it.document.name, digest=it.digest.hex())
            for it in parts
        ),
        books=figures,
    )
    await closings.seal(connection, key, document, [it.document.id for it in parts])
    made = await closings.newest(connection, books.id, period)
    if made is None:
        raise RuntimeError("a closing that was sealed just now is not there")
    return made


async def digest_of_lines(fetch: store.Fetch, books: UUID, exercise: int, journals: Mapping[str, JournalTotals]) -> str:
    """SHA-256 of every line of these entries, journal by journal, fields set apart by tabs."""
    digest = sha256()
    for code in JOURNALS:
        if of := journals.get(code):
            async for row in store.lines(fetch, books, exercise, code, of.first, of.last):
                fields = (row.journal, row.number, row.place, row.day, row.account, row.party, row.piece)
                more = (row.piece_day, row.label, row.debit, row.credit)
                digest.update(("\t".join(map(str, (*fields, *more))) + "\n").encode())
    return digest.hexdigest()


def _by_account(books: Books, totals: list[tuple[str, str, int, int]]) -> dict[str, AccountTotals]:
    chart, found = books.chart, dict[str, AccountTotals]()
    for account, _, debit, credit in totals:
        so_far = found.get(account)
        found[account] = AccountTotals(
            name=chart.name(account),
            debit=debit + (so_far.debit if so_far else 0),
            credit=credit + (so_far.credit if so_far else 0),
        )
    return found


async def _parties(
    connection: AsyncConnection, named: set[str], known: Mapping[str, Currency]
) -> dict[str, tuple[str, str]]:
    """(number, name) of each party, as a venue or a money was called at that time."""
    found = {it.owner: (it.slug.upper(), it.name) for it in (await venues(connection)).values()}
    found |= {code: (code, it.name_fr) for code, it in known.items()}
    return {party: found.get(party, (party, party)) for party in sorted(named)}
