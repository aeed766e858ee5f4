"""What do payment providers say? Their payouts, row by row, and payments that they took back."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from app.banking import payouts, service
from app.banking.payment_words import ROWS
from app.cards.service import labels_by_owner
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Invalid, NotFound
from app.topups import chargebacks
from app.topups import service as topups
from app.venues.service import the_network
from app.web import N_, dates, texts_of

router = APIRouter(include_in_schema=False)

HERE, PLACE = "/admin/payments", "/admin/statements"

PROBLEMS = {
    "no-columns": N_("This is no itemized payout reconciliation report: columns are missing."),
    "not-in-euros": N_("The report is not in euros: line %(where)s."),
    "bad-amount": N_("An amount cannot be read: line %(where)s."),
    "bad-day": N_("A date cannot be read: line %(where)s."),
    "does-not-add-up": N_("Gross less fee is not net: line %(where)s."),
    "no-lines": N_("There is no row in the report."),
    "too-large": N_("The file is too large: export a shorter time."),
}
KINDS = {
    "dispute": N_("Disputed by the holder’s bank"),
    "return": N_("Debit returned by the bank"),
    "refund": N_("Given back on the provider’s pages"),
}
Typed = Annotated[str, Form(max_length=200)]


@router.get(HERE)
async def payments_page(
    request: Request,
    _caller: Caller,
    session: SignedIn,
    taken: Annotated[int | None, Query(ge=0)] = None,
    known: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    return await _render(request, session, taken=taken, known=known)


@router.post(HERE)
async def import_payouts(request: Request, caller: Caller, session: SignedIn, file: UploadFile) -> Response:
    """Take a report in, and match payouts with lines of the bank that wait."""
    context, texts = context_of(request), texts_of(request)
    content = await file.read(payouts.FILE_MAX_BYTES + 1)
    try:
        new, known = await payouts.take_in(context.engine, file.filename or "", content, actor=caller.actor)
    except Conflict:
        return await _render(request, session, wrong=("file", texts.gettext("This file was taken in already.")))
    except Invalid as error:
        problem = PROBLEMS[error.extra["problem"]]
        said = texts.gettext(problem, where=error.extra["where"])
        return await _render(request, session, wrong=("file", said))
    async with context.reader.connect() as connection:
        zone = (await the_network(connection)).settings.zone
    day = dates.local(now_us(), zone).date()
    await service.match_what_is_certain(context.engine, ledger_of(request), day)
    return RedirectResponse(f"{HERE}?taken={new}&known={known}", 303)


@router.get(HERE + "/{payout}")
async def payout_page(request: Request, session: SignedIn, payout: str) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        found = await payouts.payouts(connection, payout)
        if not found:
            raise NotFound("There is no such payout.")
    return render_admin(
        request,
        session,
        "banking/payout.html",
        place=PLACE,
        network_name=network.name,
        here=HERE,
        today=dates.local(now_us(), network.settings.zone).date(),
        it=found[0],
        words=ROWS,
    )


@router.post(HERE + "/topups/{topup}/taken-back")
async def take_back_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    topup: UUID,
    reference: Typed,
    amount: Typed,
    kind: Annotated[Literal["dispute", "return", "refund"], Form()],
    fee: Typed = "",
) -> Response:
    """Told by hand, where the provider did not tell it. The reference keeps it from being booked twice."""
    context, texts = context_of(request), texts_of(request)
    try:
        cents, fee_cents = parse_amount(amount, Unit.CENT), parse_amount(fee, Unit.CENT) if fee.strip() else 0
        async with context.reader.connect() as connection:
            known, network = await currencies(connection), await the_network(connection)
        it = await topups.named(context.engine, topup)
        zone, ledger = network.settings.zone, ledger_of(request)
        await chargebacks.take_back(ledger, known, zone, it, reference, kind, cents, fee_cents, actor=caller.actor)
    except AmountNotUnderstood:
        said = texts.gettext("This amount cannot be read.")
    except DomainError as error:
        if error.code not in _TOLD:
            raise
        said = texts.gettext(_TOLD[error.code])
    else:
        return RedirectResponse(f"{HERE}#taken-back", 303)
    typed = {"reference": reference, "amount": amount, "fee": fee, "kind": kind}
    return await _render(request, session, wrong=(str(topup), said), typed=typed)


_TOLD = {
    "chargeback-invalid": N_("A reference is needed, and no more is taken back than was paid and credited."),
    "chargeback-known": N_("This reference was told with another amount already."),
    "chargeback-ended": N_("This dispute ended already."),
}


@router.post(HERE + "/taken-back/{id}/won")
async def won_from_page(request: Request, caller: Caller, session: SignedIn, id: UUID, fee: Typed = "") -> Response:
    context, texts = context_of(request), texts_of(request)
    try:
        cents = parse_amount(fee, Unit.CENT) if fee.strip() else 0
        async with context.reader.connect() as connection:
            known, network = await currencies(connection), await the_network(connection)
        await chargebacks.won(ledger_of(request), known, network.settings.zone, id, cents, actor=caller.actor)
    except AmountNotUnderstood:
        said = texts.gettext("This amount cannot be read.")
    except DomainError as error:
        if error.code not in _TOLD:
            raise
        said = texts.gettext("No more of the fee comes back than was taken, and once.")
    else:
        return RedirectResponse(f"{HERE}#taken-back", 303)
    return await _render(request, session, wrong=(str(id), said), typed={"fee": fee})


async def _render(
    request: Request,
    session: SignedIn,
    *,
    taken: int | None = None,
    known: int = 0,
    wrong: tuple[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        network = await the_network(connection)
        found = await payouts.payouts(connection)
        back = await chargebacks.listed(connection)
        paid = await topups.credited(connection)
        of_back = {it.id: it for it in await topups.doubtful(connection, 0, 0, {it.topup for it in back})}
        cards = await labels_by_owner(connection, {f"wallet:{it.wallet}" for it in (*paid, *of_back.values())})
    zone = network.settings.zone
    return render_admin(
        request,
        session,
        "banking/payments.html",
        place=PLACE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        zone=zone,
        today=dates.local(now_us(), zone).date(),
        taken=taken,
        known=known,
        wrong=wrong,
        typed=typed or {},
        payouts=found,
        back=[(it, of_back[it.topup]) for it in back],
        paid=paid,
        cards=cards,
        kinds=KINDS,
    )
