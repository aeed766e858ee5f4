"""The holder's page, behind the address in the card's QR code: who knows the address may see, top up and block."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards import service
from app.cards.history import Evening, history
from app.cards.service import Card
from app.currencies.service import Currency, currencies
from app.identity.audit import audit
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.rules.business_day import business_day
from app.venues.service import Network, the_network, venues
from app.web import Texts, dates, render, render_error, texts_of

router = APIRouter(include_in_schema=False)

# Guests of one bar share one address on its Wi-Fi, so a known card counts for itself; guessing counts by address.
PER_CARD = RateLimit("card-page", "120/minute")
UNKNOWN_CARDS = RateLimit("card-page-unknown", "20/minute")

_EVENING_HOUR = 18

Before = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("/c/{token}")
async def holder_page(request: Request, token: str, before: Before = None) -> Response:
    """The whole page; with `before`, the older part of the history alone."""
    try:
        seen = await _seen(request, token, before)
    except NotFound:
        return _unknown(request)
    template = "cards/card.html" if before is None else "cards/older.html"
    return render(request, template, **seen)


@router.get("/c/{token}/now")
async def holder_page_now(request: Request, token: str) -> Response:
    """What of the page may have changed, for the script that keeps an open page current."""
    return render(request, "cards/now.html", **await _seen(request, token))


@router.post("/c/{token}/block")
async def block_own_card(request: Request, caller: Caller, token: str) -> Response:
    """Lifting the block is for staff: whoever found the card has read this address off it."""
    card = await card_behind(request, token)
    async with context_of(request).engine.begin() as connection:
        if card.status == "active":
            await service.set_status(connection, card.id, "blocked")
            await audit(connection, caller.actor, "card.blocked", f"card:{card.id}")
    return RedirectResponse(f"/c/{token}", 303)


@router.get("/c/{token}/qr.svg")
async def card_code(request: Request, token: str) -> Response:
    """The page's address as a QR code, to print on the card."""
    await card_behind(request, token)
    address = f"{context_of(request).settings.base_url.rstrip('/')}/c/{token}"
    drawn = segno.make(address, error="m").svg_inline(scale=8, border=4, title="QR", omitsize=True)
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(_standing_alone(drawn), media_type="image/svg+xml", headers=headers)


async def card_behind(request: Request, token: str) -> Card:
    """The card of an address. Raises NotFound("card-unknown") and TooManyRequests."""
    async with context_of(request).reader.connect() as connection:
        try:
            card = await service.card_by_token(connection, token)
        except NotFound:
            UNKNOWN_CARDS.check(request, client_address(request))
            raise
    PER_CARD.check(request, str(card.id))
    return card


async def _seen(request: Request, token: str, before: int | None = None) -> dict[str, Any]:
    card = await card_behind(request, token)
    context, ledger, texts = context_of(request), ledger_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
    zone, now = network.settings.zone, now_us()
    held = await service.balances(ledger, card.owner, known)
    page = await history(ledger, card, known, at, zone, before)
    return {
        "network_name": network.name,
        "card": card,
        "home": f"/c/{token}",
        "zone": zone,
        "held": _shown(held, known),
        "owed": [(it, -held[code]) for code, it in known.items() if held[code] < 0],
        "evenings": [(_evening_in_words(it, network, now, texts), _entries(it, texts)) for it in page.evenings],
        "before": page.before,
        "online_topup": context.settings.payments != "none",
        "pegged": any(it.cents_per_unit is not None for it in known.values()),
        "seen_at_us": now,
    }


def _shown(held: dict[str, int], known: dict[str, Currency]) -> list[tuple[Currency, int]]:
    """What the card holds; of what it does not hold, only the network's first currency is told."""
    first = next(iter(known), None)
    return [(it, held[code]) for code, it in known.items() if held[code] or code == first]


def _evening_in_words(evening: Evening, network: Network, now: int, texts: Texts) -> str:
    today = business_day(now, network.settings.zone)
    hour = dates.local(now, network.settings.zone).hour
    if evening.day == today and (hour >= _EVENING_HOUR or dates.local(now, network.settings.zone).date() != today):
        return texts.gettext("tonight")
    return dates.day_in_words(evening.day, today, texts)


def _entries(evening: Evening, texts: Texts) -> list[dict[str, Any]]:
    return [{"it": it, "time": dates.clock(dates.local(it.at_us, it.zone), texts)} for it in evening.entries]


def _standing_alone(svg: str) -> str:
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _unknown(request: Request) -> Response:
    texts = texts_of(request)
    return render_error(
        request,
        404,
        title=texts.gettext("We do not know this card"),
        happened=texts.gettext("No card has this address. Perhaps a letter is missing, or the card was replaced."),
        money=texts.gettext("What is on your card stays there. Nothing was charged."),
        advice=texts.gettext("Scan the code on your card again, or show the card at a counter."),
    )
