"""Sending money to a friend, and taking what was sent."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.holders import moving, parcels, wallets
from app.holders.accounts import Session
from app.holders.pages import NOT_KEPT, own_wallets
from app.holders.signed_in import Holder
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid, NotFound
from app.platform.limits import RateLimit, client_address
from app.rules.ids import uuid7
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

SENT = RateLimit("holder-parcel", "20/hour")
LOOKED = RateLimit("holder-parcel-link", "60/hour")

# Why nothing was sent or taken, by the problem's code.
WRONG = {
    "amount": N_("Write an amount such as 25 or 12.50. Nothing was sent."),
    "email": N_("Write an address like awa@example.org. Nothing was sent."),
    "invalid": N_("Choose an amount, and another card than the one that it comes from. Nothing was sent."),
    "transfer-not-allowed": N_("The rules of this money do not let holders pass it on. Nothing was sent."),
    "insufficient-funds": N_("There is not that much on this card. Nothing was sent."),
    "spending-limit": N_("This is more than may be passed on at once or in one day. Nothing was sent."),
    "too-many": N_("You have sent several already that nobody has taken yet. Nothing was sent."),
    "idempotency-key-reused": N_("This form was sent before with other content. Look at what is on its way first."),
    "over-ceiling": N_("This card cannot hold that much: choose another one."),
    "parcel-taken": N_("Somebody has taken it already."),
    "hold-ended": N_("It was taken back, or its time is over."),
}

Typed = Annotated[str, Form(max_length=300)]


@router.get("/me/wallets/{wallet}/send")
async def send_page(request: Request, holder: Holder, wallet: UUID) -> Response:
    return await _form(request, holder, wallet)


@router.post("/me/wallets/{wallet}/send")
async def send_to_friend(
    request: Request,
    holder: Holder,
    wallet: UUID,
    id: Annotated[UUID, Form()],
    currency: Typed = "",
    amount: Typed = "",
    email: Typed = "",
) -> Response:
    SENT.check(request, str(holder.account))
    ledger, to = ledger_of(request), mail_address(email)
    terms, giver = await moving.terms_of(ledger), wallets.one_of(await own_wallets(request, holder), wallet)
    if to is None:
        return await _form(request, holder, wallet, "email", amount=amount, email=email, chosen=currency)
    try:
        if currency not in terms:
            raise Invalid("There is no such currency.")
        chosen = terms[currency]
        minor, language = parse_amount(amount, chosen.currency.unit), texts_of(request).language
        await parcels.send(context_of(request), ledger, chosen, holder, giver, minor, to.lower(), id, language)
    except (AmountNotUnderstood, DomainError) as error:
        code = error.code if isinstance(error, DomainError) else "amount"
        if code not in WRONG:
            raise
        return await _form(request, holder, wallet, code, amount=amount, email=email, chosen=currency)
    return RedirectResponse(f"/me/wallets/{wallet}/send?done=yes", 303)


@router.post("/me/parcels/{id}/back")
async def take_parcel_back(request: Request, holder: Holder, id: UUID) -> Response:
    await parcels.take_back(ledger_of(request), holder, id)
    return RedirectResponse("/me?done=back", 303)


@router.get("/me/gift/{token}")
async def parcel_page(request: Request, holder: Holder, token: str) -> Response:
    LOOKED.check(request, client_address(request))
    return await _parcel(request, holder, token)


@router.post("/me/gift/{token}")
async def take_parcel(request: Request, holder: Holder, token: str, to: Typed = "") -> Response:
    LOOKED.check(request, client_address(request))
    ledger, own = ledger_of(request), await own_wallets(request, holder)
    taker = next((it for it in own if str(it.id) == to), None)
    try:
        async with ledger.reader.connect() as connection:
            parcel = await parcels.parcel_behind(connection, token)
        if taker is None:
            raise Invalid("Choose a card of yours.")
        await parcels.take(ledger, (await moving.terms_of(ledger))[parcel.currency], holder, parcel, taker)
    except NotFound:
        return await _parcel(request, holder, token)
    except DomainError as error:
        if error.code not in WRONG:
            raise
        return await _parcel(request, holder, token, error.code)
    return RedirectResponse("/me?done=taken", 303)


async def _form(
    request: Request,
    holder: Session,
    wallet: UUID,
    wrong: str = "",
    *,
    amount: str = "",
    email: str = "",
    chosen: str = "",
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    terms, giver = await moving.terms_of(ledger), wallets.one_of(await own_wallets(request, holder), wallet)
    async with ledger.reader.connect() as connection:
        waiting = [it for it in await parcels.sent_by(connection, holder.account) if it.wallet == wallet]
    return render(
        request,
        "holders/send.html",
        status_code=422 if wrong else 200,
        headers=NOT_KEPT,
        network_name=next(iter(terms.values())).network.name if terms else "",
        session=holder,
        it=giver,
        sendable=[
            (it.currency, giver.held[code])
            for code, it in terms.items()
            if it.version.policy.transfer.allowed and it.currency.kind != "mutual" and giver.held[code] > 0
        ],
        waiting=[(it, terms[it.currency].currency) for it in waiting],
        zone=next(iter(terms.values())).network.settings.zone if terms else "UTC",
        id=uuid7(),
        problem=texts.gettext(WRONG[wrong]) if wrong else "",
        done="done" in request.query_params,
        amount=amount,
        email=email,
        chosen=chosen,
    )


async def _parcel(request: Request, holder: Session, token: str, wrong: str = "") -> Response:
    ledger = ledger_of(request)
    terms, own = await moving.terms_of(ledger), await own_wallets(request, holder)
    parcel = None
    async with ledger.reader.connect() as connection:
        try:
            parcel = await parcels.parcel_behind(connection, token)
        except NotFound:
            wrong = ""
    return render(
        request,
        "holders/parcel.html",
        status_code=404 if parcel is None else 422 if wrong else 200,
        headers=NOT_KEPT,
        network_name=next(iter(terms.values())).network.name if terms else "",
        session=holder,
        token=token,
        parcel=parcel,
        currency=terms[parcel.currency].currency if parcel else None,
        own=[it for it in own if parcel is None or it.id != parcel.wallet],
        problem=texts_of(request).gettext(WRONG[wrong]) if wrong else "",
    )
