"""Vouchers: make a batch and print its codes, see what became of each, cancel."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.issuing import vouchers
from app.issuing.batches import Batch, batch_of, recent_batches
from app.issuing.pages.common import PLACE, Desk, Typed, amount_example, desk_of, end_of_day_us, last_day, read_amount
from app.issuing.rules import LINES_MAX
from app.money import AmountNotUnderstood
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.rules.ids import uuid7
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/vouchers"


@router.get(HERE)
async def vouchers_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _render(request, caller, session, await desk_of(request, caller, "gift"))


@router.post(HERE)
async def make_vouchers_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    currency: Typed,
    giver: Typed = "",
    amount: Typed = "",
    count: Typed = "",
    valid_until: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The answer is the page to print: the codes are on it, and on no other page ever."""
    desk, texts = await desk_of(request, caller, "gift"), texts_of(request)
    terms = desk.terms(giver, currency)
    typed = {"amount": amount, "count": count, "valid_until": valid_until, "reason": reason}
    typed |= {"currency": currency, "giver": giver}
    problems: dict[str, str] = {}
    minor, until = 0, None
    try:
        minor = read_amount(amount, terms.currency)
    except AmountNotUnderstood:
        problems["amount"] = amount_example(terms.currency.unit, texts)
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 0
    if not 1 <= number <= LINES_MAX:
        problems["count"] = texts.gettext("From 1 to %(most)s vouchers.", most=LINES_MAX)
    if not reason.strip():
        problems["reason"] = texts.gettext("Say what it was for: others will read it.")
    if valid_until.strip():
        try:
            until = end_of_day_us(date.fromisoformat(valid_until.strip()), desk.network.settings.zone)
        except ValueError:
            problems["valid_until"] = texts.gettext("Choose a day.")
        if until is not None and until <= now_us():
            problems["valid_until"] = texts.gettext("Choose a day to come.")
    if problems:
        return await _render(request, caller, session, desk, typed, problems)
    try:
        made = await vouchers.make(
            desk.ledger,
            terms,
            context_of(request).keys.token,
            minor,
            number,
            id,
            actor=session.principal.actor,
            reason=reason.strip(),
            valid_until_us=until,
        )
    except Invalid as error:
        if error.code != "too-much-at-once":
            raise
        most = terms.currency.text(error.extra["most"], texts.language)
        problems["amount"] = texts.gettext("%(most)s at most at a time. Nothing was changed.", most=most)
        return await _render(request, caller, session, desk, typed, problems)
    return render_admin(
        request,
        session,
        "issuing/voucher_codes.html",
        place=PLACE,
        headers={"Cache-Control": "no-store"},
        network_name=desk.network.name,
        back=HERE,
        made=made,
        currency=terms.currency,
        each=minor,
        valid_until=last_day(made.batch.valid_until_us, desk.network.settings.zone, texts),
    )


@router.get("/admin/vouchers/{batch}")
async def voucher_batch_page(request: Request, caller: Caller, session: SignedIn, batch: UUID) -> Response:
    desk = await desk_of(request, caller, "gift")
    found = await _seen(request, caller, batch)
    rows = await vouchers.vouchers_of(desk.ledger, found)
    return render_admin(
        request,
        session,
        "issuing/voucher_batch.html",
        place=PLACE,
        network_name=desk.network.name,
        back=HERE,
        action=f"{HERE}/{batch}",
        batch=found,
        vouchers=rows,
        each=found.amount // found.parts,
        currency=desk.currencies[found.currency],
        may_cancel=(_giver(found), found.currency) in desk.choices,
        open=sum(it.state == "open" for it in rows),
        valid_until=last_day(found.valid_until_us, desk.network.settings.zone, texts_of(request)),
        zone=desk.network.settings.zone,
    )


@router.post("/admin/vouchers/{batch}")
async def cancel_vouchers_from_page(
    request: Request, caller: Caller, session: SignedIn, batch: UUID, number: Annotated[int | None, Form()] = None
) -> Response:
    """One voucher of the batch, or all that are open."""
    desk = await desk_of(request, caller, "gift")
    found = await _seen(request, caller, batch)
    terms = desk.terms(_giver(found), found.currency)
    rows = [it for it in await vouchers.vouchers_of(desk.ledger, found) if number in {None, it.number}]
    await vouchers.withdraw(desk.ledger, terms, rows, actor=session.principal.actor)
    return RedirectResponse(f"{HERE}/{batch}", 303)


def _giver(it: Batch) -> str:
    return "" if it.venue is None else str(it.venue)


def _may_see(caller: Principal, it: Batch) -> bool:
    return caller.sees_network or (it.venue is not None and caller.may_see_venue(it.venue))


async def _seen(request: Request, caller: Principal, id_: UUID) -> Batch:
    async with context_of(request).reader.connect() as connection:
        found = await batch_of(connection, id_)
    if found.kind != "vouchers" or not _may_see(caller, found):
        raise NotFound("There is no such batch.")
    return found


async def _render(
    request: Request,
    caller: Principal,
    session: SignedIn,
    desk: Desk,
    typed: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        batches = [it for it in await recent_batches(connection, "vouchers") if _may_see(caller, it)]
    left, zone = await vouchers.set_aside(desk.ledger, batches), desk.network.settings.zone
    return render_admin(
        request,
        session,
        "issuing/vouchers.html",
        place=PLACE,
        status_code=422 if problems else 200,
        network_name=desk.network.name,
        action=HERE,
        desk=desk,
        id=uuid7(),
        typed=typed or {},
        problems=problems or {},
        batches=[
            (it, desk.currencies[it.currency], left.get(it.id, 0), last_day(it.valid_until_us, zone, texts_of(request)))
            for it in batches
        ],
        zone=zone,
    )
