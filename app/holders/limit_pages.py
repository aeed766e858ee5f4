"""What a card of the account may pay on one day: a child's."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.cards import limits
from app.currencies.service import Currency, currencies
from app.holders import wallets
from app.holders.accounts import Session
from app.holders.pages import NOT_KEPT, own_wallets
from app.holders.signed_in import Holder
from app.identity.audit import audit
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.venues.service import the_network
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/me/wallets/{wallet}/limits"
_PREFIX = "most-"


@router.get(HERE)
async def wallet_limits_page(request: Request, holder: Holder, wallet: UUID) -> Response:
    return await _form(request, holder, wallet)


@router.post(HERE)
async def set_wallet_limits(request: Request, holder: Holder, wallet: UUID) -> Response:
    """A field for each currency; an empty one is no limit."""
    found, context = wallets.one_of(await own_wallets(request, holder), wallet), context_of(request)
    form = {name: it.strip() for name, it in (await request.form()).items() if isinstance(it, str)}
    async with context.reader.connect() as connection:
        known = await currencies(connection)
    try:
        per_day = {
            code: parse_amount(typed, it.unit) for code, it in known.items() if (typed := form.get(_PREFIX + code, ""))
        }
    except AmountNotUnderstood:
        return await _form(request, holder, wallet, form)
    async with context.engine.begin() as connection:
        await limits.set_limits(connection, found.id, per_day)
        said = ", ".join(f"{code} {known[code].text(most, 'fr')}" for code, most in per_day.items())
        await audit(connection, holder.actor, "wallet.limit", f"wallet:{found.id}", most=said)
    return RedirectResponse(f"/me/wallets/{wallet}?done=limited", 303)


async def _form(request: Request, holder: Session, wallet: UUID, typed: dict[str, str] | None = None) -> Response:
    found, texts = wallets.one_of(await own_wallets(request, holder), wallet), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        of = (await limits.limits_of(connection, [wallet])).get(wallet, {})

    def value(it: Currency) -> str:
        if typed is not None:
            return typed.get(_PREFIX + it.code, "")
        return it.text(of[it.code], texts.language) if it.code in of else ""

    problem = texts.gettext("Write an amount such as 25 or 12.50. Nothing was changed.")
    return render(
        request,
        "holders/limits.html",
        status_code=200 if typed is None else 422,
        headers=NOT_KEPT,
        network_name=network.name,
        session=holder,
        it=found,
        fields=[(_PREFIX + code, it.names[texts.language], value(it)) for code, it in known.items()],
        problem="" if typed is None else problem,
    )
