"""The form by which money is moved between wallets of one account."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.holders import moving, wallets
from app.holders.accounts import Session
from app.holders.pages import NOT_KEPT, own_wallets
from app.holders.signed_in import Holder
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, parse_amount
from app.platform.errors import DomainError, Invalid
from app.platform.limits import RateLimit
from app.rules.ids import uuid7
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

MOVES = RateLimit("holder-move", "60/hour")

# Why money was not moved, by the problem's code.
WRONG = {
    "amount": N_("Write an amount such as 25 or 12.50. Nothing was moved."),
    "invalid": N_("Choose an amount, and another card than the one that it comes from. Nothing was moved."),
    "transfer-not-allowed": N_("The rules of this money do not let it be moved. Nothing was moved."),
    "insufficient-funds": N_("There is not that much on this card. Nothing was moved."),
    "over-ceiling": N_("The other card cannot hold that much. Nothing was moved."),
    "spending-limit": N_("This is more than may be moved at once or in one day. Nothing was moved."),
    "idempotency-key-reused": N_("This form was sent before with another amount. Look at what is on the cards first."),
}

Typed = Annotated[str, Form(max_length=60)]


@router.get("/me/wallets/{wallet}/move")
async def move_page(request: Request, holder: Holder, wallet: UUID) -> Response:
    return await _form(request, holder, wallet)


@router.post("/me/wallets/{wallet}/move")
async def move_money(
    request: Request,
    holder: Holder,
    wallet: UUID,
    id: Annotated[UUID, Form()],
    currency: Typed = "",
    amount: Typed = "",
    to: Typed = "",
) -> Response:
    """The same form sent twice moves once."""
    MOVES.check(request, str(holder.account))
    ledger = ledger_of(request)
    terms, own = await moving.terms_of(ledger), await own_wallets(request, holder)
    giver, taker = wallets.one_of(own, wallet), next((it for it in own if str(it.id) == to), None)
    try:
        if currency not in terms or taker is None:
            raise Invalid("Choose a card of yours.")
        minor = parse_amount(amount, terms[currency].currency.unit)
        await moving.move(ledger, terms[currency], holder, giver, taker, minor, id)
    except (AmountNotUnderstood, DomainError) as error:
        code = error.code if isinstance(error, DomainError) else "amount"
        if code not in WRONG:
            raise
        return await _form(request, holder, wallet, code, typed=amount, to=to, chosen=currency)
    return RedirectResponse("/me?done=moved", 303)


async def _form(
    request: Request,
    holder: Session,
    wallet: UUID,
    wrong: str = "",
    *,
    typed: str = "",
    to: str = "",
    chosen: str = "",
) -> Response:
    terms, own = await moving.terms_of(ledger_of(request)), await own_wallets(request, holder)
    giver = wallets.one_of(own, wallet)
    return render(
        request,
        "holders/move.html",
        status_code=422 if wrong else 200,
        headers=NOT_KEPT,
        network_name=next(iter(terms.values())).network.name if terms else "",
        session=holder,
        it=giver,
        others=[it for it in own if it.id != wallet],
        movable=[(it.currency, giver.held[code]) for code, it in terms.items() if it.moves and giver.held[code] > 0],
        id=uuid7(),
        problem=texts_of(request).gettext(WRONG[wrong]) if wrong else "",
        typed=typed,
        to=to,
        chosen=chosen,
    )
