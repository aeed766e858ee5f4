"""At a counter, with the holder and the card in front: its code, and taking it out of an account."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.claim_codes import claim_code_of
from app.cards.lifecycle import REASON_MAX
from app.cards.rules import read_uid
from app.cards.service import card_by_id, cards_described
from app.holders import before_card, wallets
from app.identity.admin_frame import render_admin
from app.identity.audit import audit
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid
from app.venues.service import the_network
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

NOT_KEPT = {"Cache-Control": "no-store"}

# Why a wristband was not linked, by the problem's code.
WRONG = {
    "card-in-use": N_("This wristband opens a wallet of its own, which was used: take a new one."),
    "card-ended": N_("This wallet has its wristband already, or the wristband is out of use."),
    "card-blocked": N_("This wristband is blocked: take another one."),
    "not-on-phone": N_("This is a card already: there is nothing to link."),
    "invalid": N_("This chip is not known yet: say what is printed on it."),
}


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


@router.post("/admin/cards/{card}/wristband")
async def give_wristband(
    request: Request,
    caller: Caller,
    session: SignedIn,
    card: UUID,
    other: Annotated[str, Form(max_length=300)] = "",
    label: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """At the gate: the chip in the cashier's hand opens the wallet whose code the phone shows."""
    context, texts, problem = context_of(request), texts_of(request), ""
    async with context.reader.connect() as connection:
        found, network = await card_by_id(connection, card), await the_network(connection)
        named = await cards_described(connection, other) if other.strip() else []
    uid = named[0].uid if len(named) == 1 else read_uid(other)
    if other.strip() and uid is None:
        problem = texts.gettext("No chip is known by this. Lay it on the reader, or scan its code.")
    elif uid is not None:
        try:
            async with context.engine.begin() as connection:
                await before_card.give_chip(connection, caller.actor, found, uid, label.strip() or None)
        except (Conflict, Forbidden, Invalid) as error:
            problem = texts.gettext(WRONG.get(error.code, WRONG["invalid"]))
        else:
            return RedirectResponse(f"/admin/counter?card={uid}", 303)
    return render_admin(
        request,
        session,
        "holders/wristband.html",
        place="/admin/counter",
        headers=NOT_KEPT,
        status_code=422 if problem else 200,
        network_name=network.name,
        card=found,
        typed=other,
        label=label,
        problem=problem,
        back=f"/admin/counter?card={found.uid}",
    )
