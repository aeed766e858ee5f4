"""Cards by the secret address of their page, at a pace that makes guessing one hopeless."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from app.cards.batches import blank_behind
from app.cards.lifecycle import End
from app.cards.looking import Look, look_at
from app.cards.service import Card
from app.platform.context import context_of
from app.platform.errors import Conflict, NotFound
from app.platform.limits import RateLimit, client_address

# Guests of one bar share one address on its Wi-Fi, so a known card counts for itself; guessing counts by address.
PER_CARD = RateLimit("card-page", "120/minute")
UNKNOWN_CARDS = RateLimit("card-page-unknown", "20/minute")


async def card_behind(request: Request, token: str) -> Card:
    """The card of an address. Raises NotFound("card-unknown"), TooManyRequests, and Conflict("card-ended"): whoever has
    found a card that was replaced reads nothing about its holder. NotFound("card-not-yet"): its label is printed, and
    its chip not known."""
    card, end = await any_card_behind(request, token)
    if end is not None:
        raise Conflict("This card is out of use for good.", "card-ended")
    return card


async def any_card_behind(request: Request, token: str) -> tuple[Card, End | None]:
    """Also one that ended. Raises NotFound("card-unknown") and TooManyRequests."""
    async with context_of(request).reader.connect() as connection:
        look = await look_behind(request, connection, token)
    return look.card, look.end


async def look_behind(request: Request, connection: AsyncConnection, token: str) -> Look:
    """The same with what its page wants to know first, in a transaction of the caller's."""
    try:
        look = await look_at(connection, token)
    except NotFound:
        if await blank_behind(connection, token) is not None:
            raise NotFound("This card is not in use yet.", "card-not-yet") from None
        UNKNOWN_CARDS.check(request, client_address(request))
        raise
    PER_CARD.check(request, str(look.card.id))
    return look


def address_of(request: Request, card: Card) -> str:
    """The whole address, as the card's QR code has it."""
    return f"{context_of(request).settings.base_url.rstrip('/')}/c/{card.token}"
