"""What was practised? Training at the tills, apart from everything that was sold."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.rules.basket import Line, totals
from app.rules.receipts import training_number
from app.sales.tables import training
from app.terminals.service import listed
from app.venues.service import the_network, venues
from app.wire import TrainingRow

router = APIRouter(include_in_schema=False)

HERE = "/admin/training"
SHOWN_MAX = 200


@router.get(HERE)
async def training_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        seen = sa.true() if caller.sees_network else training.c.venue.in_(caller.venues)
        query = sa.select(training).where(seen).order_by(training.c.at_us.desc(), training.c.number.desc())
        rows = (await connection.execute(query.limit(SHOWN_MAX))).all()
        names = {id_: (await listed(connection, id_)).name for id_ in {row.terminal for row in rows}}
    shown = [
        {
            "number": training_number(row.number),
            "what": row.what,
            "at_us": row.at_us,
            "terminal": names[row.terminal],
            "venue": at[row.venue],
            **_sold(TrainingRow.model_validate_json(row.payload), known),
        }
        for row in rows
        if row.venue in at
    ]
    # Reached from the fleet's page, and so a part of it in the menu.
    return render_admin(
        request, session, "sales/training.html", place="/admin/terminals", network_name=network.name, rows=shown
    )


def _sold(row: TrainingRow, known: dict[str, Currency]) -> dict[str, Any]:
    if row.sale is None:
        return {"lines": "", "total": []}
    owed = totals(Line(str(it.product), it.quantity, it.unit_price, it.currency) for it in row.sale.lines)
    lines = ", ".join(f"{it.quantity} × {it.name}" for it in row.sale.lines)
    return {"lines": lines, "total": [(known[code], minor) for code, minor in owed.items() if code in known]}
