"""Refunds as rows: read, and moved from one state to the next by whoever comes first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.errors import Conflict, NotFound
from app.refunds.rules import ENDED, Proof, Status, Way
from app.refunds.tables import refund, refund_card, refund_event, refund_line

LISTED_MAX = 200
DUE_MAX = 1000
# As many as a database takes in one list of parameters.
ALL = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """Minor units of a currency; None while it is not worked out. Cents are euro cents."""

    currency: str
    asked_units: int
    units: int | None = None
    cents: int | None = None
    fee_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    status: Status
    reason: str
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Request:
    """One refund. `lines`, `events`: in their order. `topup`: the one payment that it goes back to; None: the newest
    first, or the bank."""

    id: UUID
    wallet: UUID
    card: UUID
    way: Way
    proof: Proof
    holder: str
    iban: str
    address: str
    language: str
    status: Status
    attempt: int
    sending: int
    asked_at_us: int
    changed_at_us: int
    lines: tuple[Line, ...] = ()
    events: tuple[Event, ...] = ()
    topup: UUID | None = None

    @property
    def owner(self) -> str:
        return f"wallet:{self.wallet}"

    @property
    def cents(self) -> int:
        """What its holder gets, once it is worked out."""
        return sum(it.cents or 0 for it in self.lines)

    @property
    def fee_cents(self) -> int:
        return sum(it.fee_cents or 0 for it in self.lines)

    @property
    def reason(self) -> str:
        return self.events[-1].reason if self.events else ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


_COLUMNS = [refund.c[name] for name in Request.__dataclass_fields__ if name in refund.c]


async def add(
    connection: AsyncConnection, new: Request, blocked: Collection[UUID], actor: str, reason: str = ""
) -> None:
    """IntegrityError where the wallet has an open one."""
    row = {it.name: getattr(new, it.name) for it in _COLUMNS}
    await connection.execute(sa.insert(refund).values(row))
    lines = [{"refund": new.id, "currency": it.currency, "asked_units": it.asked_units} for it in new.lines]
    await connection.execute(sa.insert(refund_line), lines)
    if blocked:
        await connection.execute(sa.insert(refund_card), [{"refund": new.id, "card": it} for it in blocked])
    await _event(connection, new.id, new.status, reason, actor)


async def named(connection: AsyncConnection, id_: UUID) -> Request:
    found = await _read(connection, sa.select(*_COLUMNS).where(refund.c.id == id_))
    if not found:
        raise NotFound("There is no such refund.")
    return found[0]


async def of_wallet(connection: AsyncConnection, wallet: UUID) -> list[Request]:
    """The newest first."""
    query = sa.select(*_COLUMNS).where(refund.c.wallet == wallet)
    return await _read(connection, query.order_by(refund.c.asked_at_us.desc()).limit(20))


async def due(connection: AsyncConnection) -> list[Request]:
    """Those of which something may become by itself; what is with the bank waits for its word."""
    by_itself = refund.c.status.in_(["waiting", "setting", "cancelling"])
    to_cards = sa.and_(refund.c.way == "cards", refund.c.status.in_(["ready", "sending"]))
    moving = sa.or_(by_itself, to_cards)
    query = sa.select(*_COLUMNS).where(moving).order_by(refund.c.asked_at_us).limit(DUE_MAX)
    return await _read(connection, query)


async def listed(
    connection: AsyncConnection, *, statuses: Collection[str] | None = None, limit: int = LISTED_MAX
) -> list[Request]:
    """Those that failed, then those that are open, then the others; the newest of each first."""
    order = sa.case((refund.c.status == "failed", 0), (refund.c.status.in_(sorted(ENDED)), 2), else_=1)
    query = sa.select(*_COLUMNS).order_by(order, refund.c.asked_at_us.desc()).limit(limit)
    if statuses is not None:
        query = query.where(refund.c.status.in_(list(statuses)))
    return await _read(connection, query)


async def blocked_for(connection: AsyncConnection, id_: UUID) -> list[UUID]:
    query = sa.select(refund_card.c.card).where(refund_card.c.refund == id_).order_by(refund_card.c.card)
    return list((await connection.execute(query)).scalars())


async def move(
    connection: AsyncConnection, it: Request, status: Status, *, actor: str, reason: str = "", **values: Any
) -> Request:
    """The next state, in the caller's transaction. Conflict("refund-moved-on") where somebody was quicker."""
    now = now_us()
    same = sa.and_(refund.c.status == it.status, refund.c.attempt == it.attempt, refund.c.sending == it.sending)
    done = await connection.execute(
        sa.update(refund).where(refund.c.id == it.id, same).values(status=status, changed_at_us=now, **values)
    )
    if done.rowcount != 1:
        raise Conflict("This refund has moved on meanwhile.", "refund-moved-on")
    await _event(connection, it.id, status, reason, actor)
    return await named(connection, it.id)


async def set_lines(connection: AsyncConnection, it: Request, found: Collection[Line]) -> None:
    """What it came to, worked out again: currencies that are not among them come to nothing."""
    here = refund_line.c.refund == it.id
    await connection.execute(sa.update(refund_line).where(here).values(units=0, cents=0, fee_cents=0))
    known = {line.currency for line in it.lines}
    for line in found:
        values = {"units": line.units, "cents": line.cents, "fee_cents": line.fee_cents}
        if line.currency in known:
            of = refund_line.c.currency == line.currency
            await connection.execute(sa.update(refund_line).where(here, of).values(**values))
        else:
            row = {"refund": it.id, "currency": line.currency, "asked_units": 0, **values}
            await connection.execute(sa.insert(refund_line).values(row))


async def _event(connection: AsyncConnection, id_: UUID, status: Status, reason: str, actor: str) -> None:
    count = sa.select(sa.func.count()).select_from(refund_event).where(refund_event.c.refund == id_)
    number = 1 + int((await connection.execute(count)).scalar_one())
    row = {"refund": id_, "number": number, "status": status, "reason": reason[:300], "actor": actor}
    await connection.execute(sa.insert(refund_event).values(**row, at_us=now_us()))


async def _read(connection: AsyncConnection, query: sa.Select[Any]) -> list[Request]:
    rows = (await connection.execute(query)).mappings().all()
    ids = [row["id"] for row in rows]
    lines: dict[UUID, list[Line]] = {}
    of_lines = sa.select(refund_line).where(refund_line.c.refund.in_(ids)).order_by(refund_line.c.currency)
    for row in await connection.execute(of_lines):
        line = Line(row.currency, row.asked_units, row.units, row.cents, row.fee_cents)
        lines.setdefault(row.refund, []).append(line)
    events: dict[UUID, list[Event]] = {}
    of_events = sa.select(refund_event).where(refund_event.c.refund.in_(ids)).order_by(refund_event.c.number)
    for row in await connection.execute(of_events):
        events.setdefault(row.refund, []).append(Event(row.status, row.reason, row.actor, row.at_us))
    return [
        Request(**row, lines=tuple(lines.get(row["id"], ())), events=tuple(events.get(row["id"], ()))) for row in rows
    ]
