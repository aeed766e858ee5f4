"""Is every euro there? The reserve proof, for the network's admins."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.accounting.service import reserve_proof
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.rules.business_day import business_day, day_start_us
from app.venues.service import the_network

router = APIRouter(include_in_schema=False)

HERE = "/admin/reserve"


@router.get(HERE)
async def reserve_page(request: Request, session: SignedIn, day: Annotated[date | None, Query()] = None) -> Response:
    """As of now, or of the end of a business day of the network."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    zone, now = network.settings.zone, now_us()
    today = business_day(now, zone)
    past = day if day is not None and day < today else None
    at_us = day_start_us(past + timedelta(days=1), zone) - 1 if past is not None else None
    proof = await reserve_proof(ledger_of(request), known, at_us)
    return render_admin(
        request,
        session,
        "accounting/reserve.html",
        place=HERE,
        network_name=network.name,
        proof=proof,
        circulating_cents=sum(it.owed_cents or 0 for it in proof.circulation),
        seen_at_us=now if at_us is None else at_us,
        zone=zone,
        here=HERE,
        day=past,
        today=today,
    )
