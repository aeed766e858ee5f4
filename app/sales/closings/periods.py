"""What a terminal took since a closing, computed anew from the rows that it delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.rules.drawer import Closed, Period
from app.sales.closings.document import Origin
from app.sales.closings.store import newest
from app.sales.tables import intake
from app.terminals.service import Terminal, mark
from app.terminals.tables import journal_mark
from app.wire import GENESIS, AnyRow, SaleRow, VoidRow, read_payload
from app.wire.takings import take


@dataclass(slots=True)
class Taken:
    """A period, and the sales in it: (id, when it was made by the terminal's clock)."""

    period: Period = field(default_factory=Period)
    sales: list[tuple[UUID, int]] = field(default_factory=list)


async def taken_between(
    connection: AsyncConnection, device: UUID, after: Origin | None, until: tuple[int, int, str]
) -> Taken:
    """The rows after closing `after` up to row `until` (epoch, sequence, hash), that one left out.

    Each epoch's rows are followed from its last one back by their hashes: of a forked journal, its own branch.
    """
    last_epoch, _, head = until
    query = sa.select(journal_mark.c.epoch, journal_mark.c.head).where(
        journal_mark.c.terminal == device,
        journal_mark.c.epoch < last_epoch,
        journal_mark.c.epoch >= (after.epoch if after else 0),
    )
    heads = [(row.epoch, row.head) for row in await connection.execute(query.order_by(journal_mark.c.epoch))]
    taken = Taken()
    for epoch, end in (*heads, (last_epoch, head)):
        first = after.sequence if after and after.epoch == epoch else 0
        stop = after.hash if after and after.epoch == epoch else GENESIS
        rows = await _chain(connection, device, epoch, first, end, stop)
        if epoch == last_epoch:
            rows = [row for row in rows if row.hash != head]
        await _count(connection, device, epoch, rows, taken)
    return taken


async def last_of(connection: AsyncConnection, terminal: Terminal) -> tuple[Closed, int | None, Period | None]:
    """(a terminal's last closing, when it was made, what its older epochs left open): where a new epoch goes on."""
    last = await newest(connection, terminal.id, "session")
    origin = last.document.origin if last else None
    closed = last.document.after if last else Closed()
    made_at_us = last.document.made_at_us if last else None
    if terminal.epoch == 1 or (origin and origin.epoch == terminal.epoch):
        return closed, made_at_us, None
    # Nothing of the epoch that begins is counted: the terminal has its rows itself.
    taken = await taken_between(connection, terminal.id, origin, (terminal.epoch, 0, GENESIS))
    return closed, made_at_us, None if taken.period.empty else taken.period


async def rows_since(connection: AsyncConnection, terminal: Terminal) -> int:
    """How many rows that ask for something to be booked stand after a terminal's last closing."""
    last = await newest(connection, terminal.id, "session")
    origin = last.document.origin if last else None
    applied, _ = await mark(connection, terminal.id, terminal.epoch)
    here = sa.and_(intake.c.epoch == terminal.epoch, intake.c.sequence <= applied)
    since: sa.ColumnElement[bool] = sa.true()
    if origin:
        same = sa.and_(intake.c.epoch == origin.epoch, intake.c.sequence > origin.sequence)
        since = sa.or_(intake.c.epoch > origin.epoch, same)
    query = sa.select(sa.func.count(sa.distinct(intake.c.event))).where(
        intake.c.device == terminal.id, since, sa.or_(intake.c.epoch < terminal.epoch, here)
    )
    return int((await connection.execute(query)).scalar_one())


async def _chain(connection: AsyncConnection, device: UUID, epoch: int, after: int, head: str, stop: str) -> list[Any]:
    query = sa.select(intake.c.sequence, intake.c.previous, intake.c.hash, intake.c.payload).where(
        intake.c.device == device, intake.c.epoch == epoch, intake.c.sequence > after
    )
    by_hash = {row.hash: row for row in await connection.execute(query)}
    rows = []
    while head != stop and (row := by_hash.get(head)) is not None:
        rows.append(row)
        head = row.previous
    return rows[::-1]


async def _count(connection: AsyncConnection, device: UUID, epoch: int, rows: list[Any], taken: Taken) -> None:
    read = [(row.sequence, payload) for row in rows if (payload := _read(row.payload)) is not None]
    booked: dict[UUID, AnyRow] = {row.event: row for _, row in read if row.event is not None}
    for sequence, row in read:
        undone = None
        if isinstance(row, VoidRow):
            undone = booked.get(row.sale) or await _earlier(connection, device, row.sale)
        if isinstance(row, SaleRow):
            taken.sales.append((row.sale.id, row.sale.occurred_at_us))
        take(taken.period, f"{epoch}-{sequence}", row, undone)


async def _earlier(connection: AsyncConnection, device: UUID, event: UUID) -> AnyRow | None:
    query = sa.select(intake.c.payload).where(intake.c.device == device, intake.c.event == event)
    row = (await connection.execute(query.order_by(intake.c.id).limit(1))).first()
    return _read(row.payload) if row else None


def _read(text: str) -> AnyRow | None:
    """None for a row that this version can't read; the intake has made an exception of it."""
    try:
        return read_payload(text)
    except ValidationError:
        return None
