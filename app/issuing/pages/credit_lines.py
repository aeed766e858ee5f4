"""Credit lines: ask for one, and decide on those that somebody else asked for."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import card_by_id, cards_described
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.identity.service import names_of
from app.issuing import credit_lines
from app.issuing.pages.common import PLACE, Typed, amount_example
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid
from app.rules.ids import uuid7
from app.venues.service import the_network
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/credit-lines"


@router.get(HERE)
async def credit_lines_page(request: Request, session: SignedIn) -> Response:
    return await _render(request, session)


@router.post(HERE)
async def ask_credit_from_page(
    request: Request,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    currency: Typed,
    card: Typed = "",
    credit: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    texts, problems = texts_of(request), dict[str, str]()
    async with context_of(request).reader.connect() as connection:
        chosen = (await currencies(connection)).get(currency)
        found = await cards_described(connection, card) if card.strip() else []
    if chosen is None:
        raise Invalid(f"There is no currency {currency}.", "currency-not-accepted")
    if not found:
        problems["card"] = texts.gettext("No card matches this. Check what is printed on it.")
    elif len(found) > 1:
        problems["card"] = texts.gettext("Several cards are called this: write the card’s number.")
    amount = 0
    try:
        amount = parse_amount(credit, chosen.unit)
    except AmountNotUnderstood:
        problems["credit"] = amount_example(chosen.unit, texts)
    if not reason.strip():
        problems["reason"] = texts.gettext("Say what it was for: others will read it.")
    if problems:
        return await _render(
            request, session, {"card": card, "credit": credit, "reason": reason, "currency": currency}, problems
        )
    await credit_lines.ask(
        ledger_of(request), chosen, found[0], amount, id, actor=session.principal.actor, reason=reason.strip()
    )
    return RedirectResponse(HERE, 303)


@router.post("/admin/credit-lines/{credit}/{decision}")
async def decide_credit_from_page(
    request: Request, session: SignedIn, credit: UUID, decision: Literal["grant", "refuse"]
) -> Response:
    async with context_of(request).reader.connect() as connection:
        known = await currencies(connection)
    try:
        await credit_lines.decide(
            ledger_of(request), known, credit, actor=session.principal.actor, granted=decision == "grant"
        )
    except Conflict as error:
        if error.code != "floor-above-balance":
            raise
        return await _render(request, session, too_low=True)
    return RedirectResponse(HERE, 303)


async def _render(
    request: Request,
    session: SignedIn,
    typed: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
    *,
    too_low: bool = False,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        lines = await credit_lines.credit_lines(connection)
        labels = {it: (await card_by_id(connection, it)).label for it in {line.card for line in lines}}
        names = await names_of(connection, {name for it in lines for name in (it.asked_by, it.decided_by) if name})
    return render_admin(
        request,
        session,
        "issuing/credit_lines.html",
        place=PLACE,
        status_code=409 if too_low else 422 if problems else 200,
        network_name=network.name,
        action=HERE,
        moneys=[it for it in known.values() if it.kind == "mutual"],
        currencies=known,
        waiting=[it for it in lines if it.state == "asked"],
        decided=[it for it in lines if it.state != "asked"],
        labels=labels,
        names=names,
        me=session.principal.actor,
        id=uuid7(),
        typed=typed or {},
        problems=problems or {},
        too_low=too_low,
        zone=network.settings.zone,
    )
