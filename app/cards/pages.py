"""The holder's page, behind the address in the card's QR code, and what staff do to a card at the counter."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

import segno
from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.cards import lifecycle, service
from app.cards.addresses import address_of, card_behind, look_behind
from app.cards.history import PAGE_LINES, Evening, history
from app.cards.known import Known, Remembered
from app.cards.looking import Look
from app.cards.moving import Moves
from app.cards.recovery_pages import offer_of
from app.cards.visits import kept_back, require_tap, visit_of
from app.currencies.policies import policy_at
from app.currencies.service import Currency
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.rules.business_day import business_day
from app.rules.policy import Lapse
from app.web import Texts, dates, render, render_error, texts_of

router = APIRouter(include_in_schema=False)

_EVENING_HOUR = 18

Before = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("/c/{token}")
async def holder_page(request: Request, token: str, before: Before = None) -> Response:
    """The whole page; with `before`, the older part of the history alone."""
    try:
        return await _shown_to(request, token, "card.html" if before is None else "older.html", before=before)
    except NotFound as error:
        return unknown_card(request) if error.code == "card-unknown" else _not_yet(request)


@router.get("/c/{token}/now")
async def holder_page_now(request: Request, token: str) -> Response:
    """What of the page may have changed, for the script that keeps an open page current."""
    return await _shown_to(request, token, "now.html", suffix="_now")


@router.get("/c/{token}/moves")
async def holder_page_moves(request: Request, token: str) -> Response:
    """Server-sent events for who may see what is on it."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    moves: Moves = request.app.state.moves
    return StreamingResponse(
        moves.watch(card.owner),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _shown_to(
    request: Request, token: str, template: str, *, suffix: str = "", before: int | None = None
) -> Response:
    """By one transaction: what is held is what the history comes to. `suffix`: of the templates for who sees less.
    Raises as `look_behind`."""
    remembered: Remembered = request.app.state.remembered
    seen: dict[str, Any] = {}
    async with context_of(request).reader.connect() as connection:
        look = await look_behind(request, connection, token)
        known = await remembered.known(connection, look.revision)
        if look.end is not None:
            # Nothing about its holder: whoever has found it reads this page too.
            template, seen = f"ended{suffix}.html", {"end": look.end}
        elif kept_back(request, look.card, known.network):
            # What is on it is for who has the card; blocking it is for who has lost it.
            template = f"tap{suffix}.html"
        else:
            seen = await _seen(request, connection, look, known, before)
    return render(
        request,
        f"cards/{template}",
        network_name=known.network.name,
        card=look.card,
        home=f"/c/{look.card.token}",
        **seen,
    )


@router.post("/c/{token}/block")
async def block_own_card(request: Request, caller: Caller, token: str) -> Response:
    """Lifting the block is for staff: whoever found the card has read this address off it."""
    card = await card_behind(request, token)
    async with context_of(request).engine.begin() as connection:
        await lifecycle.set_blocked(connection, caller.actor, card.id, True)
    return RedirectResponse(f"/c/{token}", 303)


@router.get("/c/{token}/qr.svg")
async def card_code(request: Request, token: str) -> Response:
    """The page's address as a QR code, to print on the card."""
    drawn = _drawn(address_of(request, await card_behind(request, token)))
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})


@lru_cache(maxsize=256)
def _drawn(address: str) -> bytes:
    """SVG. Drawing takes longer than all the rest of the answer."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", scale=8, border=4, light="#fff", omitsize=True, xmldecl=False
    )
    return drawn.getvalue()


@router.post("/admin/cards/{card}/blocked")
async def block_card_at_counter(request: Request, caller: Caller, card: UUID) -> Response:
    return await _at_counter(request, caller.actor, card, blocked=True)


@router.post("/admin/cards/{card}/active")
async def unblock_card_at_counter(request: Request, caller: Caller, card: UUID) -> Response:
    return await _at_counter(request, caller.actor, card, blocked=False)


async def _at_counter(request: Request, actor: str, card: UUID, *, blocked: bool) -> Response:
    async with context_of(request).engine.begin() as connection:
        found = await service.card_by_id(connection, card)
        await lifecycle.set_blocked(connection, actor, card, blocked)
    return RedirectResponse(f"/admin/counter?card={found.uid}", 303)


async def _seen(
    request: Request, connection: AsyncConnection, look: Look, at: Known, before: int | None
) -> dict[str, Any]:
    context, texts, now, card = context_of(request), texts_of(request), now_us(), look.card
    known, zone = at.currencies, at.network.settings.zone
    accounts, lines = await ledger_of(request).held_and_moved(
        connection, card.owner, service.WALLET_KINDS, before=before, limit=PAGE_LINES + 1
    )
    held = service.held_in(accounts, known)
    page = history(accounts, lines, known, at.venues, zone)
    return {
        "zone": zone,
        "held": _shown(held, known),
        "owed": [(it, -held[code]) for code, it in known.items() if held[code] < 0],
        "evenings": [(in_words(it, now, texts), _entries(it, texts)) for it in page.evenings],
        "before": page.before,
        "accounts": context.settings.mail != "none",
        "online_topup": context.settings.payments != "none",
        "vouchers": any(it.kind == "gift" or it.cents_per_unit is not None for it in known.values()),
        "pegged": any(it.cents_per_unit is not None for it in known.values()),
        "lapses": any(policy_at(it, now).policy.lapse != Lapse() for it in at.policies.values()),
        "refunds": any("holders" in policy_at(it, now).policy.redeem.who for it in at.policies.values()),
        "seen_at_us": now,
        "visit": visit_of(request, card),
        "offer": offer_of(request, card, look.code_made_at_us),
        "by_tap": card.taps and at.network.settings.page_by_tap,
    }


def _shown(held: Mapping[str, int], known: Mapping[str, Currency]) -> list[tuple[Currency, int]]:
    """What the card holds; of what it does not hold, only the network's first currency is told."""
    first = next(iter(known), None)
    return [(it, held[code]) for code, it in known.items() if held[code] or code == first]


def in_words(evening: Evening, now: int, texts: Texts) -> str:
    """The evening that is going on is "tonight", also after midnight; on the clock of the place where it goes on."""
    zone = evening.entries[0].zone
    today, clock = business_day(now, zone), dates.local(now, zone)
    if evening.day == today and (clock.hour >= _EVENING_HOUR or clock.date() != today):
        return texts.gettext("tonight")
    return dates.day_in_words(evening.day, today, texts)


def _entries(evening: Evening, texts: Texts) -> list[dict[str, Any]]:
    return [{"it": it, "time": dates.clock(dates.local(it.at_us, it.zone), texts)} for it in evening.entries]


def _not_yet(request: Request) -> Response:
    texts = texts_of(request)
    return render_error(
        request,
        404,
        title=texts.gettext("This card is not in use yet"),
        happened=texts.gettext("Its label is printed, and nobody has said yet which chip bears it."),
        advice=texts.gettext("Show it at a counter: it has to be added first."),
    )


def unknown_card(request: Request) -> Response:
    texts = texts_of(request)
    return render_error(
        request,
        404,
        title=texts.gettext("We do not know this card"),
        happened=texts.gettext("No card has this address. Perhaps a letter of it is missing."),
        money=texts.gettext("What is on your card stays there. Nothing was charged."),
        advice=texts.gettext("Scan the code on your card again, or show the card at a counter."),
    )
