"""What must hold of passes, recomputed from the rows and the ledger: for `comptoir verify` and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.events import orders
from app.events.orders import Order
from app.events.paying import PASSES
from app.ledger.service import balances_of, booked_among
from app.passes.plans import plans
from app.passes.rules import Plan
from app.passes.sales import Sale, sales
from app.passes.tables import pass_plan, pass_sale

_CHUNK = 200


async def wrong(engine: AsyncEngine) -> list[str]:
    """Passes paid without being booked or without their places, places without their pass, money set aside that is not
    what waits for places, plans that count other sales than there are; in words."""
    async with engine.connect() as connection:
        found, at = await _miscounted(connection), await plans(connection)
        every = await sales(connection)
        for begin in range(0, len(every), _CHUNK):
            some = every[begin : begin + _CHUNK]
            ids = [it.id for it in some]
            booked = set(await booked_among(connection, ids))
            rows = await balances_of(connection, owners=[f"{PASSES}{id_}" for id_ in ids], kinds=["fund"])
            waits = {UUID(row.key.owner.removeprefix(PASSES)): row.balance for row in rows}
            for it in some:
                mine = await orders.orders_paid_by(connection, [it.id])
                found += _wrong(it, at[it.plan], mine, it.id in booked, waits.get(it.id, 0))
    return found


async def _miscounted(connection: AsyncConnection) -> list[str]:
    def of(*states: str) -> sa.ScalarSelect[int]:
        query = sa.select(sa.func.count()).where(pass_sale.c.plan == pass_plan.c.id, pass_sale.c.state.in_(states))
        return query.correlate(pass_plan).scalar_subquery()

    held, sold = of("held", "paying"), of("paid", "closed")
    query = sa.select(pass_plan.c.id, pass_plan.c.held, pass_plan.c.sold, held.label("open"), sold.label("paid"))
    query = query.where(sa.or_(pass_plan.c.held != held, pass_plan.c.sold != sold))
    return [
        f"pass_plan {row.id} counts {row.held} held and {row.sold} sold: they are {row.open} and {row.paid}"
        for row in await connection.execute(query)
    ]


def _wrong(it: Sale, plan: Plan, mine: Sequence[Order], booked: bool, waits: int) -> list[str]:
    found = []
    live = [one for one in mine if one.state != "released"]
    paid = it.state in {"paid", "closed"}
    if paid and not booked:
        found.append(f"the pass {it.id} was issued, and was not booked")
    if not paid and it.state != "paying" and booked:
        found.append(f"the pass {it.id} was booked, and is {it.state}")
    if plan.kind == "pass" and it.state != "released" and len(live) != len(plan.dates):
        found.append(f"the pass {it.id} has {len(live)} places for {len(plan.dates)} dates")
    if len(live) > plan.places or (it.state == "released" and live):
        found.append(f"the pass {it.id} is {it.state} and has {len(live)} places")
    if plan.kind == "pass" and live and sum(one.amount for one in live) != it.amount:
        found.append(f"the shares of the pass {it.id} are not its price")
    left = it.amount - sum(one.amount for one in live) if it.state == "paid" else 0
    moving = any(one.state in {"paying", "refunded"} for one in mine)
    if it.state != "paying" and not moving and waits != left:
        found.append(f"{waits} are set aside for the pass {it.id}: it waits for {left}")
    return found
