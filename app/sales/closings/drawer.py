"""What changes the cash of a drawer without a sale, kept for the venue's books: cash laid in and taken out, the float
that an evening begins with, and what a count finds to differ.

With the cash of sales, top-ups and refunds these come to what each closing leaves in the drawer, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.rules.ids import derived
from app.sales.closings.document import ClosingDocument
from app.sales.tables import drawer_move
from app.terminals.rows import Exceptions, Place, day_of
from app.wire import CashRow


def float_cents(laid_in: int, left_before: int) -> int:
    """Euro cents that an evening brings into a drawer in which `left_before` were, and which begins with `laid_in`."""
    return laid_in - left_before


@dataclass(frozen=True, slots=True)
class Move:
    """`cents`: what the drawer of a terminal gains. `closing`: which one says it; None of cash that was moved."""

    id: UUID
    kind: Literal["cash", "float", "difference"]
    venue: UUID
    terminal: UUID
    business_day: date
    occurred_at_us: int
    cents: int
    note: str
    reason: str = ""
    closing: UUID | None = None


async def book(ledger: Ledger, place: Place, rows: Sequence[CashRow], _: Exceptions) -> None:
    """Cash that was laid in or taken out: each row once, however often it comes."""
    async with ledger.engine.begin() as connection:
        for it in rows:
            cents = it.cents if it.direction == "in" else -it.cents
            day, _late = day_of(place, it.at_us)
            at = (place.venue.id, place.terminal.id, day, it.at_us)
            await _keep(connection, Move(it.id, "cash", *at, cents, it.note, it.reason))


async def closed(connection: AsyncConnection, document: ClosingDocument, before: ClosingDocument | None) -> None:
    """What a closing says of its drawer, in the transaction that seals it. `before`: the closing before it."""
    for it in _said(document, before):
        await _keep(connection, it)


def _said(document: ClosingDocument, before: ClosingDocument | None) -> Iterator[Move]:
    drawer, began = document.drawer, document.opened_at_us or document.made_at_us
    if drawer is None:
        return
    left = before.drawer.drawer_cents if before is not None and before.drawer is not None else 0
    if before is not None and before.venue != document.venue:
        # The terminal went to another venue, and the cash stayed where it was.
        yield _of(document, "float", before.venue, began, float_cents(0, left))
        left = 0
    yield _of(document, "float", document.venue, began, float_cents(drawer.float_cents, left))
    difference = drawer.difference_cents or 0
    yield _of(document, "difference", document.venue, document.made_at_us, difference, drawer.reason)


def _of(
    document: ClosingDocument,
    kind: Literal["float", "difference"],
    venue: UUID,
    at_us: int,
    cents: int,
    note: str = "",
) -> Move:
    id_ = derived(f"drawer-{kind}", document.id, venue)
    return Move(id_, kind, venue, document.subject, document.day, at_us, cents, note, closing=document.id)


async def _keep(connection: AsyncConnection, move: Move) -> None:
    known = sa.select(drawer_move.c.id).where(drawer_move.c.id == move.id)
    if not move.cents or (await connection.execute(known)).first() is not None:
        return
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    row = {**asdict(move), "recorded_at_us": now_us()}
    # Two processes may take the same row in at once.
    await connection.execute(insert(drawer_move).values(**row).on_conflict_do_nothing())
