"""A holder buys a gift voucher, shows or prints it, and takes it back as long as nobody has used it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

import segno
from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card, balances
from app.cards.visits import kept_back, require_tap
from app.currencies.service import Currency, currencies
from app.identity.guard import Caller
from app.issuing import bought, vouchers
from app.issuing.pages.common import last_day
from app.issuing.service import Terms, terms_of
from app.ledger.service import ledger_of
from app.members import proof
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid
from app.platform.limits import RateLimit
from app.rules.ids import uuid7
from app.venues.service import Network, the_network
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

BOUGHT: Final = RateLimit("gift-vouchers", "20/hour")

# Why nothing was bought, by the problem's code.
WRONG: Final[Mapping[str, str]] = {
    "insufficient-funds": N_("There is not enough on the card. Nothing was taken."),
    "card-blocked": N_("This card is blocked. Nothing was taken."),
    "spending-limit": N_("This is more than may be passed on at once, or in one day. Nothing was taken."),
    "transfer-not-allowed": N_("This money is not passed on. Nothing was taken."),
    "idempotency-key-reused": N_("This form was sent before. Look at your vouchers first."),
}

Line = Annotated[str, Form(max_length=200)]


@router.get("/c/{token}/gift-vouchers")
async def gift_vouchers_page(request: Request, token: str, stayed: str = "") -> Response:
    """`stayed`: what was paid for one online stayed on the card."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _form(request, card, {}, {}, stayed=bool(stayed))


@router.post("/c/{token}/gift-vouchers")
async def buy_gift_voucher(
    request: Request,
    caller: Caller,
    token: str,
    id: Annotated[UUID, Form()],
    currency: Line = "",
    amount: Line = "",
    words: Line = "",
    code: Line = "",
) -> Response:
    """The same form sent twice is one voucher."""
    card, ledger = await card_behind(request, token), ledger_of(request)
    await require_tap(request, card)
    BOUGHT.check(request, str(card.id))
    network, known = await _ground(request)
    typed = {"currency": currency, "amount": amount, "words": " ".join(words.split())}
    try:
        await proof.require(request, card, code)
        money = known.get(currency)
        if money is None:
            raise Invalid("There is no such money.", field="amount")
        terms = await terms_of(ledger, network, None, money)
        minor, key = parse_amount(amount, money.unit), context_of(request).keys.token
        await bought.buy(ledger, terms, key, card, minor, id, actor=caller.actor, words=typed["words"])
    except (AmountNotUnderstood, DomainError) as error:
        return await form_again(request, card, typed, error)
    return await _show(request, card, id, opened=True)


async def form_again(
    request: Request,
    card: Card,
    typed: Mapping[str, str],
    error: AmountNotUnderstood | DomainError | None,
    told: str = "",
) -> Response:
    """The form with all that was typed, and why nothing was bought. Raises what holders have no words for."""
    texts, field = texts_of(request), error.extra.get("field") if isinstance(error, DomainError) else None
    if field == "code":
        wrong = {"code": texts.gettext("This is not the code of this card. Nothing was taken.")}
    elif field == "words":
        wrong = {"words": texts.gettext("Write less on it.")}
    elif field == "amount" or isinstance(error, AmountNotUnderstood):
        wrong = {"amount": texts.gettext("Write an amount such as 25 or 12.50.")}
    elif error is None or error.code in WRONG:
        wrong = {"money": told or texts.gettext(WRONG[error.code])} if error is not None else {"money": told}
    else:
        raise error
    short = isinstance(error, DomainError) and error.code == "insufficient-funds"
    return await _form(request, card, typed, wrong, short=short)


@router.get("/c/{token}/gift-vouchers/{voucher}")
async def gift_voucher_page(request: Request, token: str, voucher: UUID) -> Response:
    """The voucher, to print or to show: its code is money, so the address of the card alone does not tell it."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _show(request, card, voucher, opened=(await proof.shown(request, card))[0])


@router.post("/c/{token}/gift-vouchers/{voucher}")
async def act_on_gift_voucher(
    request: Request,
    caller: Caller,
    token: str,
    voucher: UUID,
    act: Annotated[Literal["show", "back"], Form()],
    code: Line = "",
) -> Response:
    """Tell its code to whoever shows that the card is theirs; take it back as long as nobody has used it."""
    card, ledger, texts = await card_behind(request, token), ledger_of(request), texts_of(request)
    await require_tap(request, card)
    batch = await bought.bought_named(ledger, card, voucher)
    if act == "back":
        network, known = await _ground(request)
        terms = await terms_of(ledger, network, None, known[batch.currency])
        (it,) = await vouchers.vouchers_of(ledger, batch)
        await bought.take_back(ledger, terms, it, actor=caller.actor)
        return RedirectResponse(f"/c/{token}/gift-vouchers/{voucher}", 303)
    try:
        await proof.require(request, card, code)
    except Invalid:
        wrong = {"code": texts.gettext("This is not the code of this card.")}
        return await _show(request, card, voucher, opened=False, wrong=wrong)
    return await _show(request, card, voucher, opened=True)


async def _show(
    request: Request, card: Card, id_: UUID, *, opened: bool, wrong: Mapping[str, str] | None = None
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    batch = await bought.bought_named(ledger, card, id_)
    network, known = await _ground(request)
    (it,) = await vouchers.vouchers_of(ledger, batch)
    code = bought.code_of(context_of(request).keys.token, batch.id) if opened else ""
    return render(
        request,
        "issuing/gift_voucher.html",
        status_code=422 if wrong else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        it=it,
        batch=batch,
        currency=known[batch.currency],
        code=code,
        picture=_picture(code) if code else "",
        valid_until=last_day(batch.valid_until_us, network.settings.zone, texts),
        shown=False,
        session=None,
        wrong=wrong or {},
    )


async def _ground(request: Request) -> tuple[Network, dict[str, Currency]]:
    async with context_of(request).reader.connect() as connection:
        return await the_network(connection), await currencies(connection)


async def _form(
    request: Request,
    card: Card,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    *,
    short: bool = False,
    stayed: bool = False,
) -> Response:
    ledger = ledger_of(request)
    network, known = await _ground(request)
    every: list[Terms] = [await terms_of(ledger, network, None, it) for it in known.values()]
    mine = [(it, known[it.batch.currency]) for it in await bought.bought_by(ledger, card.wallet)]
    shown, session = await proof.shown(request, card)
    hidden = kept_back(request, card, network)
    held = {} if hidden else await balances(ledger, card.owner, known)
    return render(
        request,
        "issuing/gift_vouchers.html",
        status_code=422 if wrong else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        card=card,
        moneys=[it.currency for it in every if bought.sold(it)],
        held=held,
        mine=mine,
        id=uuid7(),
        typed=typed,
        wrong=wrong,
        short=short and context_of(request).settings.payments != "none",
        stayed=stayed,
        shown=shown,
        session=session,
    )


def _picture(text: str) -> str:
    """An SVG to stand in a page."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=6, border=4, light="#fff", omitsize=True, xmldecl=False)
    return out.getvalue().decode()
