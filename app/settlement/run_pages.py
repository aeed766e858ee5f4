"""Settlement runs as their makers see them: what is open, and one run with its steps."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn, require_second_factor
from app.identity.rights import GUARDED, allows
from app.identity.service import names_of
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden, Invalid
from app.rules.business_day import business_day, day_start_us
from app.settlement import booking, paying, runs, store, words
from app.settlement.bank_details import effective
from app.settlement.rules.amounts import netting
from app.settlement.run_api import by_hand
from app.settlement.sepa import REPORT_MAX_BYTES, Kind
from app.settlement.terms import (
    NETWORK,
    Cadence,
    Cover,
    NetworkTerms,
    VenueTerms,
    network_terms,
    set_terms,
    venue_terms,
)
from app.venues.service import the_network, venue_named, venues
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/settlements"
# Whoever may take a step by the API may take it here.
_STEPS = {
    "freeze": "freeze_settlement",
    "approve": "approve_settlement",
    "book": "approve_settlement",
    "send": "send_settlement",
    "close": "close_settlement",
    "cancel": "cancel_settlement",
}

Typed = Annotated[str, Form(max_length=500)]
PERCENT = 100  # basis points


@router.get(HERE)
async def settlements_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, found = await the_network(connection), await store.runs(connection)
        places = [it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)]
        terms, by_venue = await network_terms(connection), await venue_terms(connection)
        mine = [
            (it, {} if caller.sees_network else await store.statements(connection, it.id))
            for it in found
            if caller.sees_network or it.event("frozen") is not None
        ]
    return render_admin(
        request,
        session,
        "settlement/runs.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        here=HERE,
        runs=mine,
        venues=places,
        may_begin=not found or any(it.kind in {"sent", "closed", "cancelled"} for it in found[0].events),
        yesterday=business_day(now_us(), network.settings.zone) - timedelta(days=1),
        terms=terms,
        by_venue={it.id: by_venue.get(it.owner, VenueTerms()) for it in places},
        states=words.STATES,
        tints=words.TINTS,
        answers=words.ANSWERS,
    )


@router.post(HERE)
async def begin_from_page(
    request: Request, caller: Caller, day: Annotated[date, Form()], percent: Annotated[int, Form(ge=1, le=100)] = 100
) -> Response:
    """Up to the end of a business day of the network, or up to now while it lasts; frozen at once."""
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    ends = day_start_us(day + timedelta(days=1), network.settings.zone) - 1
    run = await runs.begin(ledger_of(request), min(ends, now_us()), percent, actor=caller.actor)
    await runs.freeze(ledger_of(request), run.id, actor=caller.actor)
    return RedirectResponse(f"{HERE}/{run.id}", 303)


@router.get("/admin/settlements/{run}")
async def settlement_page(request: Request, session: SignedIn, run: UUID) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, found = await the_network(connection), await store.run_named(connection, run)
        kept, paid = await store.statements(connection, run), await paying.payments(connection, run)
        places = [it for it in (await venues(connection)).values() if it.id in kept]
        accounts = await effective(connection, now_us())
        names = await names_of(connection, {it.actor for it in found.events})
    figures = {it.owner: of for it in places if (of := kept[it.id].figures) is not None}
    settled = [it for it in places if kept[it.id].settled]
    return render_admin(
        request,
        session,
        "settlement/run.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        here=f"{HERE}/{run}",
        run=found,
        may_step=lambda step: allows(session.principal, _STEPS[step]),
        statements=[(it, kept[it.id]) for it in places],
        netting=netting(figures),
        total=sum(of.payment for it in settled if (of := kept[it.id].figures) is not None),
        receiving=sum(1 for it in settled if (of := kept[it.id].figures) is not None and of.payment),
        unknown=[
            it.name
            for it in settled
            if (of := kept[it.id].figures) is not None and of.payment and it.owner not in accounts
        ],
        has_account=NETWORK in accounts,
        payments=[(it, next(at.name for at in places if at.id == it.venue)) for it in paid],
        names=names,
        mine=session.principal.actor in {it.actor for it in found.events},
        states=words.STATES,
        tints=words.TINTS,
        done=words.DONE,
        answers=words.ANSWERS,
        left_out=words.LEFT_OUT,
        paid=words.PAID,
    )


@router.post("/admin/settlements/{run}/{step}")
async def step_from_page(
    request: Request,
    caller: Caller,
    run: UUID,
    step: Literal["freeze", "approve", "book", "send", "close", "cancel"],
    leave_out: Annotated[list[UUID] | None, Form()] = None,
    reason: Typed = "",
) -> Response:
    if not allows(caller, _STEPS[step]):
        raise Forbidden("Whoever prepares a settlement does not release it: a network admin does.")
    if _STEPS[step] in GUARDED:
        require_second_factor(request)
    ledger, actor = ledger_of(request), caller.actor
    if step == "freeze":
        await runs.freeze(ledger, run, actor=actor)
    elif step == "approve":
        await runs.approve(ledger, run, leave_out=leave_out or (), actor=actor)
        await booking.book(ledger, run, actor=actor)
    elif step == "book":
        await booking.book(ledger, run, actor=actor)
    elif step == "send":
        await paying.send(ledger, run, actor=actor)
    elif step == "close":
        await runs.close(ledger, run, actor=actor)
    else:
        await runs.cancel(ledger, run, reason=reason, actor=actor)
    return RedirectResponse(f"{HERE}/{run}", 303)


@router.post("/admin/settlements/{run}/bank/answer")
async def read_bank_from_page(
    request: Request, caller: Caller, run: UUID, document: Annotated[UploadFile, File()]
) -> Response:
    read = await document.read(REPORT_MAX_BYTES + 1)
    await paying.read_report(ledger_of(request), run, read, actor=caller.actor)
    return RedirectResponse(f"{HERE}/{run}", 303)


@router.post("/admin/settlements/{run}/payments/{payee}/{kind}")
async def report_payment_from_page(
    request: Request, caller: Caller, run: UUID, payee: UUID, kind: Kind, reason: Typed = ""
) -> Response:
    await by_hand(request, caller, run, payee, kind, reason)
    return RedirectResponse(f"{HERE}/{run}", 303)


@router.post("/admin/settlement-terms")
async def network_terms_from_page(
    request: Request,
    caller: Caller,
    cover: Annotated[Cover, Form()],
    venue_share: Annotated[int, Form(ge=0, le=100)],
    bank_delay_h: Annotated[int, Form()],
    answer_days: Annotated[int, Form()],
    payout_days: Annotated[int, Form()],
) -> Response:
    """`venue_share` in percent here."""
    async with context_of(request).engine.begin() as connection:
        new = NetworkTerms(cover, venue_share * PERCENT, bank_delay_h, answer_days, payout_days)
        await set_terms(connection, NETWORK, new, actor=caller.actor)
    return RedirectResponse(HERE, 303)


@router.post("/admin/settlement-terms/{payee}")
async def venue_terms_from_page(
    request: Request,
    caller: Caller,
    payee: UUID,
    cadence: Annotated[Cadence, Form()],
    minimum: Typed = "",
    leaving: Typed = "",
) -> Response:
    try:
        cents = parse_amount(minimum or "0", Unit.CENT)
    except AmountNotUnderstood as error:
        raise Invalid(texts_of(request).gettext("Write the amount like 12,50.")) from error
    async with context_of(request).engine.begin() as connection:
        at = await venue_named(connection, payee)
        await set_terms(connection, at.owner, VenueTerms(cadence, cents, bool(leaving)), actor=caller.actor)
    return RedirectResponse(HERE, 303)
