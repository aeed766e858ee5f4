"""A card at a phone: the address that it completes itself leads to its page, and proves that it was there."""

from __future__ import annotations

from typing import Final

import structlog
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match
from starlette.types import Scope

from app.cards.addresses import any_card_behind
from app.cards.pages import unknown_card
from app.cards.service import Card
from app.cards.visits import remember
from app.keyring import taps
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.rules.chips.sun import NotSun
from app.web import render_error, texts_of

log = structlog.get_logger(__name__)

NOT_PROVEN: Final = RateLimit("card-not-proven", "20/minute")


class _Tapped(APIRoute):
    """Only an address with a message in it: the same without one is the card's page."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        query = f"&{scope.get('query_string', b'').decode('latin-1')}"
        return super().matches(scope) if "&e=" in query or "&c=" in query else (Match.NONE, {})


router = APIRouter(include_in_schema=False, route_class=_Tapped)


@router.get("/c/{token}")
async def tapped_card(request: Request, token: str, e: str = "", c: str = "") -> Response:
    """Verified, counted, and on to the card's page under its plain address, which can be shared without the proof."""
    try:
        card, end = await any_card_behind(request, token)
    except NotFound as error:
        if error.code != "card-unknown":
            raise
        return unknown_card(request)
    if end is not None:
        return RedirectResponse(f"/c/{token}", 303)
    context, uid = context_of(request), bytes.fromhex(card.uid)
    async with context.reader.connect() as connection:
        held = await taps.held_by(connection, context.keys.token, card.id, uid)
    page = RedirectResponse(f"/c/{token}", 303)
    if not held:
        # A card without keys has nothing to say; what somebody wrote behind its address means nothing.
        return page
    try:
        version, said = taps.proven(uid, held, e, c)
    except NotSun as error:
        NOT_PROVEN.check(request, client_address(request))
        log.warning("card.not-proven", card=str(card.id), reason=str(error))
        return _not_proven(request, card)
    tap = await taps.taken(context.engine, card.id, version, said.counter, e, c)
    if tap == "replay":
        log.warning("card.replayed", card=str(card.id), counter=said.counter)
        return _used(request, card)
    remember(request, page, card, "proven" if tap == "new" else "seen")
    return page


def _not_proven(request: Request, card: Card) -> Response:
    texts = texts_of(request)
    return render_error(
        request,
        403,
        title=texts.gettext("This address does not prove your card"),
        happened=texts.gettext(
            "A card adds something of its own to its address at each tap. "
            "Here that was changed, cut off, or made by another card."
        ),
        money=texts.gettext("What is on your card stays there. Nothing was charged."),
        advice=texts.gettext("Hold the card to your phone once more, and open the address that appears then."),
        back_url=f"/c/{card.token}",
    )


def _used(request: Request, card: Card) -> Response:
    texts = texts_of(request)
    return render_error(
        request,
        403,
        title=texts.gettext("This tap was used already"),
        happened=texts.gettext(
            "The address that a card makes at a tap counts once, so that a copy of it is worth nothing."
        ),
        money=texts.gettext("What is on your card stays there. Nothing was charged."),
        advice=texts.gettext("Hold the card to your phone once more, and open the address that appears then."),
        back_url=f"/c/{card.token}",
    )
