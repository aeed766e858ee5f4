"""A purchase as its holder sees it: the receipt, and the way to say that something about it is not right."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.currencies.service import currencies
from app.disputes import service
from app.disputes.rules import ANSWERED_WITHIN_DAYS, PER_SALE_MAX, REASONS, TEXT_MAX, Reason
from app.disputes.words import SAID
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.platform.context import context_of
from app.platform.errors import Conflict
from app.platform.limits import RateLimit, client_address
from app.sales.receipts import receipt
from app.venues.service import the_network, venues
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

# A venue reads each of them: whoever has found a card's address floods nobody with it.
PER_CARD = RateLimit("dispute-card", "10/hour")
PER_ADDRESS = RateLimit("dispute-address", "30/hour")


@router.get("/c/{token}/sales/{sale}")
async def own_sale_page(request: Request, token: str, sale: UUID) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _page(request, card, sale)


@router.post("/c/{token}/sales/{sale}/dispute")
async def dispute_own_sale(
    request: Request,
    caller: Caller,
    token: str,
    sale: UUID,
    reason: Annotated[Reason | None, Form()] = None,
    text: Annotated[str, Form(max_length=2000)] = "",
    email: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Also for a blocked card: what was paid with it after it was lost is what its holder disputes first."""
    card, context, texts = await card_behind(request, token), context_of(request), texts_of(request)
    await require_tap(request, card)
    sold = await service.sold_to(ledger_of(request), card.owner, sale)
    to = mail_address(email) if email.strip() else ""
    wrong: dict[str, str] = {}
    if reason is None:
        wrong["reason"] = texts.gettext("Choose what is not right.")
    if to is None:
        wrong["email"] = texts.gettext("This is no e-mail address.")
    if len(text.strip()) > TEXT_MAX:
        wrong["text"] = texts.gettext("This is too long: %(num)s characters at most.", num=TEXT_MAX)
    if reason is None or wrong:
        return await _page(request, card, sale, wrong, {"reason": reason or "", "text": text, "email": email})
    PER_CARD.check(request, str(card.id))
    PER_ADDRESS.check(request, client_address(request))
    try:
        async with context.engine.begin() as connection:
            await service.open_dispute(connection, caller.actor, card, sold, reason, text, to or None, texts.language)
    except Conflict as error:
        # The page says how it stands: it is disputed, was answered, or was taken back meanwhile.
        if error.code not in {"dispute-open", "disputed-enough", "sale-taken-back"}:
            raise
    return RedirectResponse(f"/c/{token}/sales/{sale}#dispute", 303)


async def _page(
    request: Request,
    card: Card,
    sale: UUID,
    wrong: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    context, ledger, texts = context_of(request), ledger_of(request), texts_of(request)
    sold = await service.sold_to(ledger, card.owner, sale)
    async with context.reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
        disputes = await service.of_sale(connection, card.wallet, sale)
    found = await receipt(ledger, sale, known, at)
    return render(
        request,
        "disputes/sale.html",
        status_code=422 if wrong else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        card=card,
        sale=sale,
        receipt=found,
        disputes=disputes,
        said={it: texts.gettext(SAID[it]) for it in REASONS},
        may=not sold.taken_back and all(it.state != "open" for it in disputes) and len(disputes) < PER_SALE_MAX,
        days=ANSWERED_WITHIN_DAYS,
        by_mail=context.settings.mail != "none",
        text_max=TEXT_MAX,
        wrong={"reason": "", "text": "", "email": "", **(wrong or {})},
        typed=typed or {"reason": "", "text": "", "email": ""},
    )
