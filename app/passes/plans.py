"""Passes and subscriptions, made and ended by those who run the venues of their dates. What was put on sale stays as it
is: whoever has one has what they bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.rules import Event
from app.events.service import events
from app.identity.audit import audit
from app.passes.rules import AMOUNT_MAX, DATES_MAX, NAME_MAX, QUOTA_MAX, Date, Plan
from app.passes.tables import pass_date, pass_plan
from app.platform.clock import now_us
from app.platform.errors import Invalid, NotFound
from app.venues.service import venues

_OWN: Final = tuple(pass_plan.c[name] for name in Plan.__dataclass_fields__ if name != "dates")
_SET: Final = (
    "id",
    "venue",
    "kind",
    "name_fr",
    "name_en",
    "currency",
    "amount",
    "places",
    "quota",
    "sale_until_us",
)


async def plans(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> dict[UUID, Plan]:
    """Also those that are no longer sold; the newest first."""
    query = sa.select(*_OWN).where(*where).order_by(pass_plan.c.created_at_us.desc(), pass_plan.c.id)
    rows = (await connection.execute(query)).all()
    dates: dict[UUID, list[Date]] = {}
    of = sa.select(pass_date).where(pass_date.c.plan.in_([row.id for row in rows])).order_by(pass_date.c.event)
    for row in await connection.execute(of):
        dates.setdefault(row.plan, []).append(Date(row.event, row.price, row.weight))
    return {row.id: Plan(**row._mapping, dates=tuple(dates.get(row.id, ()))) for row in rows}


async def plan_named(connection: AsyncConnection, id_: UUID, *, locked: bool = False) -> Plan:
    """`locked`: nobody counts its sales before the end of this transaction."""
    if locked:
        row = sa.select(pass_plan.c.id).where(pass_plan.c.id == id_)
        await connection.execute(row.with_for_update(key_share=True))
    found = (await plans(connection, pass_plan.c.id == id_)).get(id_)
    if found is None:
        raise NotFound("There is no such pass.")
    return found


async def dates_of(connection: AsyncConnection, plan: Plan) -> dict[UUID, Event]:
    """Its events, the earliest first."""
    return await events(connection, ids=[it.event for it in plan.dates])


async def make(connection: AsyncConnection, actor: str, new: Plan) -> None:
    """The same again changes nothing. That `actor` runs the venues of its dates is for the caller to know.

    Raises Invalid with the `field` that is not right, and Invalid("idempotency-key-reused")."""
    at = await dates_of(connection, new)
    await _check(connection, new, at)
    there = (await plans(connection, pass_plan.c.id == new.id)).get(new.id)
    if there is not None:
        if replace(new, held=there.held, sold=there.sold, ended_at_us=there.ended_at_us) != there:
            raise Invalid("This id was used for other content.", "idempotency-key-reused")
        return
    row = {name: getattr(new, name) for name in _SET}
    await connection.execute(sa.insert(pass_plan).values(**row, created_at_us=now_us()))
    rows = [{"plan": new.id, "event": it.event, "price": it.price, "weight": it.weight} for it in new.dates]
    await connection.execute(sa.insert(pass_date), rows)
    told: dict[str, Any] = {"name": new.name_fr, "currency": new.currency, "amount": new.amount, "places": new.places}
    await audit(connection, actor, "pass.make", f"pass:{new.id}", venue=new.venue, **told)


async def end(connection: AsyncConnection, actor: str, id_: UUID) -> None:
    """It is sold no more; whoever has one keeps it. Again changes nothing."""
    open_ = (pass_plan.c.id == id_, pass_plan.c.ended_at_us.is_(None))
    if (await connection.execute(sa.update(pass_plan).where(*open_).values(ended_at_us=now_us()))).rowcount:
        await audit(connection, actor, "pass.end", f"pass:{id_}")


async def _check(connection: AsyncConnection, new: Plan, at: Mapping[UUID, Event]) -> None:
    there = await venues(connection)
    if not 0 < len(new.name_fr) <= NAME_MAX or len(new.name_en) > NAME_MAX:
        raise Invalid("A pass has a name.", field="name")
    if not 0 < new.amount <= AMOUNT_MAX:
        raise Invalid("A pass has a price.", field="amount")
    if new.quota is not None and not 0 < new.quota <= QUOTA_MAX:
        raise Invalid("Some are sold, or as many as there are places.", field="quota")
    if not 2 <= len(new.dates) <= DATES_MAX or len(at) != len(new.dates) or any(it.weight <= 0 for it in new.dates):
        raise Invalid(f"A pass is for 2 to {DATES_MAX} dates.", field="dates")
    whole = len(new.dates)
    if new.places != whole if new.kind == "pass" else not 0 < new.places <= whole:
        raise Invalid("A pass is for all of its dates, a subscription for some of them.", field="places")
    for it in new.dates:
        price, venue = at[it.event].price(it.price), there[at[it.event].venue]
        if price is None:
            raise Invalid("Each date has one of its event's prices.", field="dates")
        if new.currency not in venue.accepted or price.currency != new.currency:
            raise Invalid(f"{venue.name} does not sell this date for {new.currency}.", field="currency")
