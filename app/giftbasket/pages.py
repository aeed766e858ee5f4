"""A holder pays a gift voucher and what is missing for it on the payment page, and comes back to the voucher."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import address_of, card_behind
from app.cards.visits import require_tap
from app.currencies.service import currencies
from app.giftbasket.service import begin, complete, topup_of
from app.identity.guard import Caller
from app.issuing.pages.bought import BOUGHT, form_again
from app.issuing.service import terms_of
from app.ledger.service import ledger_of
from app.members import proof
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid, NotFound, Unavailable
from app.topups import online
from app.topups.provider import Provider, ProviderAway, ProviderRefused
from app.venues.service import the_network
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

Line = Annotated[str, Form(max_length=200)]
AWAY = N_("The payment page does not answer just now. Nothing was taken.")


@router.post("/c/{token}/gift-vouchers/pay")
async def pay_gift_voucher(
    request: Request,
    caller: Caller,
    token: str,
    id: Annotated[UUID, Form()],
    currency: Line = "",
    amount: Line = "",
    words: Line = "",
    code: Line = "",
) -> Response:
    """The same form sent twice is one basket, one payment and one voucher."""
    card, ledger, texts = await card_behind(request, token), ledger_of(request), texts_of(request)
    await require_tap(request, card)
    BOUGHT.check(request, str(card.id))
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    typed = {"currency": currency, "amount": amount, "words": " ".join(words.split())}
    provider: Provider | None = request.app.state.provider
    money = known.get(currency)
    try:
        await proof.require(request, card, code)
        if money is None or provider is None:
            raise NotFound("This is not paid online.")
        minor = parse_amount(amount, money.unit)
        if minor <= 0 or len(typed["words"]) > 80:
            raise Invalid("Choose an amount.", field="amount" if minor <= 0 else "words")
        terms, back = (
            await terms_of(ledger, network, None, money),
            f"{address_of(request, card)}/gift-vouchers/basket/{id}",
        )
        topup, url = await begin(ledger, provider, network, terms, card, minor, typed["words"], id, caller.actor, back)
    except (AmountNotUnderstood, DomainError) as error:
        return await form_again(request, card, typed, error)
    except (ProviderAway, ProviderRefused):
        return await form_again(request, card, typed, None, texts.gettext(AWAY))
    near = online.near(request, url)
    return RedirectResponse(f"/c/{card.token}/top-ups/{topup}/pay" if near == url else near, 303)


@router.get("/c/{token}/gift-vouchers/basket/{voucher}")
async def paid_gift_voucher(request: Request, token: str, voucher: UUID) -> Response:
    """Back from the payment page: to the voucher once it is bought. Looking asks the provider."""
    card, context, ledger = await card_behind(request, token), context_of(request), ledger_of(request)
    await require_tap(request, card)
    with suppress(Unavailable, ProviderRefused, NotFound):
        await online.settle(request, topup_of(voucher))
    if await complete(ledger, context.keys.token, voucher):
        async with context.reader.connect() as connection:
            network = await the_network(connection)
        home = f"/c/{card.token}"
        return render(request, "giftbasket/waiting.html", network_name=network.name, home=home, voucher=voucher)
    there = await ledger.booked([voucher])
    return RedirectResponse(
        f"/c/{token}/gift-vouchers/{voucher}" if there else f"/c/{token}/gift-vouchers?stayed=1", 303
    )
