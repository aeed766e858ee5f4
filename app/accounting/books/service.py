"""What pages and commands ask of the books."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books import closing, keeping, store
from app.accounting.books.chart import Account
from app.accounting.books.fec import fec, file_name
from app.accounting.books.keeping import Books
from app.accounting.books.periods import Stretch
from app.identity.audit import audit
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.business_day import business_day
from app.sales.closings.store import Sealed


async def close_all(
    ledger: Ledger, key: Ed25519PrivateKey, slug: str | None, actor: str
) -> list[tuple[str, date, int]]:
    """Close every month that is over, in one set of books or in all: (whose, the month, its entries) of each."""
    async with ledger.reader.connect() as connection:
        chosen = await keeping.all_books(connection)
        if slug is not None:
            chosen = [await keeping.books_named(connection, slug)]
    made = []
    for books in chosen:
        while (sealed := await close_one(ledger, key, books, actor)) is not None:
            entries = sealed.document.books.entries if sealed.document.books else 0
            made.append((books.slug, sealed.document.day, entries))
    return made


async def closed_months(ledger: Ledger, slug: str, exercise: int) -> tuple[Books, list[Sealed]]:
    """The closed months of an exercise, the oldest first. NotFound when there are none."""
    async with ledger.reader.connect() as connection:
        books = await keeping.books_named(connection, slug)
        months = await closing.months(connection, books)
    found = [it for it in months if it.document.books and it.document.books.exercise == exercise]
    if not found:
        raise NotFound("Nothing of this exercise is closed yet.")
    return books, found


async def fec_of(ledger: Ledger, slug: str, exercise: int) -> tuple[str, AsyncIterator[bytes]]:
    """(name, content) of the file for the tax office, of what is closed of an exercise."""
    books, months = await closed_months(ledger, slug, exercise)
    last = months[-1].document.books
    whole = books.exercise_days(exercise)[1]
    return file_name(books, last.last_day if last else whole), fec(store.apart(ledger.reader), books, months)


async def stretch_of(ledger: Ledger, slug: str, first: date, last: date) -> Stretch:
    """The closed months from the one that begins on `first` to the one that begins on `last`; of one exercise.

    NotFound where one of them is not closed, Invalid where they are of two exercises.
    """
    async with ledger.reader.connect() as connection:
        books = await keeping.books_named(connection, slug)
        months = await closing.months(connection, books)
    chosen = tuple(it for it in months if first <= it.document.day <= last)
    if not chosen or chosen[0].document.day != first or chosen[-1].document.day != last:
        raise NotFound("These months are not closed.")
    exercises = {it.document.books.exercise for it in chosen if it.document.books}
    if len(exercises) != 1:
        raise Invalid("Tables are of one exercise.")
    (exercise,) = exercises
    before = books.exercise_days(exercise)[0]
    return Stretch(books, exercise, chosen, tuple(it for it in months if before <= it.document.day < first))


@dataclass(frozen=True, slots=True)
class Overview:
    """A set of books: its closed months, the newest first, and the month that is open (None: nothing was booked yet).
    `closable`: that month is over."""

    books: Books
    months: tuple[Sealed, ...]
    open_month: date | None
    closable: bool


async def overview(ledger: Ledger, slug: str) -> Overview:
    async with ledger.reader.connect() as connection:
        books = await keeping.books_named(connection, slug)
        months = await closing.months(connection, books)
        at = await closing.due(ledger, connection, books)
    over = at is not None and closing.end_of(at.month) < business_day(now_us(), books.zone)
    return Overview(books, tuple(months[::-1]), at.month if at else None, over)


async def close_next(ledger: Ledger, key: Ed25519PrivateKey, slug: str, actor: str) -> date:
    """Close the oldest open month. Conflict when none is over."""
    async with ledger.reader.connect() as connection:
        books = await keeping.books_named(connection, slug)
    made = await close_one(ledger, key, books, actor)
    if made is None:
        raise Conflict("No month of these books is over that is not closed.")
    return made.document.day


async def close_one(ledger: Ledger, key: Ed25519PrivateKey, books: Books, actor: str) -> Sealed | None:
    sealed = await closing.close_month(ledger, key, books, business_day(now_us(), books.zone))
    if sealed is not None and sealed.document.books is not None:
        told = {"month": sealed.document.day, "entries": sealed.document.books.entries}
        async with ledger.engine.begin() as connection:
            await audit(connection, actor, "books.close", f"books:{books.slug}", **told)
    return sealed


async def keep_books(
    connection: AsyncConnection,
    slug: str,
    *,
    legal_name: str,
    siren: str,
    regime: str,
    year_starts: int,
    changed: Mapping[str, Account],
    actor: str,
) -> None:
    """Change how a set of books is kept, in the caller's transaction. Once a month is closed, its exercise begins when
    it began: Conflict."""
    books = await keeping.books_named(connection, slug)
    if year_starts != books.year_starts and await closing.months(connection, books):
        raise Conflict("Months are closed already: the exercise begins when it began.")
    await keeping.keep(
        connection,
        books,
        legal_name=legal_name,
        siren=siren,
        regime=regime,
        year_starts=year_starts,
        changed=changed,
    )
    kept = {"legal_name": legal_name, "siren": siren, "regime": regime, "year_starts": year_starts}
    accounts = {key: [it.number, it.name] for key, it in changed.items()}
    await audit(connection, actor, "books.keep", f"books:{slug}", **kept, changed=accounts)
