"""The holder puts a voucher on their card."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.currencies.service import currencies
from app.identity.guard import Caller
from app.issuing import vouchers
from app.issuing.rules import code_hash
from app.issuing.service import terms_of
from app.issuing.voucher_tries import TRIES
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import DomainError
from app.venues.service import the_network
from app.web import Texts, render, texts_of

router = APIRouter(include_in_schema=False)


@router.get("/c/{token}/voucher")
async def voucher_form(request: Request, token: str, done: Annotated[UUID | None, Query()] = None) -> Response:
    """`done`: the voucher that was just put on the card."""
    return await _render(request, await card_behind(request, token), done=done)


@router.post("/c/{token}/voucher")
async def redeem_own_voucher(
    request: Request, caller: Caller, token: str, code: Annotated[str, Form(max_length=60)] = ""
) -> Response:
    card, ledger, texts = await card_behind(request, token), ledger_of(request), texts_of(request)
    TRIES.check(request, str(card.id))
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    try:
        it = await vouchers.voucher_behind(ledger, code)
        terms = await terms_of(ledger, network, None, known[it.batch.currency])
        await vouchers.redeem(ledger, terms, it, card, actor=caller.actor)
    except DomainError as error:
        problem = _in_words(error, code, texts)
        if not problem:
            raise
        return await _render(request, card, typed=code, problem=problem)
    return RedirectResponse(f"/c/{token}/voucher?done={it.id}", 303)


def _in_words(error: DomainError, code: str, texts: Texts) -> str:
    """Why the voucher was not taken, or "" for what is another page's to say."""
    if error.code == "voucher-unknown" and code_hash(code) is None:
        return texts.gettext("A code has four groups of four letters. Nothing was changed.")
    said = {
        "voucher-unknown": texts.gettext("No voucher has this code. Check each letter."),
        "voucher-used": texts.gettext("This voucher was used already: each can be used once."),
        "voucher-cancelled": texts.gettext("This voucher was cancelled. Ask whoever gave it to you."),
        "voucher-own": texts.gettext("You bought this voucher with this card: take it back on its page."),
        "over-ceiling": texts.gettext("The card cannot hold that much. Nothing was changed: spend some of it first."),
        "voucher-lapsed": texts.gettext("This voucher is no longer valid."),
    }
    return said.get(error.code, "")


async def _render(
    request: Request, card: Card, *, typed: str = "", problem: str = "", done: UUID | None = None
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    receipt = None
    found = None if done is None else (await ledger.booked([done])).get(done)
    if found is not None and found.kind == vouchers.USED:
        said: dict[str, Any] = json.loads(found.details)
        if said["card"] == card.uid:
            currency = known[found.policy.partition("@")[0]]
            receipt = (currency.text(said["amount"], texts.language), said["reason"])
    return render(
        request,
        "issuing/voucher_form.html",
        status_code=422 if problem else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        card=card,
        taken=card.status == "active" and any(it.kind == "gift" or it.cents_per_unit for it in known.values()),
        typed=typed,
        problem=problem,
        receipt=receipt,
    )
