"""Where is money sent? Bank details, changed by two people, with everything that ever held."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.identity.service import names_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid
from app.settlement import bank_details
from app.settlement.reach import reached, require_reach
from app.settlement.rules.accounts import Details, spelled
from app.settlement.terms import network_terms
from app.venues.service import the_network
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/bank"
PLACE = "/admin/settlements"

WRONG = {
    "holder": N_("A name has 1 to 70 characters."),
    "iban": N_("This IBAN is not right: check each group of four."),
    "bic": N_("This BIC is not right: it has 8 or 11 characters."),
    "town": N_("An address has at least a town and a country of two letters, or there is none."),
}

Typed = Annotated[str, Form(max_length=100)]


@router.get(HERE)
async def bank_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _render(request, caller, session)


@router.post(HERE)
async def ask_bank_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    subject: Typed,
    holder: Typed = "",
    iban: Typed = "",
    bic: Typed = "",
    street: Typed = "",
    building: Typed = "",
    postcode: Typed = "",
    town: Typed = "",
    country: Typed = "",
) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        if subject not in await reached(connection, caller):
            raise Forbidden("Your rights do not reach this venue.")
    typed = Details(holder, iban, bic, street, building, postcode, town, country)
    try:
        await bank_details.ask(context.engine, subject, typed, actor=caller.actor)
    except Invalid as error:
        field = error.extra.get("field")
        if field not in WRONG:
            raise
        problems = {str(field): texts_of(request).gettext(WRONG[str(field)])}
        return await _render(request, caller, session, {subject: typed}, problems)
    except Conflict:
        # Sent twice: the change that waits is on the page.
        pass
    return RedirectResponse(HERE, 303)


@router.post("/admin/bank/{change}/{decision}")
async def decide_bank_from_page(
    request: Request, caller: Caller, session: SignedIn, change: UUID, decision: Literal["approve", "refuse"]
) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        require_reach(caller, (await bank_details.named(connection, change)).subject)
    said: bank_details.Decision = "approved" if decision == "approve" else "refused"
    await bank_details.decide(context.engine, change, said, actor=session.principal.actor)
    return RedirectResponse(HERE, 303)


async def _render(
    request: Request,
    caller: Principal,
    session: SignedIn,
    typed: dict[str, Details] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, subjects = await the_network(connection), await reached(connection, caller)
        terms = await network_terms(connection)
        history = await bank_details.history(connection, subjects)
        holds = await bank_details.effective(connection, now)
        actors = {name for it in history for name in (it.asked_by, it.decided_by) if name}
        names = await names_of(connection, actors)
    parts = [
        {
            "subject": subject,
            "name": name or network.name,
            "is_network": not name,
            "holds": holds.get(subject),
            "waits": [it for it in history if it.subject == subject and it.decision is None],
            "coming": [it for it in history if it.subject == subject and (it.effective_at_us or 0) > now],
            "past": [it for it in history if it.subject == subject and it.decision is not None],
            "typed": asdict((typed or {})[subject]) if subject in (typed or {}) else {},
        }
        for subject, name in subjects.items()
    ]
    return render_admin(
        request,
        session,
        "settlement/bank.html",
        place=PLACE,
        status_code=422 if problems else 200,
        network_name=network.name,
        zone=network.settings.zone,
        action=HERE,
        parts=parts,
        names=names,
        me=session.principal.actor,
        delay_h=terms.bank_delay_h,
        problems=problems or {},
        spelled=spelled,
    )
