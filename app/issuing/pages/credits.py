"""Volunteers' hours and points for contributions, by hand: find the card, say how much and what for, credit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.counter import ChosenVenue, Counter, TypedCard, counter_of
from app.cards.service import card_by_uid
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.issuing import service
from app.issuing.pages.common import PLACE, Typed, amount_example, read_amount
from app.issuing.rules import ROLES, Role
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid
from app.rules.ids import uuid7
from app.web import N_, Texts, texts_of

router = APIRouter(include_in_schema=False)

HOURS, CONTRIBUTIONS = "/admin/hours", "/admin/contributions"
DAY_MINUTES = 24 * 60

ROLE_NAMES: dict[Role, str] = {
    "contributor": N_("Contributor: lent or gave something"),
    "user": N_("User: borrowed and brought back in good order"),
    "host": N_("Host: stores what is shared"),
    "mutualiser": N_("Pooler: paid into a group purchase"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One of the two pages; `place` is the menu's entry that it belongs to."""

    here: str
    place: str
    kind: Literal["time", "points"]
    operation: str
    field: str


PAGE_OF_HOURS = Page(HOURS, HOURS, "time", service.SHIFT, "minutes")
PAGE_OF_POINTS = Page(CONTRIBUTIONS, PLACE, "points", service.CONTRIBUTION, "points")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was just booked, as text."""

    label: str
    amount: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A form as it was sent."""

    id: UUID
    venue: UUID
    card: str
    currency: str
    amount: str
    reason: str
    role: Role


@router.get(HOURS)
async def hours_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    card: TypedCard = "",
    venue: ChosenVenue = None,
    done: Annotated[UUID | None, Query()] = None,
) -> Response:
    return await _look(request, caller, session, PAGE_OF_HOURS, card, venue, done)


@router.get(CONTRIBUTIONS)
async def contributions_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    card: TypedCard = "",
    venue: ChosenVenue = None,
    done: Annotated[UUID | None, Query()] = None,
) -> Response:
    return await _look(request, caller, session, PAGE_OF_POINTS, card, venue, done)


@router.post(HOURS)
async def credit_hours(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    card: Typed,
    currency: Typed,
    amount: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The form's id is the operation's: sent twice, it is booked once."""
    asked = Asked(id, venue, card, currency, amount, reason.strip(), "contributor")
    return await _credit(request, caller, session, PAGE_OF_HOURS, asked)


@router.post(CONTRIBUTIONS)
async def credit_contribution(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    card: Typed,
    currency: Typed,
    role: Annotated[Role, Form()],
    amount: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    asked = Asked(id, venue, card, currency, amount, reason.strip(), role)
    return await _credit(request, caller, session, PAGE_OF_POINTS, asked)


async def _look(
    request: Request,
    caller: Principal,
    session: SignedIn,
    page: Page,
    card: str,
    venue: UUID | None,
    done: UUID | None,
) -> Response:
    counter = await counter_of(request, caller, card, venue)
    receipt = None if done is None else await _receipt(request, caller, page, done)
    return _render(request, session, page, counter, await _counted(request, caller, counter, page), receipt)


async def _credit(request: Request, caller: Principal, session: SignedIn, page: Page, asked: Asked) -> Response:
    counter, texts = await counter_of(request, caller, asked.card, asked.venue), texts_of(request)
    counted = await _counted(request, caller, counter, page)
    chosen = counter.currencies.get(asked.currency)
    if counter.card is None or chosen is None or chosen not in counted:
        raise Invalid("This is not credited here.", "currency-not-accepted")
    problems: dict[str, str] = {}
    amount = 0
    try:
        amount = read_amount(asked.amount, chosen) if page.kind == "points" else _minutes(asked.amount, chosen)
    except AmountNotUnderstood:
        problems["amount"] = amount_example(chosen.unit, texts)
    if page.kind == "time" and "amount" not in problems and not 1 <= amount <= DAY_MINUTES:
        problems["amount"] = texts.gettext("Between one minute and 24 hours.")
    if not asked.reason:
        problems["reason"] = texts.gettext("Say what it was for: others will read it.")
    if not problems:
        try:
            await _book(request, counter, page, chosen, amount, asked, session.principal.actor)
            return RedirectResponse(f"{page.here}?venue={asked.venue}&done={asked.id}", 303)
        except (Conflict, Invalid) as error:
            problems["amount"] = _too_much(error, chosen, texts)
    return _render(request, session, page, counter, counted, asked=asked, problems=problems)


def _minutes(typed: str, currency: Currency) -> int:
    """None at all is understood, and then refused for being too little."""
    return 0 if typed.strip() == "0" else read_amount(typed, currency)


async def _book(
    request: Request, counter: Counter, page: Page, currency: Currency, amount: int, asked: Asked, actor: str
) -> None:
    if counter.card is None:
        raise TypeError("a card was found")
    common = (ledger_of(request), counter.network, counter.venue, counter.card, currency, amount, asked.id)
    if page.kind == "time":
        await service.credit_shift(*common, actor=actor, reason=asked.reason)
    else:
        await service.record_contribution(*common, actor=actor, role=asked.role, reason=asked.reason)


async def _counted(request: Request, caller: Principal, counter: Counter, page: Page) -> list[Currency]:
    """Currencies of this kind that the venue accepts and the caller may issue there. Raises Forbidden where there are
    some, and the rules let the caller issue none of them."""
    accepted = [
        it for code, it in counter.currencies.items() if it.kind == page.kind and code in counter.venue.accepted
    ]
    allowed = [
        it
        for it in accepted
        if service.may_issue(caller, await service.terms_of(ledger_of(request), counter.network, counter.venue, it))
    ]
    if accepted and not allowed:
        raise Forbidden("The rules of this currency do not let you issue it here.")
    return allowed


def _too_much(error: Conflict | Invalid, currency: Currency, texts: Texts) -> str:
    """Why the rules do not allow so much, in words; other errors are raised on."""
    if error.code == "daily-cap":
        return texts.gettext(
            "One day takes %(cap)s at most, and %(credited)s are credited today already. Nothing was changed.",
            cap=currency.text(error.extra["cap"], texts.language),
            credited=currency.text(error.extra["credited"], texts.language),
        )
    if error.code == "too-much-at-once":
        return texts.gettext(
            "%(most)s at most at a time. Nothing was changed.", most=currency.text(error.extra["most"], texts.language)
        )
    raise error


async def _receipt(request: Request, caller: Principal, page: Page, id_: UUID) -> Receipt | None:
    found = (await ledger_of(request).booked([id_])).get(id_)
    if found is None or found.kind != page.operation or not found.venue or not caller.may_see_venue(found.venue):
        return None
    said: dict[str, Any] = json.loads(found.details)
    async with context_of(request).reader.connect() as connection:
        card, known = await card_by_uid(connection, said["card"]), await currencies(connection)
    # The label of the rules tells the currency; operations from before there were rules have none.
    currency = known.get(found.policy.partition("@")[0]) or next(it for it in known.values() if it.kind == page.kind)
    return Receipt(card.label, currency.text(said[page.field], texts_of(request).language))


def _render(
    request: Request,
    session: SignedIn,
    page: Page,
    counter: Counter,
    counted: list[Currency],
    receipt: Receipt | None = None,
    asked: Asked | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    texts = texts_of(request)
    return render_admin(
        request,
        session,
        "issuing/credits.html",
        place=page.place,
        status_code=422 if problems else 200,
        network_name=counter.network.name,
        kind=page.kind,
        action=page.here,
        counter=counter,
        receipt=receipt,
        counted=counted,
        id=uuid7(),
        roles=[(it, texts.gettext(ROLE_NAMES[it])) for it in ROLES],
        role=asked.role if asked else ROLES[0],
        amount=asked.amount if asked else "",
        reason=asked.reason if asked else "",
        problems=problems or {},
    )
