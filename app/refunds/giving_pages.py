"""The holder gives what is left, or a part of it: choose, read it as a sentence, give, and keep the receipt."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import any_card_behind, card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.mail.service import Letter, queue
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.platform.errors import DomainError, Forbidden, Invalid
from app.refunds import giving, service, words
from app.refunds.pages import ASKED, NOT_KEPT
from app.refunds.proofs import proof_of, require
from app.refunds.service import World
from app.venues.service import Venue, venues
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

TEMPLATE = "refunds/gift_mail"
COMMON = "common"

Typed = Annotated[str, Form(max_length=100)]


@router.get("/c/{token}/give")
async def gift_form(request: Request, token: str) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _form(request, card, {})


@router.post("/c/{token}/give")
async def give_from_card(
    request: Request,
    caller: Caller,
    token: str,
    id: Annotated[UUID, Form()],
    currency: Typed,
    to: Typed = COMMON,
    amount: Typed = "",
    email: Annotated[str, Form(max_length=300)] = "",
    code: Typed = "",
    sure: Literal["", "yes"] = Form(""),
) -> Response:
    """First the sentence; given with `sure`. `amount` empty: all that is left. The same form sent twice gives once."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    ASKED.check(request, str(card.id))
    context, ledger, texts = context_of(request), ledger_of(request), texts_of(request)
    if await ledger.booked([id]):
        return RedirectResponse(f"/c/{token}/give/{id}", 303)
    at, places = await _world(request)
    typed = {"currency": currency, "to": to, "amount": amount, "email": email, "code": code}
    held = await giving.givable(ledger, at, card.owner)
    problems: dict[str, str] = {}
    units = held.get(currency, 0)
    name = "" if to == COMMON else to
    address = mail_address(email) if email.strip() else ""
    if address is None:
        problems["email"] = texts.gettext("Write an address like awa@example.org.")
    if currency not in held or (name and name not in giving.beneficiaries(at, places)):
        raise Invalid("This cannot be given, or not to them.", "gift-invalid")
    try:
        if amount.strip():
            units = parse_amount(amount, at.known[currency].unit)
        if not 0 < units <= held[currency]:
            problems["amount"] = texts.gettext("The card does not hold as much.")
        async with context.reader.connect() as connection:
            require(await proof_of(request, connection, card, code) != "address")
    except AmountNotUnderstood:
        problems["amount"] = texts.gettext("Write an amount like 12.50.")
    except (Forbidden, Invalid) as error:
        problems |= words.problem(error, texts)
    if problems:
        return await _form(request, card, typed, problems)
    if not sure:
        return render(
            request,
            "refunds/give_review.html",
            headers=NOT_KEPT,
            network_name=at.network.name,
            home=f"/c/{token}",
            card=card,
            id=id,
            units=units,
            rest=held[currency] - units,
            currency=at.known[currency],
            name=name,
            typed={**typed, "amount": amount},
        )
    try:
        await giving.give(ledger, at, card, at.known[currency], units, name, id, actor=caller.actor)
    except DomainError as error:
        return await _form(request, card, typed, words.problem(error, texts))
    if address:
        data = {
            "network_name": at.network.name,
            "card_label": card.label,
            "amount": units,
            "unit": at.known[currency].unit.value,
            "symbol": at.known[currency].symbol,
            "beneficiary": name,
            "path": f"/c/{token}/give/{id}",
            "number": str(id),
        }
        async with context.engine.begin() as connection:
            await queue(connection, Letter(uuid5(id, "receipt"), TEMPLATE, texts.language, address, data))
    return RedirectResponse(f"/c/{token}/give/{id}", 303)


@router.get("/c/{token}/give/{id}")
async def gift_receipt(request: Request, token: str, id: UUID) -> Response:
    card, _ = await any_card_behind(request, token)
    at, _ = await _world(request)
    found = await giving.given(ledger_of(request), card, id)
    return render(
        request,
        "refunds/given.html",
        headers=NOT_KEPT,
        network_name=at.network.name,
        home=f"/c/{token}",
        it=found,
        currency=at.known[found.currency],
        zone=at.network.settings.zone,
        card=card,
    )


async def _world(request: Request) -> tuple[World, dict[UUID, Venue]]:
    async with context_of(request).reader.connect() as connection:
        return await service.world(connection), await venues(connection)


async def _form(
    request: Request, card: Card, typed: dict[str, str], problems: dict[str, str] | None = None
) -> Response:
    at, places = await _world(request)
    held = await giving.givable(ledger_of(request), at, card.owner)
    async with context_of(request).reader.connect() as connection:
        proof = await proof_of(request, connection, card)
    return render(
        request,
        "refunds/give.html",
        status_code=422 if problems else 200,
        headers=NOT_KEPT,
        network_name=at.network.name,
        home=f"/c/{card.token}",
        card=card,
        id=uuid4(),
        held=held,
        known=at.known,
        beneficiaries=giving.beneficiaries(at, places),
        common=COMMON,
        proof=proof,
        by_mail=context_of(request).settings.mail != "none",
        typed={"currency": next(iter(held), ""), "to": COMMON, "amount": "", "email": "", "code": "", **typed},
        problems=problems or {},
    )
