"""What happened at one venue on one business day. Every query is led by ix_operation_venue_day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.rules.kinds import BookKind
from app.ledger.tables import account, book, operation, transfer
from app.platform.database import led_by_indexes


@dataclass(frozen=True, slots=True)
class Moved:
    """What one operation or a whole day moved. `claims` and `issued`: minor units by currency, for what the venue took
    and what was put into circulation; `cash_cents`: euro cents it took for the issuer. What was taken back counts
    negative."""

    claims: dict[str, int] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)
    cash_cents: int = 0


@dataclass(frozen=True, slots=True)
class VenueOperation:
    """One operation at a venue. `late`: it counts to the day it was booked and not to the day it happened."""

    seq: int
    id: UUID
    kind: str
    actor: str
    terminal: UUID | None
    occurred_at_us: int
    late: bool
    reverses: UUID | None
    details: str
    moved: Moved


_DEBITED, _CREDITED = account.alias("debited"), account.alias("credited")

_KINDS = (
    book.c.kind.label("book_kind"),
    book.c.currency,
    _DEBITED.c.kind.label("debit"),
    _CREDITED.c.kind.label("credit"),
)

# An operation's transfers are one run of numbers, so the join is led by the transfers' primary key.
_LEGS = (
    sa.select(*_KINDS, sa.func.sum(transfer.c.amount).label("amount"))
    .select_from(operation)
    .join(
        transfer,
        sa.and_(
            transfer.c.id >= operation.c.first_transfer,
            transfer.c.id < operation.c.first_transfer + operation.c.transfers,
        ),
    )
    .join(_DEBITED, _DEBITED.c.id == transfer.c.debit_account)
    .join(_CREDITED, _CREDITED.c.id == transfer.c.credit_account)
    .join(book, book.c.id == _DEBITED.c.book)
    .group_by(book.c.kind, book.c.currency, _DEBITED.c.kind, _CREDITED.c.kind)
)


async def operations(
    connection: AsyncConnection, venue: UUID, day: date, *, before: int | None = None, limit: int = 100
) -> list[VenueOperation]:
    """The newest operations of that day, newest first; `before`: only those numbered below (a page's cursor)."""
    await led_by_indexes(connection)
    rows = (await connection.execute(day_query(venue, day, before, limit))).all()
    if not rows:
        return []
    legs: dict[int, list[Any]] = {}
    between = (operation.c.seq >= rows[-1].seq, operation.c.seq <= rows[0].seq)
    where = (operation.c.venue == venue, operation.c.business_day == day, *between)
    for leg in await connection.execute(_LEGS.add_columns(operation.c.seq).where(*where).group_by(operation.c.seq)):
        legs.setdefault(leg.seq, []).append(leg)
    return [
        VenueOperation(
            row.seq,
            row.id,
            row.kind,
            row.actor,
            row.terminal,
            row.occurred_at_us,
            row.late,
            row.reverses,
            row.details,
            _moved(legs[row.seq]),
        )
        for row in rows
    ]


async def totals(connection: AsyncConnection, venue: UUID, day: date) -> Moved:
    """The whole day in one sum."""
    await led_by_indexes(connection)
    return _moved(await connection.execute(totals_query(venue, day)))


def day_query(venue: UUID, day: date, before: int | None, limit: int) -> sa.Select[Any]:
    query = sa.select(operation).where(operation.c.venue == venue, operation.c.business_day == day)
    if before is not None:
        query = query.where(operation.c.seq < before)
    return query.order_by(operation.c.seq.desc()).limit(limit)


def totals_query(venue: UUID, day: date) -> sa.Select[Any]:
    return _LEGS.where(operation.c.venue == venue, operation.c.business_day == day)


def _moved(legs: Iterable[Any]) -> Moved:
    claims: dict[str, int] = {}
    issued: dict[str, int] = {}
    cash_cents = 0
    for leg in legs:
        # A claim and a wallet grow when credited; issuance and due-from grow when debited.
        amount = int(leg.amount)
        if leg.book_kind == BookKind.CURRENCY:
            claim = amount * ((leg.credit == "claim") - (leg.debit == "claim"))
            issue = amount * ((leg.debit == "issuance") - (leg.credit == "issuance"))
            _add(claims, leg.currency, claim)
            _add(issued, leg.currency, issue)
        else:
            cash_cents += amount * ((leg.debit == "due_from") - (leg.credit == "due_from"))
    return Moved(claims, issued, cash_cents)


def _add(to: dict[str, int], code: str, amount: int) -> None:
    if amount:
        to[code] = to.get(code, 0) + amount
