"""What is out: loans of shared things, lending and taking back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.mutual import loans
from app.mutual.ground import ground_of
from app.mutual.members import member_by_id, members
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.venues.service import the_network
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/loans"
DAY_US = 24 * 3600 * 1_000_000
DAYS_MAX = 3660

Typed = Annotated[str, Form(max_length=200)]


@router.get(HERE)
async def loans_page(request: Request, session: SignedIn) -> Response:
    return await _page(request, session)


@router.post(HERE)
async def lend_by_form(
    request: Request,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    currency: Typed,
    borrower: Annotated[UUID, Form()],
    lender: Typed = "",
    thing: Typed = "",
    points: Typed = "",
    days: Typed = "",
) -> Response:
    """The form's id is the loan's: sent twice, it is one loan."""
    context, texts = context_of(request), texts_of(request)
    problems: dict[str, str] = {}
    amount = 0
    try:
        amount = parse_amount(points, Unit.POINT)
    except AmountNotUnderstood:
        amount = 0
    if not amount:
        problems["points"] = texts.gettext("Write a whole number of points.")
    if not thing.strip():
        problems["thing"] = texts.gettext("Say what is lent.")
    if not (days.isascii() and days.isdigit() and 1 <= int(days) <= DAYS_MAX):
        problems["days"] = texts.gettext("Write a whole number of days.")
    if lender == str(borrower):
        problems["lender"] = texts.gettext("Choose two members.")
    if not problems:
        async with context.reader.connect() as connection:
            ground = await ground_of(connection, currency, "points")
            who = await member_by_id(connection, borrower)
            owner = await member_by_id(connection, UUID(lender)) if lender else None
        # Until the loan is stored the due time is this request's; sent twice, the first one's is kept.
        stored = await loans.find(context.engine, id)
        due_at_us = stored.due_at_us if stored else now_us() + int(days) * DAY_US
        try:
            await loans.lend(
                context.engine,
                ledger_of(request),
                ground,
                who,
                owner,
                amount,
                thing.strip(),
                due_at_us,
                id,
                actor=session.principal.actor,
            )
            return RedirectResponse(HERE, 303)
        except DomainError as error:
            said = {
                "insufficient-funds": texts.gettext("They have not that many points free. Nothing was lent."),
                "card-blocked": texts.gettext("Their card is blocked. Nothing was lent."),
                "role-missing": texts.gettext("This member is not among those who borrow."),
            }
            if error.code not in said:
                raise
            problems["points" if error.code == "insufficient-funds" else "borrower"] = said[error.code]
    typed = {
        "currency": currency,
        "borrower": str(borrower),
        "lender": lender,
        "thing": thing,
        "points": points,
        "days": days,
    }
    return await _page(request, session, problems, typed)


@router.post(f"{HERE}/{{loan}}")
async def end_loan_by_form(
    request: Request,
    session: SignedIn,
    loan: UUID,
    lost: Annotated[bool, Form()] = False,
    spent: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    context = context_of(request)
    it = await loans.named(context.engine, loan)
    async with context.reader.connect() as connection:
        ground = await ground_of(connection, it.currency, "points")
        borrower = await member_by_id(connection, it.borrower)
        lender = await member_by_id(connection, it.lender) if it.lender is not None else None
    await loans.end(
        context.engine,
        ledger_of(request),
        ground,
        it,
        borrower,
        lender,
        spent=spent,
        lost=lost,
        actor=session.principal.actor,
    )
    return RedirectResponse(HERE, 303)


async def _page(
    request: Request,
    session: SignedIn,
    problems: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        everybody = await members(connection)
        out = await loans.loans(connection, status="out")
    now = now_us()
    return render_admin(
        request,
        session,
        "mutual/loans.html",
        place=HERE,
        status_code=422 if problems else 200,
        network_name=network.name,
        zone=network.settings.zone,
        out=[(it, it.overdue(now), known[it.currency]) for it in out],
        late=sum(it.overdue(now) for it in out),
        names={it.id: it.name for it in everybody},
        points=[it for it in known.values() if it.kind == "points"],
        borrowers=[it for it in everybody if "user" in it.roles],
        lenders=[it for it in everybody if set(it.roles) - {"user"}],
        id=uuid7(),
        problems=problems or {},
        typed=typed or {},
    )
