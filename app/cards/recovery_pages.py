"""The recovery code: made on the card's page or at a counter, told once, and used on /lost from any phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.cards import recovery
from app.cards.addresses import card_behind
from app.cards.service import Card, balances, card_by_id
from app.cards.visits import require_tap, visit_of
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import HOLDER
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid
from app.platform.limits import RateLimit, client_address
from app.venues.service import the_network
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/lost"

# Guessing a code is hopeless anyway. Of all together far more than a network ever loses in a minute.
TRIES = RateLimit("recovery-code", "10/minute")
ALL_TRIES = RateLimit("recovery-code-all", "300/minute")
MADE = RateLimit("recovery-code-made", "10/minute")

# Told in this answer and never again: no browser keeps it.
NOT_KEPT = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a card's page offers: `may` a code be made here now, in whose form (`form`), and is it the `first`."""

    form: UUID
    may: bool
    first: bool


def offer_of(request: Request, card: Card, made_at_us: int | None) -> Offer:
    """Whoever shows that the card is at their phone may always make one; else the wallet's first, where its page is
    not kept back. (Ask `kept_back` before.) `made_at_us`: when the wallet's code was made, if it has one."""
    first = made_at_us is None
    may = card.status == "active" and (first or visit_of(request, card) == "proven")
    return Offer(uuid4(), may, first)


@router.post("/c/{token}/recovery")
async def make_own_code(request: Request, caller: Caller, token: str, form: Annotated[UUID, Form()]) -> Response:
    """Not for a blocked card: whoever has found it may have it in their hand."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    MADE.check(request, str(card.id))
    context, first = context_of(request), visit_of(request, card) != "proven"
    home = f"/c/{token}"
    async with context.reader.connect() as connection:
        network = await the_network(connection)
    try:
        async with context.engine.begin() as connection:
            code = await recovery.make(
                connection, context.keys.token, caller.actor, card, form, first=first, shown=not first
            )
    except Conflict as error:
        if error.code != "recovery-code-there":
            raise
        there = "cards/recovery_there.html"
        return render(request, there, status_code=409, network_name=network.name, card=card, home=home)
    return render(
        request,
        "cards/recovery.html",
        headers=NOT_KEPT,
        network_name=network.name,
        card=card,
        home=home,
        code=code,
        lost=_lost_address(request),
    )


@router.post("/admin/cards/{card}/recovery")
async def make_code_at_counter(
    request: Request, caller: Caller, session: SignedIn, card: UUID, form: Annotated[UUID, Form()]
) -> Response:
    """For the holder in front of the counter, to be printed or written down."""
    context = context_of(request)
    async with context.engine.begin() as connection:
        found, network = await card_by_id(connection, card), await the_network(connection)
        if found.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        code = await recovery.make(connection, context.keys.token, caller.actor, found, form)
    return render_admin(
        request,
        session,
        "cards/recovery_counter.html",
        place="/admin/counter",
        headers=NOT_KEPT,
        network_name=network.name,
        card=found,
        code=code,
        back=f"/admin/counter?card={found.uid}",
        lost=_lost_address(request),
    )


@router.get(HERE)
async def lost_page(request: Request) -> Response:
    return await _form(request)


@router.post(HERE)
async def block_lost_cards(request: Request, code: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Sent again it says the same: what is blocked stays so."""
    TRIES.check(request, client_address(request))
    ALL_TRIES.check(request, "all")
    context, ledger = context_of(request), ledger_of(request)
    try:
        async with context.engine.begin() as connection:
            wallet = await recovery.wallet_of(connection, context.keys.token, code)
            cards = await recovery.block_all(connection, HOLDER.actor, wallet)
            network, known = await the_network(connection), await currencies(connection)
    except Invalid:
        return await _form(request, code)
    held = await balances(ledger, f"wallet:{wallet}", known)
    return render(
        request,
        "cards/lost_done.html",
        headers=NOT_KEPT,
        network_name=network.name,
        cards=cards,
        held=[(it, held[name]) for name, it in known.items() if held[name]],
    )


async def _form(request: Request, typed: str | None = None) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    problem = ""
    if typed is not None:
        problem = texts.gettext("No card has this code. Look at each letter again: there is no 0, 1, I, L or O in it.")
    return render(
        request,
        "cards/lost.html",
        status_code=200 if typed is None else 422,
        headers=NOT_KEPT,
        network_name=network.name,
        typed=typed or "",
        problem=problem,
    )


def _lost_address(request: Request) -> str:
    return f"{context_of(request).settings.base_url.rstrip('/')}{HERE}"
