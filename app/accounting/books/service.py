"""What pages and commands ask of the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.accounting.books import closing, keeping, store
from app.accounting.books.fec import fec, file_name
from app.accounting.books.keeping import Books
from app.identity.audit import audit
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import NotFound
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
        while (sealed := await closing.close_month(ledger, key, books, business_day(now_us(), books.zone))) is not None:
            document = sealed.document
            entries = document.books.entries if document.books else 0
            async with ledger.engine.begin() as connection:
                await audit(
                    connection, actor, "books.close", f"books:{books.slug}", month=document.day, entries=entries
                )
            made.append((books.slug, document.day, entries))
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
