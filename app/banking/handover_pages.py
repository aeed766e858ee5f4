"""Cash on its way: a venue says what it hands in, and somebody else counts it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.banking import handovers
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.identity.service import names_of
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden
from app.rules.ids import uuid7
from app.venues.service import the_network, venue_named, venues
from app.web import dates, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/handovers"

Typed = Annotated[str, Form(max_length=40)]


@router.get(HERE)
async def handovers_page(
    request: Request, caller: Caller, session: SignedIn, done: Annotated[UUID | None, Query()] = None
) -> Response:
    return await _render(request, caller, session, done=done)


@router.post(HERE)
async def declare_handover(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    amount: Typed,
    means: Annotated[Literal["cash", "transfer"], Form()] = "cash",
) -> Response:
    caller.require_venue(venue)
    context = context_of(request)
    try:
        cents = parse_amount(amount, Unit.CENT)
    except AmountNotUnderstood:
        wrong = texts_of(request).gettext("This amount cannot be read.")
        return await _render(request, caller, session, typed=(venue, amount, means), wrong=wrong)
    async with context.reader.connect() as connection:
        at = await venue_named(connection, venue)
    if cents <= 0:
        wrong = texts_of(request).gettext("An amount above zero is handed in.")
        return await _render(request, caller, session, typed=(venue, amount, means), wrong=wrong)
    await handovers.declare(context.engine, id, at, cents, means, actor=caller.actor)
    return RedirectResponse(f"{HERE}?done={id}", 303)


@router.post(HERE + "/{handover}/{step}")
async def end_handover(
    request: Request, caller: Caller, _session: SignedIn, handover: UUID, step: Literal["receive", "withdraw"]
) -> Response:
    """The network counts; the venue takes back."""
    context, ledger = context_of(request), ledger_of(request)
    async with context.reader.connect() as connection:
        it = await handovers.named(connection, handover)
        caller.require_venue(it.venue)
        at, network = await venue_named(connection, it.venue), await the_network(connection)
    try:
        if step == "withdraw":
            await handovers.withdraw(context.engine, ledger, handover, actor=caller.actor)
        elif caller.sees_network:
            day = dates.local(now_us(), network.settings.zone).date()
            await handovers.receive(context.engine, ledger, handover, at, day, actor=caller.actor)
        else:
            raise Forbidden("The network counts cash that is handed in.")
    except Conflict:
        # Somebody was quicker: the page says how it ended.
        pass
    return RedirectResponse(HERE, 303)


async def _render(
    request: Request,
    caller: Principal,
    session: SignedIn,
    *,
    done: UUID | None = None,
    typed: tuple[UUID, str, str] | None = None,
    wrong: str = "",
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        seen = {it.id: it for it in at.values() if caller.may_see_venue(it.id)}
        found = [it for it in await handovers.listed(connection) if it.venue in seen]
        names = await names_of(connection, {who for it in found for who in (it.declared_by, it.ended_by) if who})
    ledger = ledger_of(request)
    owners = [it.owner for it in seen.values()]
    due = {it.key.owner: it.balance for it in await ledger.balances(owners=owners, kinds=["due_from"])}
    return render_admin(
        request,
        session,
        "banking/handovers.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        zone=network.settings.zone,
        venues=list(seen.values()),
        due={it.id: due.get(it.owner, 0) for it in seen.values()},
        announced=next((it for it in found if it.id == done), None),
        open=[it for it in found if it.outcome is None],
        ended=[it for it in found if it.outcome is not None],
        names=names,
        place_names={it.id: it.name for it in seen.values()},
        me=session.principal.actor,
        counts=caller.sees_network,
        new_id=uuid7(),
        typed=typed,
        wrong=wrong,
    )
