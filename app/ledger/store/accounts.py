"""Opening accounts, and finding them by what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.rules.kinds import AccountKey, Book, BookKind
from app.ledger.tables import account, book
from app.platform.among import among
from app.platform.database import is_sqlite

_NAMED = sa.select(
    account.c.id, book.c.issuer, book.c.kind.label("book_kind"), book.c.currency, account.c.kind, account.c.owner
).join_from(account, book, account.c.book == book.c.id)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Minor units: an account's balance less what is `held` of it never passes below `floor` (None: it may)."""

    floor: int | None
    held: int


async def find(connection: AsyncConnection, keys: Sequence[AccountKey]) -> dict[AccountKey, int]:
    """Ids of those of the accounts that are open."""
    wanted = set(keys)
    owners = {key.owner for key in keys}
    rows = await connection.execute(_NAMED.where(among(account.c.owner, owners)))
    found = {_key(row): row.id for row in rows}
    return {key: id_ for key, id_ in found.items() if key in wanted}


async def owned(connection: AsyncConnection, owners: Iterable[str]) -> dict[AccountKey, int]:
    """Every account of these owners."""
    rows = await connection.execute(_NAMED.where(among(account.c.owner, owners)))
    return {_key(row): row.id for row in rows}


async def open_missing(
    connection: AsyncConnection, keys: Sequence[AccountKey], rates: Mapping[str, int], now_us: int
) -> None:
    """Open those accounts that are not. `rates`: euro cents per minor unit of each pegged currency.

    The issuance of a pegged currency and its liability in the reserve book form a peg group.
    """
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    books = {key.book for key in keys} | {
        Book(key.book.issuer, BookKind.CURRENCY, key.owner) for key in keys if key.kind == "liability"
    }
    # In one order everywhere, so that two processes opening the same accounts wait for each other and not in a ring.
    for it in sorted(books, key=lambda b: (b.issuer, b.kind, b.currency)):
        values = {"issuer": it.issuer, "kind": it.kind, "currency": it.currency}
        await connection.execute(insert(book).values(values).on_conflict_do_nothing())
    rows = await connection.execute(sa.select(book))
    book_ids = {Book(row.issuer, BookKind(row.kind), row.currency): row.id for row in rows}
    rows_wanted = [_row(key, book_ids, rates, now_us) for key in sorted(keys, key=_order)]
    if rows_wanted:
        # The unique index decides which are missing; what is open already is left as it is.
        await connection.execute(insert(account).on_conflict_do_nothing(), rows_wanted)


async def bounds(connection: AsyncConnection, ids: Iterable[int], *, locked: bool = False) -> dict[int, Bounds]:
    query = sa.select(account.c.id, account.c.floor, account.c.held).where(account.c.id.in_(list(ids)))
    rows = await connection.execute(query.with_for_update(key_share=True) if locked else query)
    return {row.id: Bounds(row.floor, row.held) for row in rows}


async def set_floor(connection: AsyncConnection, id_: int, floor: int) -> bool:
    """Let an account down to `floor`, in minor units. False, and nothing is changed, where what is free of it is lower
    already, or where there is no such account."""
    where = (account.c.id == id_, account.c.balance - account.c.held >= floor)
    changed = await connection.execute(sa.update(account).where(*where).values(floor=floor))
    return changed.rowcount == 1


def _row(key: AccountKey, book_ids: Mapping[Book, int], rates: Mapping[str, int], now_us: int) -> dict[str, object]:
    peg: tuple[int | None, int | None] = (None, None)
    if key.kind == "issuance" and key.book.currency in rates:
        peg = (book_ids[key.book], rates[key.book.currency])
    elif key.kind == "liability":
        peg = (book_ids[Book(key.book.issuer, BookKind.CURRENCY, key.owner)], -1)
    rules = key.rules
    return {
        "book": book_ids[key.book],
        "book_kind": key.book.kind,
        "kind": key.kind,
        "owner": key.owner,
        "normal": rules.normal,
        "floor": rules.floor,
        "ceiling": rules.ceiling,
        "peg": peg[0],
        "peg_weight": peg[1],
        "opened_at_us": now_us,
    }


def _order(key: AccountKey) -> tuple[str, str, str, str, str]:
    return (key.book.issuer, key.book.kind, key.book.currency, key.kind, key.owner)


def _key(row: Any) -> AccountKey:
    return AccountKey(Book(row.issuer, BookKind(row.book_kind), row.currency), row.kind, row.owner)
