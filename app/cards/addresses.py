"""Cards by the secret address of their page, at a pace that makes guessing one hopeless."""

from __future__ import annotations

from starlette.requests import Request

from app.cards.batches import blank_behind
from app.cards.lifecycle import End, end_of
from app.cards.service import Card, card_by_token
from app.platform.context import context_of
from app.platform.database import one_by_one
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
    async with one_by_one(context_of(request).engine).connect() as connection:
        try:
            card = await card_by_token(connection, token)
            end = await end_of(connection, card.id)
        except NotFound:
            if await blank_behind(connection, token) is not None:
                raise NotFound("This card is not in use yet.", "card-not-yet") from None
            UNKNOWN_CARDS.check(request, client_address(request))
            raise
    PER_CARD.check(request, str(card.id))
    return card, end


def address_of(request: Request, card: Card) -> str:
    """The whole address, as the card's QR code has it."""
    return f"{context_of(request).settings.base_url.rstrip('/')}/c/{card.token}"
