"""Gifts for a list of cards, pasted from anywhere."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.currencies.service import Currency
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.issuing import gifts
from app.issuing.pages.common import PLACE, Desk, Typed, amount_example, desk_of, read_amount
from app.issuing.rules import LINES_MAX, ListedCard, read_list
from app.money import AmountNotUnderstood
from app.platform.errors import Invalid
from app.rules.ids import uuid7
from app.web import N_, Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/gifts"

TROUBLES: dict[str, str] = {
    "unknown": N_("no card is called this"),
    "ambiguous": N_("several cards are called this: write the card’s number"),
    "blocked": N_("this card is blocked"),
    "twice": N_("this card is in the list already"),
    "too-much": N_("more than the rules allow at once"),
    "nothing": N_("the amount is not understood"),
}
REFUSED: dict[str, str] = {
    "daily-cap": N_("refused: more than one day allows"),
    "over-ceiling": N_("refused: the card cannot hold that much"),
}


@router.get(HERE)
async def gifts_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return _render(request, session, await desk_of(request, caller, "gift"))


@router.post(HERE)
async def give_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    currency: Typed,
    giver: Typed = "",
    amount: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    cards: Annotated[str, Form(max_length=60_000)] = "",
) -> Response:
    """The form's id is the batch's: sent twice, nothing is given twice."""
    desk, texts = await desk_of(request, caller, "gift"), texts_of(request)
    terms = desk.terms(giver, currency)
    typed = {"currency": currency, "giver": giver, "amount": amount, "reason": reason, "cards": cards}
    listed, problems = read_list(cards), dict[str, str]()
    common = 0
    if amount.strip() or any(not it.amount for it in listed) or not listed:
        try:
            common = read_amount(amount, terms.currency)
        except AmountNotUnderstood:
            problems["amount"] = amount_example(terms.currency.unit, texts)
    if not reason.strip():
        problems["reason"] = texts.gettext("Say what it was for: others will read it.")
    if not 1 <= len(listed) <= LINES_MAX:
        problems["cards"] = texts.gettext("Write between 1 and %(most)s cards, one on each line.", most=LINES_MAX)
    if problems:
        return _render(request, session, desk, typed, problems)
    wanted = [_wanted(it, common, terms.currency) for it in listed]
    try:
        given = await gifts.give(desk.ledger, terms, wanted, id, actor=session.principal.actor, reason=reason.strip())
    except Invalid as error:
        if error.code != "cards-not-understood":
            raise
        wrong = _wrong(error, listed, texts)
        problems["cards"] = texts.gettext("Some cards cannot be credited. Nothing was given yet.")
        return _render(request, session, desk, typed, problems, wrong=wrong)
    return _render(request, session, desk, given=_said(given, terms.currency, texts))


def _wanted(it: ListedCard, common: int, currency: Currency) -> gifts.Gift:
    """An amount beside the card counts before the common one; what cannot be read is none, and found to be so."""
    if not it.amount:
        return gifts.Gift(it.card, common)
    try:
        return gifts.Gift(it.card, read_amount(it.amount, currency))
    except AmountNotUnderstood:
        return gifts.Gift(it.card, 0)


def _wrong(error: Invalid, listed: list[ListedCard], texts: Texts) -> list[tuple[int, str, str]]:
    """(line as it was pasted, what stands there, why it is not right)."""
    found = []
    for it in error.extra["lines"]:
        why = TROUBLES[it["trouble"]]
        found.append((listed[it["line"] - 1].line, it["card"], texts.gettext(why)))
    return found


def _said(given: list[gifts.Given], currency: Currency, texts: Texts) -> dict[str, Any]:
    on_cards = [it for it in given if it.refused is None]
    return {
        "total": currency.text(sum(it.amount for it in on_cards), texts.language),
        "cards": len(on_cards),
        "refused": len(given) - len(on_cards),
        "lines": [
            (
                it.label,
                currency.text(it.amount, texts.language),
                texts.gettext(REFUSED[it.refused]) if it.refused else "",
            )
            for it in given
        ],
    }


def _render(
    request: Request,
    session: SignedIn,
    desk: Desk,
    typed: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
    *,
    wrong: list[tuple[int, str, str]] | None = None,
    given: dict[str, Any] | None = None,
) -> Response:
    return render_admin(
        request,
        session,
        "issuing/gifts.html",
        place=PLACE,
        status_code=422 if problems else 200,
        network_name=desk.network.name,
        action=HERE,
        desk=desk,
        id=uuid7(),
        typed=typed or {},
        problems=problems or {},
        wrong=wrong or [],
        given=given,
    )
