"""Reading and writing tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.sales.tables import intake, tab, tab_item
from app.wire import Sale
from app.wire.tabs import AddToTab, OpenTab, TabItem


async def insert(connection: AsyncConnection, venue: UUID, owner: str, wanted: OpenTab, expires_at_us: int) -> None:
    values = {
        "venue": venue,
        "owner": owner,
        "opened_at_us": now_us(),
        "expires_at_us": expires_at_us,
        **wanted.model_dump(exclude={"assurance"}),
    }
    await connection.execute(sa.insert(tab).values(values))


async def one(connection: AsyncConnection, id_: UUID, *, lock: bool = False) -> Any:
    """The tab's row, or None. `lock`: nobody else changes it before the end of the transaction (SQLite has one writer
    at a time anyway)."""
    query = sa.select(tab).where(tab.c.id == id_)
    return (await connection.execute(query.with_for_update() if lock else query)).one_or_none()


async def unclosed(connection: AsyncConnection, venue: UUID) -> Sequence[Any]:
    query = sa.select(tab).where(tab.c.venue == venue, tab.c.closed_at_us.is_(None)).order_by(tab.c.opened_at_us)
    return (await connection.execute(query)).all()


async def items(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, tuple[TabItem, ...]]:
    """What is on each tab: one item for each product at one price, in the order in which they were first added."""
    rows = await connection.execute(
        sa.select(tab_item)
        .where(tab_item.c.tab.in_(ids))
        .order_by(tab_item.c.at_us, tab_item.c.round, tab_item.c.place)
    )
    found: dict[UUID, dict[tuple[UUID, str, int], int]] = {}
    for row in rows:
        of = found.setdefault(row.tab, {})
        key = (row.product, row.name, row.unit_price)
        of[key] = of.get(key, 0) + row.quantity
    return {
        id_: tuple(
            TabItem(product=product, name=name, quantity=quantity, unit_price=price)
            for (product, name, price), quantity in of.items()
            if quantity
        )
        for id_, of in found.items()
    }


async def has_round(connection: AsyncConnection, round_: UUID) -> bool:
    query = sa.select(sa.func.count()).select_from(tab_item).where(tab_item.c.round == round_)
    return bool((await connection.execute(query)).scalar_one())


async def add(connection: AsyncConnection, id_: UUID, terminal: UUID, wanted: AddToTab) -> None:
    shared = {"round": wanted.id, "tab": id_, "terminal": terminal, "cashier": wanted.cashier, "at_us": now_us()}
    rows = [{**shared, "place": place, **it.model_dump()} for place, it in enumerate(wanted.items)]
    await connection.execute(sa.insert(tab_item), rows)


async def claim(connection: AsyncConnection, id_: UUID, seen: UUID | None, sale: Sale, closer: UUID) -> bool:
    """Note the sale that is to pay a tab, before it is posted; False where another terminal was faster."""
    same = tab.c.sale.is_(None) if seen is None else tab.c.sale == seen
    values = {"sale": sale.id, "paid_by": sale.model_dump_json(), "closer": closer}
    changed = await connection.execute(
        sa.update(tab).where(tab.c.id == id_, tab.c.closed_at_us.is_(None), same).values(values)
    )
    return changed.rowcount == 1


async def close(connection: AsyncConnection, id_: UUID) -> None:
    await connection.execute(
        sa.update(tab).where(tab.c.id == id_, tab.c.closed_at_us.is_(None)).values(closed_at_us=now_us())
    )


async def not_journalled(connection: AsyncConnection, terminal: UUID, since_us: int) -> list[Sale]:
    """Sales of tabs that a terminal closed and whose rows have not come in."""
    query = sa.select(tab.c.paid_by).where(
        tab.c.closer == terminal,
        tab.c.closed_at_us >= since_us,
        tab.c.paid_by.is_not(None),
        ~sa.exists().where(intake.c.event == tab.c.sale),
    )
    return [Sale.model_validate_json(row.paid_by) for row in await connection.execute(query)]
