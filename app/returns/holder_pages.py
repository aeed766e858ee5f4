"""A holder gives one ticket back: what it comes to is read before it is confirmed."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.currencies.service import currencies
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, NotFound
from app.platform.limits import RateLimit
from app.returns.tickets import give_ticket_back, offer_for, returned
from app.venues.service import the_network, venues
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

GIVEN = RateLimit("ticket-returns", "30/minute")


@router.get("/c/{token}/tickets/{ticket}/give-back")
async def ticket_return_page(request: Request, token: str, ticket: UUID) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    async with context_of(request).reader.connect() as connection:
        known = await returned(connection, ticket)
    if known is not None and known.actor == card.owner:
        return RedirectResponse(f"/c/{token}/tickets", 303)
    return await _page(request, card, ticket)


@router.post("/c/{token}/tickets/{ticket}/give-back")
async def return_ticket(request: Request, token: str, ticket: UUID) -> Response:
    """Once: the same form sent again gives nothing more back."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    GIVEN.check(request, str(card.id))
    try:
        await give_ticket_back(ledger_of(request), ticket, card.wallet)
    except Conflict as error:
        return await _page(request, card, ticket, error)
    return RedirectResponse(f"/c/{token}/tickets?back={ticket}", 303)


async def _page(request: Request, card: Card, ticket: UUID, error: Conflict | None = None) -> Response:
    language, offer = texts_of(request).language, None
    async with context_of(request).reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
        try:
            offer = await offer_for(connection, ticket, card.wallet, now_us())
        except NotFound:
            raise
        except Conflict as why:
            error = error or why
    money = known[offer.order.currency] if offer else None
    said = (lambda amount: money.text(amount, language)) if money else str
    return render(
        request,
        "returns/ticket.html",
        status_code=200 if offer and not error else 409,
        network_name=network.name,
        home=f"/c/{card.token}",
        offer=offer,
        error=error.code if error else None,
        zone=at[offer.event.venue].zone if offer else None,
        price=offer.event.price(offer.ticket.price) if offer else None,
        amount=said(offer.amount) if offer else "",
        fee=said(offer.fee) if offer and offer.fee else "",
        back=said(offer.back) if offer else "",
    )
