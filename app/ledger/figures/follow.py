"""Brings the figures up to where the ledger is, a stretch of transfers at a time.

A stretch and the number that it came to are one transaction, begun by locking that number: processes take turns, and
nothing is counted twice or left out, wherever one of them stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.figures.lots import NOWHERE, Cell, Leg, Lot, Lots, Shortfall, Use
from app.ledger.figures.tables import (
    day_flow,
    figures_head,
    lot,
    lot_use,
    month_flow,
    month_of,
    shortfall,
    spent_from,
    spent_month,
)
from app.ledger.tables import account, head, operation, transfer
from app.platform.database import is_sqlite

# A stretch holds SQLite's one lock for writing while sales wait for it; PostgreSQL's sales wait for nothing here.
STRETCH, STRETCH_ON_SQLITE = 500, 200

# How much of a process's time the figures take while they are behind: sales come first.
SHARE = 0.02

# What a page shows is brought up to date when it is asked for: this keeps that short.
EVERY_S = 15.0

_log = structlog.get_logger("comptoir.figures")

# A holder's two accounts in one book: what is owed after a sale without network is a part of the same purse.
PURSE = ("wallet", "overdraft")

# Values in one list of a statement; SQLite takes no more than 32,766 in all.
_LISTED_MAX = 500

_DEBITED, _CREDITED = account.alias("debited"), account.alias("credited")
_LEGS = (
    sa.join(transfer, operation, operation.c.seq == transfer.c.operation_seq)
    .join(_DEBITED, _DEBITED.c.id == transfer.c.debit_account)
    .join(_CREDITED, _CREDITED.c.id == transfer.c.credit_account)
)


async def catch_up(engine: AsyncEngine, *, stretches: int | None = None, stretch: int | None = None) -> bool:
    """Take in what was booked, at most so many `stretches` (None: all) of so many transfers. Whether nothing is left
    to take in."""
    if stretch is None:
        stretch = STRETCH_ON_SQLITE if is_sqlite(engine) else STRETCH
    done = 0
    while stretches is None or done < stretches:
        async with engine.begin() as connection:
            if not await _step(connection, stretch):
                return True
        done += 1
    return False


async def run_for_ever(engine: AsyncEngine) -> None:
    """Keep the figures near the ledger; a database that is away is asked again later."""
    clock = asyncio.get_running_loop().time
    while True:
        began_s, all_in = clock(), True
        try:
            all_in = await catch_up(engine, stretches=1)
        except (SQLAlchemyError, OSError) as error:
            _log.warning("figures not brought up to date", why=str(error))
        await asyncio.sleep(EVERY_S if all_in else (clock() - began_s) / SHARE)


async def _step(connection: AsyncConnection, stretch: int) -> bool:
    """One stretch; False when there was nothing."""
    after = (await connection.execute(sa.select(figures_head.c.transfer).with_for_update())).scalar_one()
    newest = (await connection.execute(sa.select(head.c.transfer_id))).scalar_one()
    upto = min(newest, after + stretch)
    if upto == after:
        return False
    for query in flow_queries(connection, after, upto):
        await connection.execute(query)
    await _take_in_lots(connection, after, upto)
    await connection.execute(sa.update(figures_head).values(transfer=upto))
    return True


def flow_queries(connection: AsyncConnection, after: int, upto: int) -> list[Any]:
    """The statements that add these transfers to `day_flow` and to `month_flow`."""
    lite = is_sqlite(connection)
    insert = sqlite.insert if lite else postgresql.insert
    queries = []
    for table, when in (
        (day_flow, operation.c.business_day),
        (month_flow, month_of(operation.c.business_day, sqlite=lite)),
    ):
        adding = insert(table).from_select([it.name for it in table.c], moved(after, upto, when))
        both = {it: table.c[it] + adding.excluded[it] for it in ("amount", "transfers")}
        queries.append(adding.on_conflict_do_update(index_elements=list(table.primary_key), set_=both))
    return queries


def moved(after: int, upto: int, when: sa.ColumnElement[date] = operation.c.business_day) -> sa.Select[Any]:
    """What `day_flow` says (or `month_flow`), worked out from the transfers above number `after` and up to `upto`."""
    dimensions = (
        when.label("day"),
        _DEBITED.c.book,
        operation.c.kind,
        sa.func.coalesce(operation.c.venue, sa.literal(NOWHERE, sa.Uuid)).label("venue"),
        _DEBITED.c.kind.label("debit_kind"),
        _whose(_DEBITED).label("debit_owner"),
        _CREDITED.c.kind.label("credit_kind"),
        _whose(_CREDITED).label("credit_owner"),
    )
    return (
        sa.select(
            *dimensions,
            sa.cast(sa.func.sum(transfer.c.amount), sa.BigInteger).label("amount"),
            sa.func.count().label("transfers"),
        )
        .select_from(_LEGS)
        .where(transfer.c.id > after, transfer.c.id <= upto)
        .group_by(*(sa.text(str(place)) for place in range(1, len(dimensions) + 1)))
    )


def _whose(side: sa.FromClause) -> sa.ColumnElement[str]:
    """Holders are one; venues and the issuer's own accounts are themselves."""
    return sa.case((side.c.owner.like("wallet:%"), ""), else_=side.c.owner)


async def _take_in_lots(connection: AsyncConnection, after: int, upto: int) -> None:
    legs = [leg async for leg in _legs(connection, after, upto)]
    if not legs:
        return
    if first_issued := await _first_issued(connection, after, upto):
        legs = [*await _passed_over(connection, after, first_issued), *legs]
    known = await _loaded(connection, legs)
    old = _Seen(known)
    for leg in legs:
        known.apply(leg)
    await old.write_changes(connection, known)


async def _first_issued(connection: AsyncConnection, after: int, upto: int) -> list[int]:
    """Books whose first unit ever is issued in this stretch."""
    first = sa.select(sa.func.min(transfer.c.id)).where(transfer.c.debit_account == account.c.id).scalar_subquery()
    query = sa.select(account.c.book).where(account.c.kind == "issuance", first > after, first <= upto)
    return list((await connection.execute(query)).scalars())


async def _passed_over(connection: AsyncConnection, upto: int, books: Sequence[int]) -> list[Leg]:
    """What left purses of these books before anything was issued, at tills without network: nobody could tell by then
    that these are books of money that somebody issues."""
    legs = [leg async for leg in _legs(connection, 0, upto, books)]
    taken: set[int] = set()
    for ids in _parts([leg.transfer for leg in legs]):
        for table in (lot, lot_use, shortfall):
            rows = await connection.execute(sa.select(table.c.transfer).where(table.c.transfer.in_(ids)))
            taken.update(rows.scalars())
    return [leg for leg in legs if leg.transfer not in taken]


async def _legs(
    connection: AsyncConnection, after: int, upto: int, books: Sequence[int] | None = None
) -> AsyncIterator[Leg]:
    """What moved in or out of purses above transfer `after` and up to `upto`, in order; in `books` only, if given."""
    query = (
        sa.select(
            transfer.c.id,
            transfer.c.amount,
            transfer.c.reverses,
            operation.c.business_day,
            operation.c.venue,
            _DEBITED.c.book,
            _DEBITED.c.kind.label("debit_kind"),
            _DEBITED.c.owner.label("debit_owner"),
            _CREDITED.c.kind.label("credit_kind"),
            _CREDITED.c.owner.label("credit_owner"),
        )
        .select_from(_LEGS)
        .where(transfer.c.id > after, transfer.c.id <= upto, _DEBITED.c.book.in_(issued()))
        .where(sa.or_(_DEBITED.c.kind.in_(PURSE), _CREDITED.c.kind.in_(PURSE)))
        .order_by(transfer.c.id)
    )
    if books is not None:
        query = query.where(_DEBITED.c.book.in_(books))
    for row in await connection.execute(query):
        debit = (row.book, row.debit_owner) if row.debit_kind in PURSE else None
        credit = (row.book, row.credit_owner) if row.credit_kind in PURSE else None
        if debit == credit:
            continue
        yield Leg(
            transfer=row.id,
            amount=row.amount,
            day=row.business_day,
            debit=debit,
            credit=credit,
            purpose="" if debit is None else row.credit_kind,
            venue=venue_of(row.credit_owner),
            origin=(row.venue or NOWHERE) if row.debit_kind == "issuance" else NOWHERE,
            takes_back=row.reverses,
        )


def issued() -> sa.Select[tuple[int]]:
    """Books of money that somebody issues; in mutual credit there is nothing that a purse was filled with."""
    return sa.select(account.c.book).where(account.c.kind == "issuance")


def venue_of(owner: str) -> UUID:
    """Whose account it is; all zeros where it is no venue's."""
    kind, _, id_ = owner.partition(":")
    return UUID(id_) if kind == "venue" else NOWHERE


async def _loaded(connection: AsyncConnection, legs: Sequence[Leg]) -> Lots:
    """What these legs will ask for: open lots and shortfalls of their purses, and the uses of what they take back."""
    known = Lots()
    purses = {purse for leg in legs for purse in (leg.debit, leg.credit) if purse is not None}
    for owners in _parts(sorted({owner for _, owner in purses})):
        of = (lot.c.owner.in_(owners), lot.c.remaining > 0)
        for row in await connection.execute(sa.select(lot).where(*of).order_by(lot.c.day, lot.c.transfer, lot.c.part)):
            purse = (row.book, row.owner)
            known.lots[purse].append(Lot(row.transfer, row.part, purse, row.origin, row.day, row.amount, row.remaining))
        short = (shortfall.c.owner.in_(owners), shortfall.c.remaining > 0)
        for row in await connection.execute(sa.select(shortfall).where(*short).order_by(shortfall.c.transfer)):
            purse = (row.book, row.owner)
            debt = Shortfall(row.transfer, purse, row.purpose, row.venue, row.amount, row.remaining)
            known.shortfalls[purse].append(debt)
            known.short_by[row.transfer] = debt
    reversed_ = {leg.takes_back for leg in legs if leg.takes_back is not None and leg.credit is not None}
    for ids in _parts(sorted(reversed_)):
        paid = sa.select(transfer.c.id, _CREDITED.c.kind, _CREDITED.c.owner).select_from(_LEGS)
        paid = paid.where(transfer.c.id.in_(ids), _DEBITED.c.kind.in_(PURSE))
        for row in await connection.execute(paid):
            known.paid[row.id] = row.kind, venue_of(row.owner)
    for ids in _parts(sorted({*reversed_, *known.short_by})):
        uses = sa.select(lot_use).where(lot_use.c.transfer.in_(ids)).order_by(lot_use.c.transfer, lot_use.c.place)
        for row in await connection.execute(uses):
            known.uses[row.transfer].append(Use(row.transfer, row.place, row.origin, row.day, row.amount, row.returned))
    return known


class _Seen:
    """What the database held, to write no more than what changed."""

    def __init__(self, known: Lots) -> None:
        self._lots = {(it.transfer, it.part): it.remaining for lots in known.lots.values() for it in lots}
        self._shortfalls = {it.transfer: it.remaining for it in known.short_by.values()}
        self._uses = {(it.transfer, it.place): it.returned for uses in known.uses.values() for it in uses}

    async def write_changes(self, connection: AsyncConnection, known: Lots) -> None:
        new_lots, used_lots = [], []
        for it in (it for lots in known.lots.values() for it in lots):
            if (before := self._lots.get((it.transfer, it.part))) is None:
                new_lots.append(_row(it, *it.purse))
            elif before != it.remaining:
                used_lots.append({"of": it.transfer, "at": it.part, "left": it.remaining})
        new_uses, returned = [], []
        for use in (it for uses in known.uses.values() for it in uses):
            if (given_back := self._uses.get((use.transfer, use.place))) is None:
                new_uses.append(
                    {
                        "transfer": use.transfer,
                        "place": use.place,
                        "origin": use.origin,
                        "day": use.day,
                        "amount": use.amount,
                        "returned": use.returned,
                    }
                )
            elif given_back != use.returned:
                returned.append({"of": use.transfer, "at": use.place, "back": use.returned})
        new_debts, paid_debts = [], []
        for debt in known.short_by.values():
            if (owed := self._shortfalls.get(debt.transfer)) is None:
                new_debts.append({**_row(debt, *debt.purse), "purpose": debt.purpose, "venue": debt.venue})
            elif owed != debt.remaining:
                paid_debts.append({"of": debt.transfer, "left": debt.remaining})
        of: sa.BindParameter[int] = sa.bindparam("of")
        at: sa.BindParameter[int] = sa.bindparam("at")
        for statement, rows in (
            (sa.insert(lot), new_lots),
            (
                sa.update(lot).where(lot.c.transfer == of, lot.c.part == at).values(remaining=sa.bindparam("left")),
                used_lots,
            ),
            (sa.insert(lot_use), new_uses),
            (
                sa.update(lot_use)
                .where(lot_use.c.transfer == of, lot_use.c.place == at)
                .values(returned=sa.bindparam("back")),
                returned,
            ),
            (sa.insert(shortfall), new_debts),
            (
                sa.update(shortfall).where(shortfall.c.transfer == of).values(remaining=sa.bindparam("left")),
                paid_debts,
            ),
            (
                _adding(connection, spent_from),
                [{**it._asdict(), "amount": amount} for it, amount in known.cells.items()],
            ),
            (_adding(connection, spent_month), _by_month(known.cells)),
        ):
            if rows:
                await connection.execute(statement, rows)


def _row(it: Lot | Shortfall, book: int, owner: str) -> dict[str, Any]:
    row = {"transfer": it.transfer, "book": book, "owner": owner, "amount": it.amount, "remaining": it.remaining}
    return row if isinstance(it, Shortfall) else {**row, "part": it.part, "origin": it.origin, "day": it.day}


def _by_month(cells: Mapping[Cell, int]) -> list[dict[str, Any]]:
    sums: dict[Cell, int] = {}
    for cell, amount in cells.items():
        of = cell._replace(day=cell.day.replace(day=1))
        sums[of] = sums.get(of, 0) + amount
    rows = ((it._asdict(), amount) for it, amount in sums.items())
    return [{**row, "month": row.pop("day"), "amount": amount} for row, amount in rows]


def _adding(connection: AsyncConnection, table: sa.Table) -> Any:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    adding = insert(table)
    return adding.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={"amount": table.c.amount + adding.excluded.amount},
    )


def _parts(values: Sequence[Any]) -> Iterator[Collection[Any]]:
    for start in range(0, len(values), _LISTED_MAX):
        yield values[start : start + _LISTED_MAX]
