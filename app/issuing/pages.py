"""Volunteers' hours by hand: find the card, say how long and what for, credit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.counter import ChosenVenue, Counter, TypedCard, counter_of
from app.cards.service import card_by_uid
from app.currencies.service import Currency
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.issuing import service
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, parse_amount
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid
from app.rules.ids import uuid7
from app.web import Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/hours"
DAY_MINUTES = 24 * 60

Typed = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hours that were just booked."""

    label: str
    minutes: int


@router.get(HERE)
async def hours_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    card: TypedCard = "",
    venue: ChosenVenue = None,
    done: Annotated[UUID | None, Query()] = None,
) -> Response:
    counter = await counter_of(request, caller, card, venue)
    receipt = None
    found = None if done is None else (await ledger_of(request).booked([done])).get(done)
    if found is not None and found.kind == service.KIND and found.venue and caller.may_see_venue(found.venue):
        said: dict[str, Any] = json.loads(found.details)
        async with context_of(request).reader.connect() as connection:
            receipt = Receipt((await card_by_uid(connection, said["card"])).label, said["minutes"])
    return _page(request, session, counter, receipt)


@router.post(HERE)
async def credit_hours(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    card: Typed,
    currency: Typed,
    time: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The form's id is the operation's: sent twice, it is booked once."""
    counter, texts = await counter_of(request, caller, card, venue), texts_of(request)
    chosen = counter.currencies.get(currency)
    if counter.card is None or chosen is None or chosen not in _counted(counter):
        raise Invalid("Hours are not credited here.", "currency-not-accepted")
    problems: dict[str, str] = {}
    minutes = 0
    try:
        minutes = parse_amount(time, chosen.unit)
    except AmountNotUnderstood:
        problems["time"] = texts.gettext("Write a time such as 3 h, 2 h 30 or 45 min.")
    if "time" not in problems and not 1 <= minutes <= DAY_MINUTES:
        problems["time"] = texts.gettext("Between one minute and 24 hours.")
    if not reason.strip():
        problems["reason"] = texts.gettext("Say what it was for: others will read it.")
    if not problems:
        try:
            await service.credit_shift(
                ledger_of(request),
                counter.network,
                counter.venue,
                counter.card,
                chosen,
                minutes,
                id,
                actor=session.principal.actor,
                reason=reason.strip(),
            )
            return RedirectResponse(f"{HERE}?venue={venue}&done={id}", 303)
        except Conflict as error:
            if error.code != "daily-cap":
                raise
            problems["time"] = _over_the_cap(error, chosen, texts)
    return _page(request, session, counter, time=time, reason=reason, problems=problems)


def _counted(counter: Counter) -> list[Currency]:
    """Time currencies of the venue."""
    return [it for code, it in counter.currencies.items() if it.kind == "time" and code in counter.venue.accepted]


def _over_the_cap(error: Conflict, currency: Currency, texts: Texts) -> str:
    cap, credited = error.extra["cap_minutes"], error.extra["credited_minutes"]
    return texts.gettext(
        "One day takes %(cap)s at most, and %(credited)s are credited today already. Nothing was changed.",
        cap=currency.text(cap, texts.language),
        credited=currency.text(credited, texts.language),
    )


def _page(
    request: Request,
    session: SignedIn,
    counter: Counter,
    receipt: Receipt | None = None,
    time: str = "",
    reason: str = "",
    problems: dict[str, str] | None = None,
) -> Response:
    return render_admin(
        request,
        session,
        "issuing/hours.html",
        place=HERE,
        status_code=422 if problems else 200,
        network_name=counter.network.name,
        action=HERE,
        counter=counter,
        receipt=receipt,
        counted=_counted(counter),
        id=uuid7(),
        time=time,
        reason=reason,
        problems=problems or {},
    )
