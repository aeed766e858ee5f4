"""Is every euro there? The reserve proof, for the network's admins."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounting.service import reserve_proof
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.venues.service import the_network

router = APIRouter(include_in_schema=False)

HERE = "/admin/reserve"


@router.get(HERE)
async def reserve_page(request: Request, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    proof = await reserve_proof(ledger_of(request), known)
    return render_admin(
        request,
        session,
        "accounting/reserve.html",
        place=HERE,
        network_name=network.name,
        proof=proof,
        circulating_cents=sum(it.owed_cents or 0 for it in proof.circulation),
        seen_at_us=now_us(),
        zone=network.settings.zone,
    )
