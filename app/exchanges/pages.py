"""A holder exchanges a ticket: each choice says what it costs on top, or what comes back, before it is confirmed."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.currencies.service import currencies
from app.events.rules import OrderState
from app.exchanges.service import Choice, choices_for, exchange
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Invalid, NotFound
from app.platform.limits import RateLimit
from app.rules.ids import uuid7
from app.venues.service import the_network, venues
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

EXCHANGED: Final = RateLimit("ticket-exchanges", "30/minute")
# What the page says beside its choices; the rest is for the problem's page.
_SAID: Final = {"insufficient-funds", "sold-out", "price-had", "price-for-others", "not-on-sale", "not-exchanged-for"}


class ExchangeBody(BaseModel):
    """`id`: the new order's, made by whoever asks, so that the same sent twice is one exchange."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    ticket: UUID
    price: UUID


class ExchangeAnswer(BaseModel):
    """`amount`: minor units of `currency`, what the new ticket costs."""

    order: UUID
    event: UUID
    state: OrderState
    currency: str
    amount: int


@router.get("/c/{token}/tickets/{ticket}/exchange")
async def exchange_page(request: Request, token: str, ticket: UUID) -> Response:
    return await _page(request, await _mine(request, token), ticket)


@router.post("/c/{token}/tickets/{ticket}/exchange")
async def exchange_from_page(request: Request, token: str, ticket: UUID) -> Response:
    """Once: the same form sent again is the same exchange."""
    card, form = await _mine(request, token), await request.form()
    EXCHANGED.check(request, str(card.id))
    try:
        id_, price = UUID(str(form.get("id"))), UUID(str(form.get("price")))
    except ValueError:
        return await _page(request, card, ticket, Conflict("Nothing was chosen.", "not-exchanged-for"))
    try:
        done = await exchange(ledger_of(request), id_, ticket, price, card)
    except (NotFound, Invalid):
        raise
    except DomainError as error:
        if error.code not in _SAID and not isinstance(error, Conflict):
            raise
        return await _page(request, card, ticket, error, price)
    return RedirectResponse(f"/c/{token}/tickets?order={done.id}", 303)


@router.post("/c/{token}/exchanges")
async def exchange_ticket(request: Request, token: str, body: ExchangeBody) -> ExchangeAnswer:
    """Conflict("ticket-kept", "ticket-of-others", "refund-over", "ticket-used", "not-exchanged-for", "sold-out",
    "price-had"), Forbidden("price-for-others", "card-blocked"), insufficient-funds with `missing`."""
    card = await _mine(request, token)
    EXCHANGED.check(request, str(card.id))
    done = await exchange(ledger_of(request), body.id, body.ticket, body.price, card)
    return ExchangeAnswer(order=done.id, event=done.event, state=done.state, currency=done.currency, amount=done.amount)


async def _mine(request: Request, token: str) -> Card:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return card


async def _page(
    request: Request, card: Card, of: UUID, error: DomainError | None = None, chosen: UUID | None = None
) -> Response:
    language, offer, choices = texts_of(request).language, None, list[Choice]()
    async with context_of(request).reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
    try:
        offer, choices = await choices_for(ledger_of(request), of, card)
    except NotFound:
        raise
    except Conflict as why:
        error = error or why
    money = known[offer.order.currency] if offer else None
    missing = error.extra.get("missing") if error else None
    return render(
        request,
        "exchanges/exchange.html",
        status_code=200 if offer and not error else 409,
        network_name=network.name,
        home=f"/c/{card.token}",
        here=f"/c/{card.token}/tickets/{of}/exchange",
        id=uuid7(),
        offer=offer,
        choices=[
            (it, *(money.text(one, language) for one in (it.price.amount, abs(it.more), it.fee))) for it in choices
        ]
        if money
        else [],
        chosen=chosen,
        missing=money.text(missing, language) if money and missing else "",
        error=error.code if error else None,
        zone=at[offer.event.venue].zone if offer else None,
        price=offer.event.price(offer.ticket.price) if offer else None,
        amount=money.text(offer.amount, language) if money and offer else "",
    )
