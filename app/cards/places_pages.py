"""Where the card works, reached from its page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.cards.addresses import any_card_behind
from app.venues.place_pages import places_told

router = APIRouter(include_in_schema=False)


@router.get("/c/{token}/places")
async def card_places_page(request: Request, token: str) -> Response:
    """Nothing in it is about the card, so any card's address opens it."""
    await any_card_behind(request, token)
    return await places_told(request, headers={"Cache-Control": "private, max-age=60"}, home=f"/c/{token}")
