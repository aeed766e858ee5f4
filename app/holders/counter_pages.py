"""At a counter, with the holder and the card in front: its code, and taking it out of an account."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.claim_codes import claim_code_of
from app.cards.lifecycle import REASON_MAX
from app.cards.service import card_by_id
from app.holders import wallets
from app.identity.admin_frame import render_admin
from app.identity.audit import audit
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import Forbidden
from app.venues.service import the_network

router = APIRouter(include_in_schema=False)

NOT_KEPT = {"Cache-Control": "no-store"}


@router.post("/admin/cards/{card}/claim-code")
async def claim_code_at_counter(request: Request, caller: Caller, session: SignedIn, card: UUID) -> Response:
    """For cards that do not have it printed on their back. Each time is in the audit log."""
    context = context_of(request)
    async with context.engine.begin() as connection:
        found, network = await card_by_id(connection, card), await the_network(connection)
        if found.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        await audit(connection, caller.actor, "card.claim-code", f"card:{card}")
        claimed = await wallets.account_of(connection, found.wallet) is not None
    return render_admin(
        request,
        session,
        "holders/claim_code.html",
        place="/admin/counter",
        headers=NOT_KEPT,
        network_name=network.name,
        card=found,
        code=claim_code_of(context.keys.token, found.token),
        claimed=claimed,
        back=f"/admin/counter?card={found.uid}",
    )


@router.post("/admin/cards/{card}/release")
async def release_at_counter(
    request: Request, caller: Caller, card: UUID, reason: Annotated[str, Form(max_length=REASON_MAX)] = ""
) -> Response:
    async with context_of(request).engine.begin() as connection:
        found = await card_by_id(connection, card)
        await wallets.release_at_counter(connection, caller.actor, found, reason.strip())
    return RedirectResponse(f"/admin/counter?card={found.uid}", 303)
