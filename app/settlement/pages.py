"""Who owes whom, as the admins of the network and of its venues read it, and what each figure is made of."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.rights import RIGHTS
from app.identity.roles import Principal
from app.ledger.service import VenueOperation, ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.settlement import service
from app.settlement.bank_details import told
from app.settlement.positions_csv import positions_csv
from app.settlement.reach import reached
from app.settlement.service import Position
from app.venues.service import Network, the_network, venue_named, venues
from app.web import Texts, dates, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin"
OPERATIONS_SHOWN = 100
NAMED_ITEMS_MAX = 6

Day = Annotated[date | None, Query()]
Before = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get(HERE)
async def admin_home(request: Request, caller: Caller, session: SignedIn) -> Response:
    """The first page after signing in; who only works at a venue's counter is led there."""
    manager = caller.limited_to(RIGHTS["list_positions"])
    if not manager.grants:
        return RedirectResponse("/admin/counter", 303)
    network, known, found = await _positions(request, manager)
    language = texts_of(request).language
    async with context_of(request).reader.connect() as connection:
        changes = await told(connection, await reached(connection, manager))
    return render_admin(
        request,
        session,
        "settlement/positions.html",
        place=HERE,
        network_name=network.name,
        sees_network=manager.sees_network,
        currencies=list(known.values()),
        heads=[(it.names[language], "num") for it in known.values()],
        positions=found,
        totals=service.sums(found, known),
        seen_at_us=now_us(),
        zone=network.settings.zone,
        bank_changes=changes,
    )


@router.get("/admin/positions.csv")
async def positions_table(request: Request, caller: Caller) -> Response:
    """The same figures for a spreadsheet, in the reader's language."""
    network, known, found = await _positions(request, caller)
    today = dates.local(now_us(), network.settings.zone).date()
    headers = {"Content-Disposition": f'attachment; filename="positions-{today}.csv"', "Cache-Control": "no-store"}
    text = positions_csv(found, list(known.values()), texts_of(request))
    return Response(text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


@router.get("/admin/venues/{venue}")
async def venue_page(
    request: Request, caller: Caller, session: SignedIn, venue: UUID, day: Day = None, before: Before = None
) -> Response:
    """What one venue did on one business day."""
    caller.require_venue(venue)
    context, ledger, texts = context_of(request), ledger_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network, at, known = (
            await the_network(connection),
            await venue_named(connection, venue),
            await currencies(connection),
        )
    today = at.day_of(now_us())
    shown = min(day or today, today)
    operations = await ledger.venue_day(venue, shown, before=before, limit=OPERATIONS_SHOWN + 1)
    more = len(operations) > OPERATIONS_SHOWN
    operations = operations[:OPERATIONS_SHOWN]
    (position,) = await service.positions(ledger, [at], known)
    return render_admin(
        request,
        session,
        "settlement/venue.html",
        place=HERE,
        network_name=network.name,
        venue=at,
        currencies=list(known.values()),
        position=position,
        day=shown,
        today=today,
        day_before=shown - timedelta(days=1),
        day_after=None if shown == today else shown + timedelta(days=1),
        totals=await ledger.venue_day_totals(venue, shown),
        operations=[_operation(it, known, at.zone, texts) for it in operations],
        before=operations[-1].seq if more else None,
    )


async def _positions(request: Request, caller: Principal) -> tuple[Network, dict[str, Currency], list[Position]]:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        seen = [it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)]
    return network, known, await service.positions(ledger_of(request), seen, known)


def _operation(it: VenueOperation, known: dict[str, Currency], zone: str, texts: Texts) -> dict[str, Any]:
    """One line of the day: what it was, and what it moved for the venue."""
    details: dict[str, Any] = json.loads(it.details)
    lines = details.get("lines", ())
    units = it.moved.claims or it.moved.issued
    return {
        "it": it,
        "time": dates.clock(dates.local(it.occurred_at_us, zone), texts),
        "items": [(int(x["quantity"]), str(x["name"])) for x in lines[:NAMED_ITEMS_MAX]],
        "more": sum(int(x["quantity"]) for x in lines[NAMED_ITEMS_MAX:]),
        "note": str(details.get("reason", "")),
        "where": str(details.get("terminal_name", "")),
        "amounts": [(known[code], amount) for code, amount in units.items()],
    }
