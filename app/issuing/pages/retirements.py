"""What venues have taken of hours, points and gifts, and taking it out of circulation."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.issuing import retiring
from app.issuing.pages.common import PLACE, Typed, amount_example, read_amount
from app.issuing.service import terms_of
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid
from app.rules.ids import uuid7
from app.venues.service import the_network, venue_named, venues
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/retirements"


@router.get(HERE)
async def retirements_page(
    request: Request, session: SignedIn, done: Annotated[UUID | None, Query()] = None
) -> Response:
    return await _render(request, session, done=done)


@router.post(HERE)
async def retire_from_page(
    request: Request,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    currency: Typed,
    amount: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venue_named(connection, venue)
        chosen = (await currencies(connection)).get(currency)
    if chosen is None:
        raise Invalid(f"There is no currency {currency}.", "currency-not-accepted")
    if not reason.strip():
        return await _render(request, session, problem=texts.gettext("Say what it was for: others will read it."))
    try:
        minor = read_amount(amount, chosen)
        terms = await terms_of(ledger, network, at, chosen)
        await retiring.retire(ledger, terms, at, minor, id, actor=session.principal.actor, reason=reason.strip())
    except AmountNotUnderstood:
        return await _render(request, session, problem=amount_example(chosen.unit, texts))
    except DomainError as error:
        if error.code != "over-claim":
            raise
        said = texts.gettext("%(venue)s has not taken that much. Nothing was changed.", venue=at.name)
        return await _render(request, session, problem=said)
    return RedirectResponse(f"{HERE}?done={id}", 303)


async def _render(request: Request, session: SignedIn, *, done: UUID | None = None, problem: str = "") -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
    receipt = None
    found = None if done is None else (await ledger.booked([done])).get(done)
    if found is not None and found.kind == retiring.KIND and found.venue is not None:
        said: dict[str, Any] = json.loads(found.details)
        receipt = (known[said["currency"]].text(said["amount"], texts.language), at[found.venue].name)
    claims = await retiring.claims(ledger, at, known)
    return render_admin(
        request,
        session,
        "issuing/retirements.html",
        place=PLACE,
        status_code=422 if problem else 200,
        network_name=network.name,
        action=HERE,
        claims=[(it, uuid7()) for it in claims],
        receipt=receipt,
        problem=problem,
    )
