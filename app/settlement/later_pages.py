"""Amounts of a statement are put off to the next settlement, on the statement's own page."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.guard import Caller, SignedIn
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.settlement import later, store
from app.settlement.statement_pages import PLACE, Typed, render_statement
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

_TOLD = {
    "later-too-much": N_("Not so much of this line can wait."),
    "later-needs-reason": N_("Say why it waits, and who sees to it."),
}


@router.post("/admin/settlements/{run}/venues/{payee}/later")
async def put_off_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    run: UUID,
    payee: UUID,
    line: Annotated[int, Form(ge=1)],
    amount: Annotated[str, Form(max_length=20)],
    reason: Annotated[str, Form(max_length=500)] = "",
    owner: Annotated[str, Form(max_length=80)] = "",
) -> Response:
    """An amount of 0 settles the line now after all."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        kept, known = (await store.statements(connection, run, payee)).get(payee), await currencies(connection)
    of = next((it for it in kept.lines if it.number == line), None) if kept is not None else None
    unit = known[of.currency].unit if of is not None and of.kind == "claim" else Unit.CENT
    try:
        units = parse_amount(amount, unit)
        await later.put_off(
            ledger_of(request), run, payee, line, units, reason, owner or caller.actor, actor=caller.actor
        )
    except AmountNotUnderstood:
        wrong = texts.gettext("Write the amount like 12,50.")
    except Invalid as error:
        if error.code not in _TOLD:
            raise
        wrong = texts.gettext(_TOLD[error.code])
    else:
        return RedirectResponse(f"{PLACE}/{run}/venues/{payee}", 303)
    return await render_statement(request, caller, session, run, payee, Typed(line, amount, reason, owner, wrong))
